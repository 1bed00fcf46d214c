// Keeps the parts of a page that carry data-refresh as they are on the server: fetches the page again and puts in what differs.
"use strict";

const byId = (id) => document.getElementById(id);
const texts = byId("words").dataset;
const EVERY_MS = 2000, LOST_MS = 5000;
// Every rendering of a form has another token; that is no difference.
const bare = (part) => part.innerHTML.replace(/name="csrfmiddlewaretoken" value="\w*"/g, "");
const parts = () => [...document.querySelectorAll("[data-refresh]")];
const shown = new Map(parts().map((part) => [part.id, bare(part)]));
let halted = false, heard = Date.now(), ended = false;

async function refresh() {
  const answer = await fetch(location.href, { headers: { "X-Requested-With": "refresh" }, cache: "no-store" });
  if (answer.redirected || answer.status === 403 || answer.status === 404) { location.reload(); return; }
  if (!answer.ok) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  heard = Date.now();
  if (halted) return;
  for (const have of parts()) {
    const want = page.getElementById(have.id);
    // Whoever stands on it keeps it until they move on.
    if (!want || shown.get(have.id) === bare(want) || have.matches(":focus-within")) continue;
    shown.set(have.id, bare(want));
    have.innerHTML = want.innerHTML;
    have.className = want.className;
    if (want.dataset.say && want.dataset.say !== have.dataset.say) byId("say").textContent = want.dataset.say;
    have.dataset.say = want.dataset.say ?? "";
  }
  ended = !page.querySelector("[data-refresh]");
  document.dispatchEvent(new Event("fresh"));
}

function tell() {
  const lost = Date.now() - heard > LOST_MS;
  document.body.dataset.live = lost ? "lost" : halted ? "paused" : "on";
  byId("banner").hidden = !lost;
  byId("banner").textContent = texts.reconnecting;
  byId("live-word").textContent = lost ? texts.connecting : halted ? texts.paused : texts.live;
  byId("live").hidden = ended;
}

async function loop() {
  if (!document.hidden && !halted) await refresh().catch(() => {});
  else heard = Date.now();
  tell();
  if (!ended) setTimeout(loop, EVERY_MS);
}

byId("pause").addEventListener("click", () => {
  halted = !halted;
  byId("pause").textContent = halted ? texts.resume : texts.pause;
  tell();
});

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

if (parts().length) { tell(); setTimeout(loop, EVERY_MS); }
