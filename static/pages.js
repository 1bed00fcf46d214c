// Lists that follow what is typed, without it being sent; and parts of a page that are read again when a command is done.
"use strict";

async function refresh(id, url) {
  let answer;
  try { answer = await fetch(url, { headers: { Accept: "text/html" } }); } catch { return; }
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const want = page.getElementById(id), have = document.getElementById(id);
  if (!want || !have) return;
  put(have, want);
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
