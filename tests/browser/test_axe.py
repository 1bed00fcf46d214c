"""Every page, in each of its states, judged by axe: in both themes, on a wide screen and on a narrow phone.

The pages are those of the table of addresses; one without an entry in `STATES` of `tests/dashboard/addresses.py` fails. Whenever
tests run every third page is judged as it mostly is, half of them in the light on a wide screen, half in the dark on a phone.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import axe_playwright_python
import pytest
from django.template.loader import render_to_string
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize

from accounts.models import User
from tests.browser.conftest import session_of
from tests.dashboard.addresses import BUTTONS, DATA, FILES, STATES, address, routes
from tests.dashboard.newerrows import TABS, newer_charger
from tests.dashboard.world import LONG_TAG, World, crowd, one_of_each
from tests.database import tables
from tests.network import Network
from tests.servers import Server

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: What depends on the theme, and what on the width. All else is the same in each.
COLOURED = ["color-contrast", "link-in-text-block"]
LAID_OUT = [*COLOURED, "target-size", "scrollable-region-focusable", "css-orientation-lock"]
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 320, "height": 640}
#: Without `preload` axe would fetch the style sheets anew each time, for a rule about media that play by themselves.
RUN = "only => axe.run(document, {runOnly: only, resultTypes: ['violations'], elementRef: false, preload: false})"
#: What can be opened is part of the page. The menus of the navigation would hide it: `test_navigation.py` opens them.
UNFOLD = "document.querySelectorAll('details:not(.nav details)').forEach(one => { one.open = true; })"
TOO_WIDE = """width => [...document.querySelectorAll('body *')]
  .filter(one => one.getBoundingClientRect().right > width && !one.closest('.scroll'))
  .slice(0, 5).map(one => one.outerHTML.slice(0, 160))"""
SUBMIT = """([form, fields]) => {
  const found = document.querySelector(form);
  for (const [name, value] of Object.entries(fields)) found.elements[name].value = value;
  found.submit();
}"""
#: Pages that are looked at at once.
AT_ONCE = 4

Act = Callable[[Page], Awaitable[Any]]
#: A theme, a size, and the rules that depend on them; None: all there are.
Way = tuple[Literal["light", "dark"], ViewportSize, list[str] | None]
OTHER_STATE: list[Way] = [("light", WIDE, None), ("dark", NARROW, COLOURED)]
MAIN_STATE: list[Way] = [("light", WIDE, None), ("dark", WIDE, COLOURED), ("light", NARROW, LAID_OUT), ("dark", NARROW, LAID_OUT)]
IN_SHORT: list[list[Way]] = [[("light", WIDE, None)], [("dark", NARROW, None)]]


@dataclass(frozen=True)
class Case:
    """A page in a state: where it is, who looks at it, and what they do first. `first`: it is the page's main state."""

    name: str
    path: str
    who: str = "ada"
    status: int = 200
    act: Act | None = None
    first: bool = False


def submit(form: str, **fields: str) -> Act:
    """Send a form as it is, without the browser's own checks."""

    async def act(page: Page) -> None:
        async with page.expect_navigation():
            await page.evaluate(SUBMIT, [form, fields])

    return act


def upload(text: str) -> Act:
    async def act(page: Page) -> None:
        await page.set_input_files("[name=file]", {"name": "tags.csv", "mimeType": "text/csv", "buffer": text.encode()})
        await submit("main form")(page)

    return act


async def type_question_mark(page: Page) -> None:
    await page.keyboard.press("?")
    await page.locator("dialog[open]").wait_for()


async def add_a_row(page: Page) -> None:
    await page.locator("button[value='add:night']").click()
    await page.locator(".tariff-row").wait_for()


def cases(world: World, newer: str) -> list[Case]:
    """Every page in every state. `newer` is a charger that speaks the later version, in which most tabs have more."""
    found = [
        Case(f"{name}?{query}", address(name, world, query), "nobody" if name == "login" else "ada", first=query == queries[0])
        for name, queries in STATES.items()
        for query in queries
    ]
    of_another = [
        f"/stations/{world.unheard.identity}/?tab={tab}" for tab in ("overview", "commands", "configuration", "messages", "logs")
    ]
    found += [Case(f"unheard charger {path[-8:]}", path) for path in of_another]
    found += [Case(f"newer charger {tab}", f"/stations/{newer}/?tab={tab}", first=True) for tab in TABS]
    found += [Case(f"newer charger {tab}, viewer", f"/stations/{newer}/?tab={tab}", "ben") for tab in TABS]
    found += [
        Case("finished session", f"/transactions/{world.done.pk}/"),
        Case("doubtful session", f"/transactions/{world.doubtful.pk}/"),
        Case("offline charger", f"/stations/{world.offline.identity}/?tab=commands&do=restart"),
        *(Case(f"empty {path}", path, "eve") for path in ("/", "/stations/", "/transactions/", "/id-tags/", "/onboarding/")),
        *(Case(f"empty {path}", path, "eve") for path in ("/messages/", "/commands/", "/audit/", "/logs/")),
        *(Case(f"crowded {path}", path, "cat") for path in ("/", "/?kiosk=1", "/stations/")),
        *(
            Case(f"viewer {query}", address("station", world, query), "ben")
            for query in ("tab=commands", "tab=configuration", "tab=logs")
        ),
        Case("404", "/nowhere/", status=404),
        Case("403", address("id_tag_add", world), "ben", status=403),
        Case("400", "/transactions/?before=x", status=400),
        Case("too old", address("id_tag_add", world), act=submit_without_token),
        Case("500", "/broken/", status=500),
        Case("keys", "/", act=type_question_mark),
        Case("wrong password", "/login/", "nobody", act=submit("main form", login="eve@example.org", password="x")),
        *(Case(f"empty {path}", path, "eve") for path in ("/tariffs/", "/tariffs/what-if/", "/tariffs/prices/")),
        Case("tariff refused", "/tariffs/add/", act=submit("#tariff-form", name="")),
        Case("tariff by night", "/tariffs/add/", act=add_a_row),
        Case("import refused", "/tariffs/import/", act=submit("main form", text="{")),
        Case("tariff assigned twice", address("tariff", world), act=submit("#assign", station=world.station.identity)),
        Case("tag refused", "/id-tags/add/", act=submit("main form.sheet")),
        Case("tag known", "/id-tags/add/", act=submit("main form.sheet", value=LONG_TAG)),
        Case("tag blocked", "/id-tags/", act=submit(".cell-actions form")),
        Case("no file", "/id-tags/import/", act=submit("main form")),
        Case("bad file", "/id-tags/import/", act=upload("value,status\nX,Blue\n")),
        Case("good file", "/id-tags/import/", act=upload("value,note\nNEW-ONE,of Dee\n")),
        Case("registered already", "/onboarding/", act=submit("#register form.one-line", identity=world.station.identity)),
        Case("registered", "/onboarding/", act=submit("#register form.one-line", identity=f"{world.network.prefix}-FRESH")),
        Case("log refused", address("station", world, "tab=logs"), act=submit(".log-more form", since="2999-01-01T00:00")),
        Case("run refused", address("runs", world, "all=on&do=restart"), act=submit("form.ask")),
        Case("view saved", address("stations", world, "q=S"), act=submit("#save-view form", name="All with an S")),
        Case("command refused", address("station", world, "tab=commands&do=restart"), act=submit("form.ask")),
        Case("start refused", address("station", world, "tab=commands&do=start"), act=submit("form.ask")),
        Case(
            "setting refused",
            address("station", world, "tab=configuration"),
            act=submit("form.setting", variable=str(world.fixed.pk)),
        ),
        Case("asked to stop", address("transaction", world), act=submit("form.stop")),
    ]
    return found


async def submit_without_token(page: Page) -> None:
    await page.evaluate("document.querySelector('main [name=csrfmiddlewaretoken]').remove()")
    await submit("main form")(page)


async def judge(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe finds wrong, a line for each place."""
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    found = await page.evaluate(RUN, only)
    return [
        f"{one['id']}: {node['html'][:160]} – {node['failureSummary'].splitlines()[-1].strip()}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


async def look(page: Page, case: Case, http: str, ways: list[Way]) -> tuple[str, dict[str, list[str]]]:
    """Open it, and look at it in each way. Returns its title, and what is wrong with it."""
    answer = await page.goto(http + case.path)
    assert answer is not None
    await page.evaluate(UNFOLD)
    if case.act:
        await case.act(page)
        await page.evaluate(UNFOLD)
    wrong: dict[str, list[str]] = defaultdict(list)
    if not case.act and answer.status != case.status:
        wrong["status"].append(str(answer.status))
    await page.evaluate(AXE)
    for theme, size, rules in ways:
        await page.emulate_media(color_scheme=theme)
        await page.set_viewport_size(size)
        wrong[f"{theme}, {size['width']}"] = await judge(page, rules)
    await page.set_viewport_size(NARROW)
    if (width := await page.evaluate("document.documentElement.scrollWidth")) > NARROW["width"]:
        wrong["narrow"] += [f"it is {width} pixels wide", *await page.evaluate(TOO_WIDE, NARROW["width"])]
    if (headings := await page.locator("h1").count()) != 1:
        wrong["headings"].append(f"{headings} of the first level")
    return await page.title(), {where: lines for where, lines in wrong.items() if lines}


@asynccontextmanager
async def people(browser: Browser, server: Server, users: dict[str, User | None]) -> AsyncIterator[dict[str, BrowserContext]]:
    """A browser context each, in which one address is broken."""
    contexts: dict[str, BrowserContext] = {}
    broken = render_to_string("500.html").replace("/static/app.css", f"{server.http}/static/app.css")
    for name, user in users.items():
        contexts[name] = context = await browser.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce")
        if user:
            await context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": server.http}])
        await context.route("**/broken/", lambda route: route.fulfill(status=500, content_type="text/html", body=broken))
    yield contexts
    for context in contexts.values():
        await context.close()


def test_every_page_has_its_states() -> None:
    assert routes() == {*STATES, *FILES, *DATA, *BUTTONS}
    assert all(STATES.values())


async def test_axe_finds_what_is_wrong(chromium: Browser) -> None:
    page = await chromium.new_page()
    await page.set_content("<main><input><p style='color: #aaa'>faint</p></main>")
    await page.evaluate(AXE)
    assert {line.split(":")[0] for line in await judge(page)} >= {"label", "color-contrast", "document-title", "html-has-lang"}
    assert {line.split(":")[0] for line in await judge(page, COLOURED)} == {"color-contrast"}


def looks(world: World, newer: str, short: bool) -> list[tuple[Case, list[Way]]]:
    """What is looked at, and how: every third page as it mostly is in one way, or all that there is in all ways."""
    every = cases(world, newer)
    if short:
        mostly = [case for case in every if case.first or case.status != 200]
        return [(case, IN_SHORT[number % 2]) for number, case in enumerate(mostly[::3])]
    return [(case, MAIN_STATE if case.first else OTHER_STATE) for case in every]


@pytest.mark.parametrize("short", [True, pytest.param(False, marks=pytest.mark.long)], ids=["mostly", "in each state and way"])
async def test_axe_finds_nothing_on_any_page(chromium: Browser, uvicorn: Server, network: Network, short: bool) -> None:
    world, many = one_of_each(network), tables(Network)()
    newer = newer_charger(network, world.image).identity
    if not short:
        crowd(many)
    users = {"ada": network.user(), "ben": network.user("ben", role="viewer"), "cat": many.user("cat"), "nobody": None}
    users["eve"] = tables(Network)().user("eve")
    titles: dict[str, set[str]] = defaultdict(set)
    wrong: dict[str, Any] = {}
    free = asyncio.Semaphore(AT_ONCE)
    spare: dict[str, list[Page]] = defaultdict(list)
    async with people(chromium, uvicorn, users) as contexts:

        async def one(case: Case, ways: list[Way]) -> None:
            async with free:
                page = spare[case.who].pop() if spare[case.who] else await contexts[case.who].new_page()
                title, found = await look(page, case, uvicorn.http, ways)
                url = urlsplit(page.url)
                titles[title].add(url.path + "".join(parse_qs(url.query).get("tab", [])))
                if found:
                    wrong[case.name] = found
                await page.emulate_media(color_scheme="light")
                await page.set_viewport_size(WIDE)
                spare[case.who].append(page)

        await asyncio.gather(*(one(case, ways) for case, ways in looks(world, newer, short)))
    assert wrong == {}
    assert "" not in titles
    assert {title: pages for title, pages in titles.items() if len(pages) > 1} == {}
