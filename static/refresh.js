// Keeps the parts of a page that carry data-refresh as they are on the server: fetches the page again and puts in what differs.
"use strict";

const byId = (id) => document.getElementById(id);
const texts = byId("words").dataset;
// Often while somebody is there; seldom when nobody has moved for a minute; not at all while the page is hidden.
const EVERY_MS = 2000, SELDOM_MS = 20000, THERE_MS = 60000, LOST_MS = 5000;
const parts = () => [...document.querySelectorAll("[data-refresh]")];
let halted = false, heard = Date.now(), moved = Date.now(), ended = false, timer = null;

async function reread() {
  const url = location.href;
  const answer = await fetch(url, { headers: { "X-Requested-With": "refresh" }, cache: "no-store" });
  if (answer.redirected || answer.status === 403 || answer.status === 404) { location.reload(); return; }
  if (!answer.ok) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  heard = Date.now();
  // What was asked for meanwhile, by typing, is newer.
  if (halted || url !== location.href) return;
  for (const have of parts()) {
    const want = page.getElementById(have.id);
    if (!want) continue;
    if (want.dataset.say && want.dataset.say !== have.dataset.say) byId("say").textContent = want.dataset.say;
    put(have, want);
  }
  ended = !page.querySelector("[data-refresh]");
  document.dispatchEvent(new Event("fresh"));
}

function tell() {
  const lost = !document.hidden && Date.now() - heard > LOST_MS;
  document.body.dataset.live = lost ? "lost" : halted ? "paused" : "on";
  byId("banner").hidden = !lost;
  byId("banner").textContent = texts.reconnecting;
  byId("live-word").textContent = lost ? texts.connecting : halted ? texts.paused : texts.live;
  byId("live").hidden = ended;
}

function later() {
  clearTimeout(timer);
  const there = Date.now() - moved < THERE_MS;
  if (!ended) timer = setTimeout(loop, there ? EVERY_MS : SELDOM_MS);
}

async function loop() {
  clearTimeout(timer);
  if (document.hidden || halted) heard = Date.now();
  else await reread().catch(() => {});
  tell();
  later();
}

byId("pause").addEventListener("click", () => {
  halted = !halted;
  byId("pause").textContent = halted ? texts.resume : texts.pause;
  if (halted) tell(); else loop();
});
// Whoever comes back sees at once how it is now.
document.addEventListener("visibilitychange", () => { if (!document.hidden) { moved = heard = Date.now(); loop(); } });
for (const kind of ["pointermove", "keydown", "scroll"]) {
  document.addEventListener(kind, () => {
    const away = Date.now() - moved >= THERE_MS;
    moved = Date.now();
    if (away) loop();
  }, { passive: true });
}

// Texts that are there to be copied.
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const source = byId(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    byId("say").textContent = button.textContent = button.dataset.done;
  } catch {
    getSelection().selectAllChildren(source);  // no clipboard without TLS: it is marked, ready for Ctrl-C
  }
});
for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;

if (parts().length) { tell(); later(); }
