// Lists that follow what is typed, without it being sent; parts of a page that are read again when a command is done; boxes to tick,
// texts to copy, and menus that close by themselves.
"use strict";

async function refresh(id, url) {
  let page;
  try { page = await readPage(url); } catch { return; }
  const want = page.getElementById(id), have = $(id);
  if (want && have) put(have, want);
}

let waiting = null, asked = 0;
function typed(event) {
  // A field that the list follows, or a form all of whose fields it does.
  const field = event.target.closest("[data-typeahead]");
  if (!field) return;
  const form = field.form ?? field;
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const number = ++asked;
    const given = [...new FormData(form)].filter(([, value]) => value !== "");
    const url = `${location.pathname}?${new URLSearchParams(given)}`;
    await refresh(field.dataset.typeahead, url);
    if (number === asked) history.replaceState(null, "", url);
  }, 250);
}
document.addEventListener("input", typed);

// A form that is not filled in leaves no empty names in the address.
document.addEventListener("submit", ({ target }) => {
  if (target.method !== "get") return;
  for (const field of target.elements) if (field.name && field.value === "") field.disabled = true;
});
addEventListener("pageshow", () => document.querySelectorAll("form[method=get] :disabled").forEach((field) => { field.disabled = false; }));

const commands = document.querySelector("[data-refreshes]");
if (commands) {
  new MutationObserver((changes) => {
    if (changes.some(({ target }) => target.dataset?.state === "confirmed")) refresh(commands.dataset.refreshes, location.href);
  }).observe(commands, { subtree: true, attributes: true, attributeFilter: ["data-state"] });
}

// One box that ticks all others of its kind, and a count of those that are ticked.
function ticked() {
  const boxes = [...document.querySelectorAll("[data-tick]")];
  const n = boxes.filter((box) => box.checked).length;
  const all = document.querySelector("[data-tick-all]");
  if (all) { all.checked = n > 0 && n === boxes.length; all.indeterminate = n > 0 && n < boxes.length; }
  for (const count of document.querySelectorAll("[data-ticked]")) count.textContent = n;
}
document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-tick-all]")) for (const box of document.querySelectorAll("[data-tick]")) box.checked = target.checked;
  ticked();
});
addEventListener("pageshow", ticked);
document.addEventListener("put", ticked);

// Texts that are there to be copied.
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const source = $(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = button.dataset.done;
    if ($("say")) $("say").textContent = button.dataset.done;
  } catch {
    source.closest("details")?.setAttribute("open", "");
    getSelection().selectAllChildren(source);  // no clipboard without TLS: it is marked, ready for Ctrl-C
  }
});
function showCopies() { for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false; }
showCopies();

// A menu of the navigation closes with Escape, and when one goes on elsewhere.
const openMenu = () => document.querySelector(".nav details[open]");
function leaveMenu({ target }) {
  const menu = openMenu();
  if (menu && !menu.contains(target)) menu.open = false;
}
document.addEventListener("click", leaveMenu);
document.addEventListener("focusin", leaveMenu);
document.addEventListener("keydown", (event) => {
  const menu = openMenu();
  if (event.key !== "Escape" || event.defaultPrevented || !menu || document.querySelector("dialog[open]")) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.preventDefault();
});
