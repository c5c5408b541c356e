// "Why this?" over the page instead of on one of its own. The dialog keeps the focus, and gives it back when it closes.
"use strict";

function panel() {
  let dialog = document.querySelector("dialog.why-panel");
  if (dialog) return dialog;
  dialog = document.createElement("dialog");
  dialog.className = "why-panel";
  dialog.setAttribute("aria-labelledby", "why-title");
  dialog.innerHTML = '<button class="close" type="button" aria-label="Close">×</button><div class="why-content" aria-live="polite"></div>';
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  // A click beside it falls on the dialog itself, one inside on what is in it.
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  return dialog;
}

function waitingFor(content) {
  const text = document.createElement("p");
  text.className = "kind waiting";
  text.id = "why-title";
  text.textContent = "Looking for the reasons …";
  content.replaceChildren(text);
}

async function tell(link) {
  const dialog = panel();
  const content = dialog.querySelector(".why-content");
  waitingFor(content);
  dialog.showModal();
  const address = new URL(link.href);
  address.searchParams.set("part", "1");
  try {
    const { found } = await window.shop.part(address);
    const told = found.querySelector(".reasons") || found.querySelector("main");
    content.replaceChildren(told);
    dialog.dataset.told = "yes";
  } catch {
    location.assign(link.href);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.why");
  if (link && !event.metaKey && !event.ctrlKey && event.button === 0) {
    event.preventDefault();
    tell(link);
  }
  const heat = event.target.closest("[data-heat]");
  if (heat) {
    const shown = heat.getAttribute("aria-pressed") !== "true";
    heat.setAttribute("aria-pressed", String(shown));
    heat.closest("figure").classList.toggle("bare", !shown);
  }
});
