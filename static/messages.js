// The message log: new rows come in by themselves, keys move along the rows, and a message opens over the list.
"use strict";
{
const byId = (id) => document.getElementById(id);
const SOON_MS = 1000, SELDOM_MS = 10000, LOST_MS = 15000, SPEAK_MS = 10000, KEPT = 200;
// On a charger's page live.js minds the switch and the banner; here only if it is not there.
const alone = byId("words") && !("parts" in byId("words").dataset);
let halted = false, wait = SOON_MS, timer = 0, heard = Date.now(), opener = null, unsaid = 0, saidAt = 0;

const rows = () => [...byId("log-rows").rows];
const kept = (row) => row.contains(document.activeElement) || row.contains(opener);

/* ---- The tail: only what is newer than what is here. */

async function ask() {
  const { base, newest } = byId("log").dataset;
  if (!newest) return;  // an older page stays as it is
  const answer = await fetch(`${location.pathname}${base}format=newer&after=${encodeURIComponent(newest)}`, { cache: "no-store" });
  if (answer.redirected || answer.status === 403 || answer.status === 404) { location.reload(); return; }
  if (!answer.ok) throw new Error(answer.status);
  const template = document.createElement("template");
  template.innerHTML = (await answer.text()).trim();
  heard = Date.now();
  const log = byId("log"), want = template.content.firstElementChild;
  // Meanwhile paused, or filtered anew.
  if (halted || log.dataset.base !== base || log.dataset.newest !== newest) return;
  log.dataset.newest = want.dataset.newest;
  put([...want.rows], "behind" in want.dataset);
}

function put(found, behind) {
  const fresh = found.filter((row) => !byId(row.id));
  // More came than fit: what is here no longer follows on, so it gives way to the newest.
  if (behind && fresh.length === found.length) for (const row of rows()) if (!kept(row)) row.remove();
  for (const row of fresh.reverse()) {
    const next = rows().find((one) => one.dataset.mark < row.dataset.mark) ?? null;
    byId("log-rows").insertBefore(row, next);
    row.classList.add("has-changed");
    row.addEventListener("animationend", () => row.classList.remove("has-changed"), { once: true });
  }
  const over = rows().slice(KEPT).filter((row) => !kept(row));
  for (const row of over) row.remove();
  const older = byId("log").querySelector("a[rel=next]");
  const last = rows().findLast((row) => !kept(row));
  if (last && (over.length || behind)) {
    older.href = `${byId("log").dataset.base}before=${encodeURIComponent(last.dataset.mark)}`;
    older.hidden = false;
  }
  wait = fresh.length ? SOON_MS : Math.min(wait * 1.5, SELDOM_MS);
  unsaid += fresh.length;
}

function tell() {
  if (unsaid && Date.now() - saidAt > SPEAK_MS) {
    byId("say").textContent = unsaid === 1 ? byId("log").dataset.newOne : byId("log").dataset.newMany.replace("{n}", unsaid);
    unsaid = 0;
    saidAt = Date.now();
  }
  if (!alone) return;
  const words = byId("words").dataset, lost = Date.now() - heard > LOST_MS + wait;
  document.body.dataset.live = lost ? "lost" : halted ? "paused" : "on";
  byId("banner").hidden = !lost;
  byId("banner").textContent = words.reconnecting;
  byId("live-word").textContent = lost ? words.connecting : halted ? words.paused : words.live;
  byId("live").hidden = !byId("log").dataset.newest;
}

async function loop() {
  clearTimeout(timer);
  timer = 0;
  if (halted || document.hidden) heard = Date.now();
  else await ask().catch(() => { wait = Math.min(wait * 2, SELDOM_MS); });
  tell();
  clearTimeout(timer);
  timer = setTimeout(loop, wait);
}

function soon() {
  wait = SOON_MS;
  if (timer) loop();
}

if (byId("log")) {
  byId("pause").addEventListener("click", () => {
    halted = !halted;
    if (alone) byId("pause").textContent = halted ? byId("words").dataset.resume : byId("words").dataset.pause;
    soon();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  document.addEventListener("pointerdown", () => { wait = SOON_MS; });
  timer = setTimeout(loop, SOON_MS);
  tell();
}

/* ---- One message, over the list. */

async function open(link) {
  let page;
  try {
    const answer = await fetch(link.href, { cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch { location.assign(link.href); return; }
  opener = link;
  byId("opened-body").replaceChildren(page.getElementById("exchange"));
  byId("opened-page").href = link.href;
  showCopies();
  byId("opened").showModal();
}

byId("opened")?.addEventListener("close", () => {
  const back = opener;
  opener = null;
  byId("opened-body").replaceChildren();
  back?.focus();
});

function showCopies() { for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false; }
showCopies();

document.addEventListener("click", async (event) => {
  const link = event.target.closest("#log-rows th a");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); open(link); return; }
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = byId(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = button.dataset.done;
  } catch {
    source.closest("details")?.setAttribute("open", "");
    getSelection().selectAllChildren(source);  // no clipboard without TLS: it is marked, ready for Ctrl-C
  }
});

/* ---- Keys. */

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || byId("opened")?.open) return;
  if (key === "Escape") {
    if (document.querySelector("a[data-back]")) document.querySelector("a[data-back]").click();
    else if (target.closest("#log-filter")) {
      (rows()[0]?.querySelector("th a") ?? byId("log-rows").closest("[tabindex]")).focus();
      event.preventDefault();  // a search field would empty itself
    }
    return;
  }
  if (!byId("log") || target.closest("input, select, textarea")) return;
  if (key === "j" || key === "k") {
    const links = rows().map((row) => row.querySelector("th a"));
    const now = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    links[now < 0 ? 0 : Math.max(0, Math.min(links.length - 1, now + (key === "j" ? 1 : -1)))]?.focus();
  } else if (key === "/") byId("q").focus();
  else if (key === "p") byId("pause").click();
  else return;
  event.preventDefault();
});
}
