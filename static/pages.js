// Lists that follow what is typed, without it being sent; and parts of a page that are read again when a command is done.
"use strict";

async function refresh(id, url) {
  let answer;
  try { answer = await fetch(url, { headers: { Accept: "text/html" } }); } catch { return; }
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const want = page.getElementById(id), have = document.getElementById(id);
  if (!want || !have) return;
  // live.js changes only what differs, so that what somebody has opened or is filling in stays.
  if (typeof morph === "function") morph(have, want);
  else have.replaceWith(want);
}

let waiting = null, asked = 0;
function typed(event) {
  const field = event.target.closest("[data-typeahead]");
  if (!field) return;
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const number = ++asked;
    const given = [...new FormData(field.form)].filter(([, value]) => value !== "");
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
