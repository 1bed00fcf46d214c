// What is above every live page: whether it shows what is so now, the switch that pauses it, and the banner of a lost link.
// And for pages that ask again and again: how often they do.
"use strict";

const words = $("words").dataset;
const link = {
  paused: false,

  // on, off (not yet), paused, lost, or stale: lost for long.
  show(state) {
    const lost = state === "lost" || state === "stale";
    document.body.dataset.live = state;
    $("live").hidden = false;
    $("banner").hidden = !lost;
    write($("banner"), words.reconnecting);
    write($("live-word"), link.paused ? words.paused : state === "on" ? words.live : words.connecting);
  },
};

$("pause")?.addEventListener("click", () => {
  link.paused = !link.paused;
  write($("pause"), link.paused ? words.resume : words.pause);
  document.dispatchEvent(new Event("pause"));
});

/* ---- Asking: often while somebody is there or something comes; seldom when nobody has moved for a minute; not while hidden. */

const EVERY_MS = 2000, SELDOM_MS = 20000, THERE_MS = 60000, LOST_MS = 5000;

// `ask` says whether something came, or null if there is nothing to follow now. `tells`: the head is its own.
function follow(ask, tells = true) {
  let heard = Date.now(), moved = Date.now(), timer = null, busy = false;

  async function loop() {
    clearTimeout(timer);
    busy = true;
    let came = false;
    if (document.hidden || link.paused) heard = Date.now();
    else {
      try {
        came = await ask();
        heard = Date.now();
      } catch { /* The banner says so. */ }
    }
    busy = false;
    if (tells) tell(came);
    timer = setTimeout(loop, came || Date.now() - moved < THERE_MS ? EVERY_MS : SELDOM_MS);
  }

  function tell(came) {
    link.show(Date.now() - heard > LOST_MS ? "lost" : link.paused ? "paused" : "on");
    if (came === null) $("live").hidden = true;
  }

  function now() {
    moved = Date.now();
    if (!busy) loop();
  }

  document.addEventListener("pause", () => {
    if (tells) tell();
    now();
  });
  // Whoever comes back sees at once how it is now.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { heard = Date.now(); now(); } });
  for (const kind of ["pointermove", "pointerdown", "keydown", "scroll"]) {
    document.addEventListener(kind, () => {
      const away = Date.now() - moved >= THERE_MS;
      moved = Date.now();
      if (away) now();
    }, { passive: true });
  }
  if (tells) tell();
  timer = setTimeout(loop, EVERY_MS);
}
