// Search by a picture: dropped or chosen, made small here, shown at once, and searched without leaving the page.
"use strict";

const SIDE = 512;
const KEPT = "searched picture";
const form = document.querySelector(".by-picture");
const drop = form.querySelector(".drop");
const input = form.elements.picture;
const preview = document.createElement("img");
let picture = null;

async function small(file) {
  try {
    const whole = await createImageBitmap(file);
    const scale = Math.min(1, SIDE / Math.max(whole.width, whole.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(whole.width * scale));
    canvas.height = Math.max(1, Math.round(whole.height * scale));
    const pen = canvas.getContext("2d");
    // What is see-through stands on white, as the products do.
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(whole, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.88));
  } catch {
    // What the browser cannot read goes as it is: the answer says what is wrong with it.
    return file;
  }
}

function address(blob) {
  return new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(blob);
  });
}

function fromAddress(text) {
  const [head, code] = text.split(",");
  const bytes = Uint8Array.from(atob(code), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: head.slice(5).split(";")[0] });
}

async function taken(file) {
  picture = await small(file);
  await search();
}

async function search() {
  const fields = new FormData(form);
  fields.delete("picture");
  if (picture) fields.set("picture", picture, "picture.jpg");
  const results = document.querySelector("#results");
  results.setAttribute("aria-busy", "true");
  if (picture) {
    const shown = await address(picture);
    preview.src = shown;
    preview.alt = "The picture that is searched by";
    preview.className = "preview";
    drop.append(preview);
    sessionStorage.setItem(KEPT, JSON.stringify({ shown, words: fields.get("q"), weight: fields.get("weight") }));
    history.replaceState(null, "", location.pathname + location.search + "#picture");
  }
  const { found } = await window.shop.part("/search?part=1", { method: "POST", body: fields });
  const whole = found.querySelector("main");
  results.replaceChildren(...(whole || found.body).childNodes);
  results.removeAttribute("aria-busy");
  window.shop.watchCards(results);
  const count = results.querySelector("[data-count]");
  window.shop.toast(count ? count.textContent : "That could not be searched.");
}

input.addEventListener("change", () => { if (input.files.length) taken(input.files[0]); });
form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const name of ["dragleave", "drop"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
}
drop.addEventListener("drop", (event) => {
  const file = [...event.dataTransfer.files].find((one) => one.type.startsWith("image/"));
  if (file) taken(file); else window.shop.toast("That is no picture.");
});

// Who comes back from an item finds what was searched.
const kept = sessionStorage.getItem(KEPT);
if (location.hash === "#picture" && kept) {
  const { shown, words, weight } = JSON.parse(kept);
  form.elements.q.value = words;
  form.elements.weight.value = weight;
  picture = fromAddress(shown);
  search();
}
