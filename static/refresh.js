// Keeps the parts of a page that carry data-refresh as they are on the server: fetches the page again and puts in what differs.
"use strict";

{
  const parts = () => [...document.querySelectorAll("[data-refresh]")];
  let ended = false;

  async function reread() {
    if (ended) return null;
    // What answers a form that was not filled in right stands at an address that cannot be read.
    const url = location.href;
    const page = await readPage(parts().find(({ dataset }) => dataset.at)?.dataset.at ?? url, { "X-Requested-With": "refresh" });
    // What was asked for meanwhile, by typing, is newer.
    if (link.paused || url !== location.href) return false;
    for (const have of parts()) {
      const want = page.getElementById(have.id);
      if (!want) continue;
      if (want.dataset.say && want.dataset.say !== have.dataset.say) $("say").textContent = want.dataset.say;
      put(have, want);
    }
    document.dispatchEvent(new Event("fresh"));
    ended = !page.querySelector("[data-refresh]");
    // Whoever waits at a charger does not move the pointer.
    return ended ? null : parts().some(({ dataset }) => "often" in dataset);
  }

  if (parts().length) follow(reread);
}
