// What the wall does beside staying live: the icon of its tab, a sound if wanted, and tips that can be dismissed.
"use strict";

/* ---- The icon carries a badge while a plug needs somebody. */

const tabIcon = $("icon");
function badge() {
  const href = Number($("summary").dataset.attention) ? tabIcon.dataset.alert : tabIcon.dataset.well;
  if (tabIcon.getAttribute("href") !== href) tabIcon.setAttribute("href", href);
}

/* ---- A sound for plugs that newly became faulted or went offline; off unless asked for, remembered in this browser. */

const sound = $("sound"), SOUND = "wall.sound";
const bad = () => new Set([...document.querySelectorAll("[id^=connector-]:is(.is-faulted, .is-offline)")].map(({ id }) => id));
let known = bad(), audio = null;

function wake() {
  audio ??= new AudioContext();
  // Until somebody has touched the page the browser keeps it silent.
  audio.resume().then(asleep, asleep);
  asleep();
}
function asleep() { $("sound-asleep").hidden = !sound.checked || audio?.state === "running"; }

function chime() {
  if (audio?.state !== "running") return;
  for (const [after, pitch] of [[0, 660], [0.22, 440]]) {
    const tone = audio.createOscillator(), volume = audio.createGain(), at = audio.currentTime + after;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.15, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.2);
  }
  sound.dataset.heard = Number(sound.dataset.heard) + 1;
}

function listen() {
  const now = bad();
  if (sound?.checked && [...now].some((id) => !known.has(id))) chime();
  known = now;
}

if (sound) {
  $("sound-choice").hidden = false;
  try { sound.checked = localStorage.getItem(SOUND) === "on"; } catch { /* A browser that remembers nothing. */ }
  sound.addEventListener("change", () => {
    try { localStorage.setItem(SOUND, sound.checked ? "on" : "off"); } catch { /* The same. */ }
    if (sound.checked) wake(); else asleep();
  });
  if (sound.checked) wake();
  for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => { if (sound.checked && audio?.state !== "running") wake(); });
}

document.addEventListener("fresh", () => { badge(); listen(); });

/* ---- Small shapes breathe together, in two steps: a thousand animations would keep the browser busy. */

setInterval(() => { document.body.dataset.beat = document.body.dataset.beat === "out" ? "in" : "out"; }, 1400);

/* ---- Escape hides the tip one points at or stands on, until the next. */

addEventListener("keydown", ({ key }) => { if (key === "Escape") document.body.dataset.tips = "off"; });
for (const moved of ["pointerover", "focusin"]) {
  document.addEventListener(moved, ({ target }) => { if (target.closest?.(".bead")) delete document.body.dataset.tips; });
}
