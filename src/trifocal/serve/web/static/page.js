// The shop, made smooth: tells the service what is seen and done, and shows at once what follows. Without it all works.
"use strict";

const body = document.body.dataset;
const WORDS = { cart: "In your bag.", purchase: "Bought." };
const SEEN = new Set();
let waiting = [];

function eventId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function device() {
  return window.matchMedia("(max-width: 640px)").matches ? "mobile" : "desktop";
}

async function send(events) {
  if (!events.length) return true;
  try {
    const answer = await fetch("/v1/events", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ events }),
      keepalive: true,
    });
    // Read to the end: who leaves the page before that sees the request as broken off.
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

// What the answer said of an item, to be sent back with all that comes of it.
function source(card) {
  const list = card.closest("[data-answer]").dataset;
  return {
    answer_id: list.answer,
    model_version: list.version,
    variant: list.variant,
    rung: list.rung,
    position: Number(card.dataset.place),
    propensity: Number(card.dataset.chance),
    ...(list.query ? { query: list.query } : {}),
  };
}

function made(item, event, from) {
  return { event_id: eventId(), user_id: body.visitor, item_id: item, event, device: device(), ...from };
}

// Impressions go as a beacon: it arrives also where the page is left at once.
function flush() {
  const events = waiting;
  waiting = [];
  if (!events.length) return;
  const sent = navigator.sendBeacon("/v1/events", new Blob([JSON.stringify({ events })], { type: "application/json" }));
  if (!sent) send(events);
}

function seen(card) {
  const from = source(card);
  const key = from.answer_id + " " + card.dataset.item;
  if (SEEN.has(key)) return;
  SEEN.add(key);
  waiting.push(made(card.dataset.item, "impression", from));
}

const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    watcher.unobserve(target);
    seen(target);
  }
}, { threshold: 0.5 });

function watchCards(within) {
  for (const card of within.querySelectorAll(".card[data-item]")) watcher.observe(card);
}

function toast(text, address) {
  const box = document.querySelector(".toast");
  box.textContent = text + " ";
  if (address) {
    const link = document.createElement("a");
    link.href = address;
    link.textContent = "See what comes next";
    box.append(link);
  }
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; }, 8000);
}

async function part(address, options) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, ...options });
  const text = await answer.text();
  const found = new DOMParser().parseFromString(text, "text/html");
  return { ok: answer.ok, found };
}

async function refresh() {
  for (const place of document.querySelectorAll("[data-part]")) {
    const { ok, found } = await part(place.dataset.part);
    if (!ok) continue;
    place.replaceChildren(...found.body.childNodes);
    place.classList.add("fresh");
    place.dataset.fresh = "yes";
    watchCards(place);
  }
}

function from(item) {
  try {
    return JSON.parse(sessionStorage.getItem("from " + item)) || {};
  } catch {
    return {};
  }
}

async function viewed(page) {
  // Who comes back to a page, or loads it again, does not click once more.
  const [entry] = performance.getEntriesByType("navigation");
  const again = entry && entry.type !== "navigate";
  const ok = again || await send([made(page.dataset.item, "click", from(page.dataset.item))]);
  page.dataset.noted = ok ? "yes" : "no";
  if (ok && !again) await refresh();
}

async function act(form) {
  const event = form.dataset.event;
  const item = new FormData(form).get("item");
  const ok = await send([made(item, event, from(item))]);
  toast(ok ? WORDS[event] : "That could not be stored.", ok ? body.feed : null);
  if (ok) await refresh();
}

async function more(link) {
  link.setAttribute("aria-disabled", "true");
  const { ok, found } = await part(link.dataset.more);
  if (!ok) { location.assign(link.href); return; }
  const list = found.querySelector(".grid");
  const further = link.closest(".further");
  const next = found.querySelector(".further");
  const first = list.querySelector(".to-item");
  toast(list.children.length + " more are shown.");
  further.before(list);
  if (next) further.replaceWith(next); else further.remove();
  watchCards(list);
  if (first) first.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const card = event.target.closest(".card[data-item]");
  if (card && event.target.closest(".to-item")) {
    // What is clicked was seen, and the click must not arrive before that.
    seen(card);
    flush();
    sessionStorage.setItem("from " + card.dataset.item, JSON.stringify(source(card)));
  }
  const link = event.target.closest("[data-more]");
  if (link && !event.metaKey && !event.ctrlKey && event.button === 0) {
    event.preventDefault();
    if (!link.hasAttribute("aria-disabled")) more(link);
  }
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-event]")) return;
  event.preventDefault();
  act(event.target);
});

// A page from the browser's memory shows what was true before the last click.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
window.addEventListener("pagehide", flush);
setInterval(flush, 1000);

// Something is being made ready on the server.
if (document.querySelector("[data-again]")) setTimeout(() => location.reload(), 3000);
document.documentElement.classList.add("scripted");
document.querySelectorAll("article.item").forEach(viewed);
watchCards(document);

window.shop = { part, toast, watchCards };
