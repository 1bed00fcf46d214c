// Keeps a driver's page as it is on the server while somebody looks at it. The page works without: a button and a link do the same.
"use strict";

const LEAST_MS = 1000;
let timer = null, failures = 0, looking = false, missed = false, lookedAt = 0;
const parts = () => [...document.querySelectorAll("[data-live]")];

async function look() {
  clearTimeout(timer);
  if (looking) { missed = true; return; }
  if (!parts().length) return;
  if (!document.hidden) {
    looking = true;
    lookedAt = Date.now();
    try {
      // Where it leads elsewhere (charging has begun), `readPage` goes there.
      const page = await readPage(location.href);
      failures = 0;
      for (const have of parts()) {
        const want = page.getElementById(have.id);
        if (!want) { location.reload(); return; }
        if (want.dataset.say !== have.dataset.say) write($("say"), want.dataset.say ?? "");
        put(have, want);
      }
      document.title = page.title;
      count();
    } catch { failures += 1; }
    looking = false;
    $("lost").hidden = failures < 2;
  }
  listen();
  if (missed) soon();
  else again();
}

// In as many seconds as the page says: more seldom while a stream tells of changes, or while there is no connection.
function again() {
  clearTimeout(timer);
  const [first] = parts();
  if (!first) return;
  const seconds = Number(stream?.readyState === EventSource.OPEN ? first.dataset.told : first.dataset.live);
  timer = setTimeout(look, 1000 * seconds * Math.min(1 + failures, 5));
}

// At once, but not more often than a person reads.
function soon() {
  missed = false;
  clearTimeout(timer);
  timer = setTimeout(look, Math.max(0, lookedAt + LEAST_MS - Date.now()));
}

// The server tells of each change of a session that runs (`data-stream`), and comes back by itself. Where it does not, the page is
// read every few seconds all the same.
let stream = null;
function listen() {
  const url = document.hidden ? undefined : document.querySelector("[data-stream]")?.dataset.stream;
  if (!url) { stream?.close(); stream = null; return; }
  if (stream) return;
  stream = new EventSource(url);
  stream.addEventListener("session", soon);
  stream.addEventListener("ended", () => { stream.close(); soon(); });
  // Lost: is there still a connection at all? Here again: no need to wait as long as before.
  stream.addEventListener("error", () => { if (!failures) soon(); });
  stream.addEventListener("open", () => { if (failures) soon(); });
}

// Times that run out: 2:58, 2:57, ... By the server's clock, which `data-now` tells.
let told = null, ahead_ms = 0;
function count() {
  for (const element of document.querySelectorAll("[data-until]")) {
    if (element.dataset.now !== told) { told = element.dataset.now; ahead_ms = Date.now() - Date.parse(told); }
    const left_s = Math.max(0, Math.round((Date.parse(element.dataset.until) - Date.now() + ahead_ms) / 1000));
    write(element, `${Math.floor(left_s / 60)}:${String(left_s % 60).padStart(2, "0")}`);
  }
}

listen();
again();
count();
setInterval(count, 1000);
// Whoever comes back to the page, from the lock screen or by the back button, sees at once how it is now.
document.addEventListener("visibilitychange", () => { if (document.hidden) listen(); else look(); });
addEventListener("pageshow", ({ persisted }) => { if (persisted) look(); });
