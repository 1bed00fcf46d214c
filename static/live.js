// Keeps a page live: takes fragments from /live/ and puts each in the place of the element with its id.
"use strict";

const BANNER_MS = 3000, STALE_MS = 15000, SILENCE_MS = 20000, LONGEST = { finished: 20, running: 50 };

let socket = null, attempts = 0, lostAt = null, heardAt = 0, clockAhead = 0, wantAll = false;
const held = new Map();    // fragments that came while paused, the newest of each id
const news = new Map();    // what to tell a screen reader: at most one sentence at a time

function place({ id, html, list }) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  const want = template.content.firstElementChild;
  const into = list && $(list);
  let have = $(id);
  // A page of one charger shows some of its parts only; on the wall an unknown part is a reason to ask for all.
  if (!have && !into) { wantAll = !("parts" in words); return; }
  if (have) {
    const before = have.dataset.state;
    if (into && have.parentElement !== into) into.prepend(have);
    morph(have, want);
    const say = want.dataset.say ?? want.querySelector(".tip strong")?.textContent;
    if (say && before !== want.dataset.state) { news.set(id, say); flash(have); }
  } else {
    into.prepend(want);
    flash(want);
  }
  if (list in LONGEST) [...into.children].slice(LONGEST[list]).forEach(remove);
}

function flash(element) {
  element.classList.add("has-changed");
  element.addEventListener("animationend", () => element.classList.remove("has-changed"), { once: true });
}

function apply(fragments) {
  keepFocus(() => fragments.forEach(place));
  readClock();
  if ($("summary")) {
    const attention = Number($("summary").dataset.attention);
    document.title = (attention ? `(${attention}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  }
  tick();
  document.dispatchEvent(new Event("fresh"));  // what reads more than fragments, such as a chart, may do so now
}

/* ---- Ages: every number is live or says how old it is. */

function readClock() { clockAhead = Date.parse(document.querySelector("[data-now]").dataset.now) - Date.now(); }

function tick() {
  const now = Date.now() + clockAhead;
  for (const element of document.querySelectorAll("time[data-ago]")) write(element, ago((now - Date.parse(element.dateTime)) / 1000));
  for (const element of document.querySelectorAll("time[data-left]")) write(element, left((Date.parse(element.dateTime) - now) / 1000));
  for (const element of document.querySelectorAll("time[data-since]")) {
    const minutes = Math.max(0, Math.floor((now - Date.parse(element.dateTime)) / 60000));
    write(element, minutes < 60 ? words.min.replace("{n}", minutes)
      : words.hMin.replace("{h}", Math.floor(minutes / 60)).replace("{n}", String(minutes % 60).padStart(2, "0")));
  }
}

function ago(seconds) {
  seconds = Math.max(0, Math.floor(seconds));
  if (seconds < 60) return words.agoS.replace("{n}", seconds);
  if (seconds < 3600) return words.agoMin.replace("{n}", Math.floor(seconds / 60));
  if (seconds < 172800) return words.agoH.replace("{n}", Math.floor(seconds / 3600));
  return words.agoD.replace("{n}", Math.floor(seconds / 86400));
}

function left(seconds) {
  seconds = Math.max(0, Math.floor(seconds));
  if (seconds < 120) return words.leftS.replace("{n}", seconds);
  if (seconds < 7200) return words.min.replace("{n}", Math.floor(seconds / 60));
  if (seconds < 172800) return words.hMin.replace("{h}", Math.floor(seconds / 3600)).replace("{n}", String(Math.floor(seconds / 60) % 60).padStart(2, "0"));
  return words.leftD.replace("{n}", Math.floor(seconds / 86400));
}

function speak() {
  if (!news.size) return;
  const said = [...news.values()];
  news.clear();
  const more = said.length - 3;
  $("say").textContent = said.slice(0, 3).join(". ") + (more > 0 ? ", " + words.more.replace("{n}", more) : "") + ".";
}

/* ---- The socket. */

function connect() {
  const url = new URL(words.socket, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  heardAt = Date.now();
  socket.onmessage = (event) => {
    heardAt = Date.now();
    attempts = 0;
    if (lostAt && !$("banner").hidden) news.set("link", words.back);
    lostAt = null;
    const { fragments } = JSON.parse(event.data);
    if (link.paused) {
      if (fragments.some(({ id }) => id === "wall")) held.clear();
      for (const fragment of fragments) held.set(fragment.id, fragment);
    }
    else apply(fragments);
    socket.send(wantAll && !link.paused ? "all" : "ok");
    wantAll = false;
    show();
  };
  socket.onclose = ({ code }) => {
    if (code === 4401) location.assign(words.login);
    else if (code === 4403) location.reload();
    else lost(Date.now());
  };
}

function lost(since) {
  lostAt ??= since;
  socket.onclose = socket.onmessage = null;
  socket.close();
  // Half a second, doubled each time up to ten, and never all browsers at once.
  setTimeout(connect, Math.min(10000, 500 * 2 ** attempts++) * (0.5 + Math.random() / 2));
  show();
}

function show() {
  const away = lostAt ? Date.now() - lostAt : 0;
  const state = away > STALE_MS ? "stale" : away > BANNER_MS ? "lost" : link.paused ? "paused" : socket.readyState === 1 ? "on" : "off";
  if (state === "lost" && document.body.dataset.live !== state) news.set("link", words.reconnecting);
  link.show(state);
}

document.addEventListener("pause", () => {
  if (!link.paused && held.size) {
    const all = [...held.values()];
    held.clear();
    apply(all);
    if (wantAll && socket.readyState === 1) { socket.send("all"); wantAll = false; }
  }
  show();
});

readClock();
connect();
setInterval(() => {
  tick();
  speak();
  // A link that died without a word: the server speaks every five seconds.
  if (socket.readyState === 1 && Date.now() - heardAt > SILENCE_MS) lost(heardAt);
  show();
}, 1000);
