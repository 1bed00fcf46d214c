// What all pages' scripts share: reading again, and changing of a part of a page what differs and nothing else, so that focus,
// selection and what is being filled in stay where they are.
"use strict";

const $ = (id) => document.getElementById(id);
const ANSWER_MS = 10000;

function write(element, text) { if (element.textContent !== text) element.textContent = text; }

// What is at an address now. Whoever may not see it any more is shown why, by the page itself.
async function read(url, headers = {}) {
  const answer = await fetch(url, { headers, cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
  if (answer.redirected || answer.status === 403 || answer.status === 404) { location.reload(); return new Promise(() => {}); }
  if (!answer.ok) throw new Error(answer.status);
  return answer.text();
}

async function readPage(url, headers) { return new DOMParser().parseFromString(await read(url, headers), "text/html"); }

function morph(have, want) {
  for (const { name, value } of want.attributes) if (have.getAttribute(name) !== value) have.setAttribute(name, value);
  // What a person has opened stays open.
  for (const { name } of [...have.attributes]) if (!want.hasAttribute(name) && name !== "open") have.removeAttribute(name);
  const keyed = new Map([...have.children].filter((child) => child.id).map((child) => [child.id, child]));
  let next = have.firstChild;
  for (const child of [...want.childNodes]) {
    let match = null;
    if (child.id) match = keyed.get(child.id) ?? null;
    else if (next && !next.id && next.nodeName === child.nodeName) match = next;
    if (!match) { have.insertBefore(child, next); continue; }
    if (match !== next) have.insertBefore(match, next);
    next = match.nextSibling;
    if (match.nodeType !== Node.ELEMENT_NODE) { if (match.nodeValue !== child.nodeValue) match.nodeValue = child.nodeValue; }
    else morph(match, child);
  }
  while (next) { const gone = next; next = next.nextSibling; remove(gone); }
}

function remove(node) {
  // Whoever stands on it keeps it until they move on.
  if (node.contains(document.activeElement)) node.addEventListener("focusout", () => node.remove(), { once: true });
  else node.remove();
}

// Morphs a part, and gives the focus back to what was moved with it.
function put(have, want) {
  keepFocus(() => morph(have, want));
  document.dispatchEvent(new Event("put"));
}

function keepFocus(change) {
  const focused = document.activeElement;
  change();
  if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}
