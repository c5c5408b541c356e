// Tells the service what a shopper does on an item's page; everything else works without scripts.
"use strict";

const WORDS = { cart: "In your bag.", purchase: "Bought." };

function eventId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send(shopper, item, event) {
  const answer = await fetch("/v1/events", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      events: [{ event_id: eventId(), user_id: shopper, item_id: item, event, device: device() }],
    }),
    keepalive: true,
  });
  // Read to the end: who leaves the page before that sees the request as broken off.
  await answer.arrayBuffer();
  return answer.ok;
}

function device() {
  return window.matchMedia("(max-width: 640px)").matches ? "mobile" : "desktop";
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

function watchItem(page) {
  const { item, shopper } = page.dataset;
  if (!shopper) return;
  send(shopper, item, "click").then((ok) => { page.dataset.noted = ok ? "yes" : "no"; });
  for (const button of page.querySelectorAll("[data-event]")) {
    button.addEventListener("click", async () => {
      const event = button.dataset.event;
      const ok = await send(shopper, item, event);
      toast(ok ? WORDS[event] : "That could not be stored.", ok ? "/shopper?id=" + encodeURIComponent(shopper) : null);
    });
  }
}

document.querySelectorAll("article.item").forEach(watchItem);
