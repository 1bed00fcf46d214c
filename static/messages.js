// The message log: new rows come in by themselves, keys move along the rows, and a message opens over the list.
"use strict";
{
const SPEAK_MS = 10000, KEPT = 200;
let opener = null, unsaid = 0, saidAt = 0;

const rows = () => [...$("log-rows").rows];
const kept = (row) => row.contains(document.activeElement) || row.contains(opener);

/* ---- The tail: only what is newer than what is here. */

async function ask() {
  const { base, newest } = $("log").dataset;
  if (!newest) return null;  // an older page stays as it is
  const template = document.createElement("template");
  template.innerHTML = (await read(`${location.pathname}${base}format=newer&after=${encodeURIComponent(newest)}`)).trim();
  const log = $("log"), want = template.content.firstElementChild;
  // Meanwhile paused, or filtered anew.
  if (link.paused || log.dataset.base !== base || log.dataset.newest !== newest) return false;
  log.dataset.newest = want.dataset.newest;
  const count = put([...want.rows], "behind" in want.dataset);
  unsaid += count;
  tell();
  return count > 0;
}

function put(found, behind) {
  const fresh = found.filter((row) => !$(row.id));
  // More came than fit: what is here no longer follows on, so it gives way to the newest.
  if (behind && fresh.length === found.length) for (const row of rows()) if (!kept(row)) row.remove();
  for (const row of fresh.reverse()) {
    const next = rows().find((one) => one.dataset.mark < row.dataset.mark) ?? null;
    $("log-rows").insertBefore(row, next);
    row.classList.add("has-changed");
    row.addEventListener("animationend", () => row.classList.remove("has-changed"), { once: true });
  }
  const over = rows().slice(KEPT).filter((row) => !kept(row));
  for (const row of over) row.remove();
  const older = $("log").querySelector("a[rel=next]");
  const last = rows().findLast((row) => !kept(row));
  if (last && (over.length || behind)) {
    older.href = `${$("log").dataset.base}before=${encodeURIComponent(last.dataset.mark)}`;
    older.hidden = false;
  }
  return fresh.length;
}

function tell() {
  if (!unsaid || Date.now() - saidAt < SPEAK_MS) return;
  $("say").textContent = unsaid === 1 ? $("log").dataset.newOne : $("log").dataset.newMany.replace("{n}", unsaid);
  unsaid = 0;
  saidAt = Date.now();
}

// On a charger's page live.js minds the head.
if ($("log")) follow(ask, !("parts" in words));

/* ---- One message, over the list. */

async function open(link) {
  let page;
  try {
    const answer = await fetch(link.href, { cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch { location.assign(link.href); return; }
  opener = link;
  $("opened-body").replaceChildren(page.getElementById("exchange"));
  $("opened-page").href = link.href;
  showCopies();
  $("opened").showModal();
}

$("opened")?.addEventListener("close", () => {
  const back = opener;
  opener = null;
  $("opened-body").replaceChildren();
  back?.focus();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("#log-rows th a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link);
});

/* ---- Keys: letters by way of keys.js, which knows when they are letters. */

function step(by) {
  const links = rows().map((row) => row.querySelector("th a"));
  const now = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  links[now < 0 ? 0 : Math.max(0, Math.min(links.length - 1, now + by))]?.focus();
}

if ($("log")) {
  letters.set("j", () => step(1));
  letters.set("k", () => step(-1));
  letters.set("p", () => $("pause").click());
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (document.querySelector("a[data-back]")) document.querySelector("a[data-back]").click();
  else if (event.target.closest("#log-filter")) {
    (rows()[0]?.querySelector("th a") ?? $("log-rows").closest("[tabindex]")).focus();
    event.preventDefault();  // a search field would empty itself
  }
});
}
