// Keys for every page: ? tells which there are, g and a letter go to a page, / goes to the search field. A page's own letters are in
// `letters`. All of them can be turned off, in this browser.
"use strict";

const letters = new Map();
{
  const dialog = $("keys");
  const OFF = "keys.off";
  const SECOND_KEY_MS = 1500;
  let going = 0;  // when g was pressed

  const typing = (element) => element.isContentEditable || element.matches("textarea, select")
    || (element.matches("input") && !["checkbox", "radio", "button", "submit", "reset", "file"].includes(element.type));

  function search() {
    const field = document.querySelector("main [role=search] input:not([type=hidden])");
    if (!field) return false;
    field.focus();
    field.select();
    return true;
  }

  function go(key) {
    const to = dialog.querySelector(`[data-key="${CSS.escape(key)}"]`)?.dataset.to;
    if (to) location.assign(to);
    return Boolean(to);
  }

  const off = dialog.querySelector("#keys-off");
  try { off.checked = localStorage.getItem(OFF) === "yes"; } catch { /* A browser that remembers nothing. */ }
  off.addEventListener("change", () => {
    try { localStorage.setItem(OFF, off.checked ? "yes" : "no"); } catch { /* The same. */ }
  });
  $("keys-button").hidden = false;
  $("keys-button").addEventListener("click", () => dialog.showModal());

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.isComposing || off.checked) return;
    if (event.repeat && !["j", "k"].includes(key)) return;
    // Shift alone is how many keyboards make ? and /.
    if (event.ctrlKey || event.altKey || event.metaKey || key === "Shift") return;
    if (typing(target) || document.querySelector("dialog[open]")) { going = 0; return; }
    const second = event.timeStamp - going < SECOND_KEY_MS && going > 0;
    going = 0;
    let done = false;
    if (second) done = go(key);
    else if (key === "g") { going = event.timeStamp; done = true; }
    else if (key === "/") done = search();
    else if (key === "?") { dialog.showModal(); done = true; }
    else if (letters.has(key)) { letters.get(key)(); done = true; }
    if (done) event.preventDefault();
  });
}
