"""Every page of the drivers in each of its states, on a phone, in both themes: judged by axe, by the size of what a thumb must hit,
and by its weight; and what comes out of a printer."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scopes_disabled
from playwright.async_api import Browser, BrowserContext, Page

from accounts.models import User
from billing.issued import token_of as token_of_receipt
from stations.models import Command, Connector
from tests.browser.conftest import session_of
from tests.browser.test_axe import AT_ONCE, AXE, COLOURED, judge, submit
from tests.browser.test_driver import PHONE
from tests.dashboard.rows import bill, finished, issued, plug, sample, seen, session
from tests.database import tables
from tests.driver.dee import driver_of, token_of
from tests.driver.test_plugs import asked, page_of
from tests.driver.test_tenants import BUTTONS, NAMED, OWN, PUBLIC
from tests.network import Network
from tests.servers import Server

#: What is no larger than a thumb and not within a sentence.
TOO_SMALL = """() => [...document.querySelectorAll('a, button, select, input:not([type=hidden])')]
  .filter(one => one.checkVisibility() && !one.matches('.skip') && getComputedStyle(one).display !== 'inline')
  .filter(one => one.getBoundingClientRect().height < 44)
  .map(one => `${one.getBoundingClientRect().height}: ${one.outerHTML.slice(0, 120)}`)"""
TOO_WIDE = """() => document.documentElement.scrollWidth > innerWidth
  ? [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth)
    .slice(0, 5).map(one => one.outerHTML.slice(0, 120)) : []"""
MOST_BYTES = 60_000
#: Looked at in each run. The others differ from these by a word or a sentence: `make test-long`.
MOSTLY = {
    *("free", "Charging", "start accepted", "start rejected", "no such plug", "choose", "sign in", "sign up refused"),
    *("home", "running", "stop refused", "receipt", "receipt by its link", "account", "password refused", "delete refused"),
}

Act = Callable[[Page], Any]


@dataclass(frozen=True)
class Case:
    """A page in a state. `route`: the address of csms.driver.urls that it is of."""

    name: str
    route: str
    path: str
    who: str = "dee"
    status: int = 200
    act: Act | None = None


@tables
def world(network: Network, dee: User) -> list[Case]:
    with scopes_disabled():
        return _cases(network, dee, token_of(dee))


def _cases(network: Network, dee: User, token: Any) -> list[Case]:
    now = timezone.now()
    tariff = network.tariff()
    station = network.station(accepted=True, name="Ferry landing")
    seen(station)
    spare = plug(network, station=station)
    taken = {status: plug(network, status, station=station) for status in ("Charging", "Faulted", "Reserved", "Unavailable")}
    away = plug(network, station=network.station(accepted=True))
    begun: dict[str, Connector] = {}
    for status in ("sent", "accepted", "rejected", "timed_out"):
        begun[status] = plug(network, station=station)
        ended = now if status in ("rejected", "timed_out") else None
        asked(begun[status], dee, status, detail="Occupied", effect_due_at=now + timedelta(minutes=3), finished_at=ended)
    over = plug(network)
    asked(over, dee, "confirmed", created_at=now - timedelta(minutes=9))
    done = finished(over, id_token=token, received_at=now - timedelta(minutes=8))
    record = bill(done, tariff)
    link = f"/receipt/{token_of_receipt(issued(record))}/"
    soon = bill(finished(plug(network), id_token=token), tariff)
    running = session(plug(network), id_token=token, soc_percent=61)
    for minute in range(50, 0, -10):
        sample(running, now - timedelta(minutes=minute), 11_000 - 90 * minute)
    silent = session(plug(network), id_token=token, energy_wh=None, power_w=None, meter_last_at=None)
    stopping, refused = (session(plug(network), id_token=token) for _ in range(2))
    for one, status in ((stopping, "sent"), (refused, "rejected")):
        Command.objects.create(
            operator=network.operator, station=one.station, kind="remote_stop", status=status, requested_by=dee, created_at=now,
            params={"transaction": one.ocpp_transaction_id}, expires_at=now, finished_at=now,
        )  # fmt: skip
    unpriced = finished(plug(network), id_token=token)
    doubtful = finished(plug(network), id_token=token, doubt="register")
    other = Network()
    foreign = plug(other)
    return [
        Case("free", "plug", page_of(spare)),
        Case("free, unknown", "plug", page_of(spare), "nobody"),
        Case("free, staff", "plug", page_of(spare), "ada"),
        Case("of another network, no tariff", "plug", page_of(foreign)),
        *(Case(status, "plug", page_of(one)) for status, one in taken.items()),
        Case("offline", "plug", page_of(away), "nobody"),
        *(Case(f"start {status}", "plug", page_of(one)) for status, one in begun.items()),
        Case("still", "plug", page_of(begun["accepted"]) + "?still=1"),
        Case("just over", "plug", page_of(over)),
        Case("no such plug", "plug", f"/charge/{station.identity}/99", "nobody", 404),
        Case("no such charger", "plug", "/charge/NOWHERE-1/1", "nobody", 404),
        Case("choose", "plugs", f"/charge/{station.identity}", "nobody"),
        Case("sign in", "driver_login", f"/driver/login/?next={page_of(spare)}", "nobody"),
        Case(
            "wrong password",
            "driver_login",
            "/driver/login/",
            "nobody",
            act=submit("main form", login="x@example.org", password="x"),
        ),
        Case("sign up", "driver_signup", f"/driver/signup/?next={page_of(spare)}", "nobody"),
        Case(
            "sign up refused",
            "driver_signup",
            f"/driver/signup/?next={page_of(spare)}",
            "nobody",
            act=submit("main form", email="x"),
        ),
        Case("sign up nowhere", "driver_signup", "/driver/signup/", "nobody"),
        Case("home", "driver", "/driver/"),
        Case("home, empty month", "driver", "/driver/?month=2020-01"),
        Case("home, empty", "driver", "/driver/", "dan"),
        Case("running", "driver_session", f"/driver/sessions/{running.pk}/"),
        Case("silent", "driver_session", f"/driver/sessions/{silent.pk}/"),
        Case("stopping", "driver_session", f"/driver/sessions/{stopping.pk}/"),
        Case("stop refused", "driver_session", f"/driver/sessions/{refused.pk}/"),
        Case("unpriced", "driver_session", f"/driver/sessions/{unpriced.pk}/"),
        Case("doubtful", "driver_session", f"/driver/sessions/{doubtful.pk}/"),
        Case("billed", "driver_session", f"/driver/sessions/{done.pk}/"),
        Case("not mine", "driver_session", f"/driver/sessions/{done.pk}/", "dan", 404),
        Case("receipt", "driver_receipt", f"/driver/receipts/{record.pk}/"),
        Case("receipt, not made yet", "driver_receipt", f"/driver/receipts/{soon.pk}/"),
        Case("receipt by its link", "receipt_link", link, "nobody"),
        Case("account", "driver_account", "/driver/account/"),
        Case("name refused", "driver_account", "/driver/account/", act=submit("main form", name="x" * 121)),
        Case("password", "driver_password", "/driver/account/password/"),
        Case("password refused", "driver_password", "/driver/account/password/", act=submit("main form", oldpassword="x")),
        Case("delete", "driver_delete", "/driver/account/delete/"),
        Case("delete refused", "driver_delete", "/driver/account/delete/", act=submit("main form", password="x")),
    ]


async def look(page: Page, case: Case, http: str) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = defaultdict(list)
    weights: list[Any] = []
    page.on("response", lambda answer: weights.append(answer) if answer.url.startswith(http) else None)
    answer = await page.goto(http + case.path)
    assert answer is not None
    whole = [one for one in weights if one.status in (200, 404, 422) and one.request.resource_type != "eventsource"]
    bodies = [len(await one.body()) for one in whole]
    if sum(bodies) > MOST_BYTES:
        wrong["weight"].append(f"{sum(bodies)} bytes")
    if not case.act and answer.status != case.status:
        wrong["status"].append(str(answer.status))
    if case.act:
        await case.act(page)
    await page.evaluate(AXE)
    wrong["light"] = await judge(page)
    wrong["small"] = await page.evaluate(TOO_SMALL)
    await page.emulate_media(color_scheme="dark")
    wrong["dark"] = await judge(page, COLOURED)
    await page.set_viewport_size({"width": 320, "height": 640})
    wrong["narrow"] = await page.evaluate(TOO_WIDE)
    if (headings := await page.locator("h1").count()) != 1:
        wrong["headings"].append(f"{headings} of the first level")
    return {where: lines for where, lines in wrong.items() if lines}


@pytest.mark.parametrize("mostly", [True, pytest.param(False, marks=pytest.mark.long)], ids=["mostly", "in each state"])
async def test_axe_and_a_thumb_find_nothing_wrong_on_any_page(
    chromium: Browser, uvicorn: Server, network: Network, mostly: bool
) -> None:
    dee, dan = driver_of(network), driver_of(network, "dan")
    cases = world(network, dee)
    chosen = [case for case in cases if case.name in MOSTLY][::2] if mostly else cases
    for some in (cases, [case for case in cases if case.name in MOSTLY]):
        files = {"driver_export", "driver_receipt_pdf", "driver_signed", "driver_signed_text"}
        assert {case.route for case in some} == (PUBLIC | OWN | NAMED | {"receipt_link"}) - BUTTONS - files - {"plug_mistyped"}
    contexts: dict[str, BrowserContext] = {}
    for name, user in {"dee": dee, "dan": dan, "ada": network.user(), "nobody": None}.items():
        contexts[name] = await chromium.new_context(**PHONE, color_scheme="light", reduced_motion="reduce")
        # Pages that are opened at once would each be given one, and the last would take its form from the others.
        await contexts[name].add_cookies([{"name": "csrftoken", "value": "c" * 32, "url": uvicorn.http}])
        if user:
            await contexts[name].add_cookies([{"name": "sessionid", "value": session_of(user), "url": uvicorn.http}])
    wrong: dict[str, Any] = {}
    free = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> None:
        async with free:
            page = await contexts[case.who].new_page()
            if found := await look(page, case, uvicorn.http):
                wrong[case.name] = found
            await page.close()

    await asyncio.gather(*(one(case) for case in chosen))
    for context in contexts.values():
        await context.close()
    assert wrong == {}


async def test_a_receipt_and_a_label_print_without_the_page_around_them(
    chromium: Browser, uvicorn: Server, network: Network
) -> None:
    dee = driver_of(network)
    done = finished(plug(network), id_token=token_of(dee))
    record = bill(done, network.tariff())
    issued(record)
    context = await chromium.new_context(**PHONE, color_scheme="dark")
    page = await context.new_page()
    for user, path, kept in ((dee, f"/driver/receipts/{record.pk}/", ".receipt"), (network.user(), "/labels/", ".label")):
        await context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": uvicorn.http}])
        await page.goto(uvicorn.http + path)
        await page.emulate_media(media="print")
        assert await page.locator(kept).is_visible()
        for gone in (".top", ".foot", ".links", ".head", "button"):
            assert not any([await one.is_visible() for one in await page.locator(gone).all()]), gone
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert len(await page.pdf()) > 5_000
    await context.close()
