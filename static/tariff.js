// The form of a tariff: its sentence as one types, and rows that come and go without the page being loaded anew. The same buttons
// post the form where there is no script.
"use strict";

{
  const form = $("tariff-form");
  let waiting = null, asked = 0, plain = false;

  async function post(what) {
    const body = new FormData(form);
    body.set("do", what);
    const answer = await fetch(location.href, { method: "POST", body, signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer.redirected || (!answer.ok && answer.status !== 422)) { location.reload(); return new Promise(() => {}); }
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  function say(page) {
    const want = page.getElementById("tariff-sentence"), have = $("tariff-sentence");
    if (want && have.textContent !== want.textContent) have.replaceChildren(...want.childNodes);
  }

  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const number = ++asked;
      try {
        const page = await post("preview");
        if (number === asked) say(page);
      } catch { /* The next key asks again; Preview shows what is wrong. */ }
    }, 300);
  }
  form.addEventListener("input", later);

  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (plain || !button || !("rows" in button.dataset)) return;
    event.preventDefault();
    clearTimeout(waiting);
    const number = ++asked;
    let page;
    try { page = await post(button.value); } catch { plain = true; form.requestSubmit(button); return; }
    if (number !== asked) return;
    $("tariff-rows").replaceWith(page.getElementById("tariff-rows"));
    say(page);
    const rows = [...document.querySelectorAll(".tariff-row")];
    const at = button.value.startsWith("add:") ? rows.at(-1) : null;
    (at?.querySelector("input:not([type=hidden])") ?? document.querySelector(".tariff-begun button")).focus();
  });
}
