// Keeps a driver's page as it is on the server while somebody looks at it. The page works without: a button and a link do the same.
"use strict";

let timer = null, failures = 0;
const parts = () => [...document.querySelectorAll("[data-live]")];

async function look() {
  clearTimeout(timer);
  if (!parts().length) return;
  if (!document.hidden) {
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
    $("lost").hidden = failures < 2;
  }
  again();
}

// In as many seconds as the page says; while there is no connection, more seldom.
function again() {
  const [first] = parts();
  if (first) timer = setTimeout(look, 1000 * Number(first.dataset.live) * Math.min(1 + failures, 5));
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

again();
count();
setInterval(count, 1000);
// Whoever comes back to the page, from the lock screen or by the back button, sees at once how it is now.
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
addEventListener("pageshow", ({ persisted }) => { if (persisted) look(); });
