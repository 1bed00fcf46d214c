"""Journeys at chargers, in a browser, against a real server and a peer that plays the station."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Locator, Page, expect

from stations.models import Station
from tests.browser.conftest import Open
from tests.network import Network
from tests.peer import Peer, ago, station
from tests.servers import Server


@asynccontextmanager
async def charger(server: Server, network: Network, status: str = "Available", **more: str) -> AsyncIterator[tuple[Peer, Station]]:
    """A station that has booted and told of its plug."""
    known = network.station()
    async with station(server.ocpp, known) as peer:
        await peer.boot()
        for connector, state in ((0, "Available"), (1, status)):
            await peer.call(
                "StatusNotification",
                {"connectorId": connector, "errorCode": "NoError", "status": state} | (more if connector else {}),
            )
        yield peer, known


async def press(page: Page, target: Locator, *, by_keyboard: bool) -> None:
    """Click it, or walk to it with Tab and press Enter. The focus must be seen on the way."""
    if not by_keyboard:
        await target.click()
        return
    await tab_to(page, target)
    assert await target.evaluate("e => getComputedStyle(e).outlineStyle !== 'none' && e.matches(':focus-visible')")
    await page.keyboard.press("Enter")


async def tab_to(page: Page, target: Locator) -> None:
    await target.wait_for()
    for _ in range(120):
        if await target.evaluate("e => e === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached by keyboard")


async def fill(page: Page, target: Locator, text: str, *, by_keyboard: bool) -> None:
    if by_keyboard:
        await tab_to(page, target)
        await page.keyboard.type(text)
    else:
        await target.fill(text)


async def live(page: Page) -> None:
    await page.wait_for_selector("[data-live=on]")


@pytest.mark.long
@pytest.mark.parametrize("by_keyboard", [False, True], ids=["mouse", "keyboard"])
async def test_find_a_faulted_plug_and_restart_its_charger(
    browse: Open, uvicorn: Server, network: Network, by_keyboard: bool
) -> None:
    async with charger(uvicorn, network, "Faulted", errorCode="GroundFailure") as (peer, known):
        network.station()
        page = await browse()
        await press(page, page.get_by_role("link", name="Chargers"), by_keyboard=by_keyboard)
        await press(page, page.locator(".chip.is-faulted"), by_keyboard=by_keyboard)
        await expect(page).to_have_url(re.compile("status=Faulted"))
        await expect(page.locator(".stations tbody tr")).to_have_count(1)
        await press(page, page.get_by_role("link", name=known.identity), by_keyboard=by_keyboard)
        await expect(page.locator("#station-head")).to_contain_text("Faulted")
        await expect(page.locator(".plugs")).to_contain_text("GroundFailure")
        await press(page, page.get_by_role("link", name="Commands"), by_keyboard=by_keyboard)
        await press(page, page.get_by_role("link", name="Restart", exact=True), by_keyboard=by_keyboard)
        at_once = page.get_by_label("At once")
        if by_keyboard:
            await tab_to(page, page.get_by_label("When nobody charges"))
            await page.keyboard.press("ArrowDown")
            await expect(at_once).to_be_checked()
        else:
            await at_once.check()
        await fill(page, page.get_by_label("Why"), "Ground failure", by_keyboard=by_keyboard)
        await fill(page, page.get_by_label("to confirm"), known.identity, by_keyboard=by_keyboard)
        await press(page, page.get_by_role("button", name="Restart the charger"), by_keyboard=by_keyboard)
        message_id, action, payload = await peer.asked()
        assert (action, payload) == ("Reset", {"type": "Hard"})
        command = page.locator(".command")
        await expect(command).to_contain_text("Restart now")
        await expect(command).to_contain_text("“Ground failure”")
        await live(page)
        await page.evaluate("window.notReloaded = true")
        await peer.tell(message_id, {"status": "Accepted"})
        await expect(command.locator(".dot.is-done")).to_have_count(3)
        await expect(command.locator(".dot.is-now")).to_contain_text("Waiting for the effect")
        await command.locator("summary").click()
        await peer.boot()
        await expect(command.locator(".dot.is-done")).to_have_count(4)
        await expect(command.locator("pre")).to_be_visible()
        await peer.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        await expect(page.locator("#station-head .station-state")).to_contain_text("Available")
        assert await page.evaluate("window.notReloaded")


@pytest.mark.long
@pytest.mark.parametrize("by_keyboard", [False, True], ids=["mouse", "keyboard"])
async def test_start_one_by_card_number_and_stop_it(browse: Open, uvicorn: Server, network: Network, by_keyboard: bool) -> None:
    network.token("DEE-CARD")
    async with charger(uvicorn, network) as (peer, known):
        page = await browse(viewport={"width": 390, "height": 800})
        await press(page, page.get_by_role("link", name=known.identity), by_keyboard=by_keyboard)
        await press(page, page.get_by_role("link", name="Commands"), by_keyboard=by_keyboard)
        await press(page, page.get_by_role("link", name="Start charging"), by_keyboard=by_keyboard)
        await fill(page, page.get_by_label("Id tag"), "DEE-CARD", by_keyboard=by_keyboard)
        await press(page, page.get_by_role("button", name="Start charging"), by_keyboard=by_keyboard)
        message_id, action, payload = await peer.asked()
        assert (action, payload["idTag"]) == ("RemoteStartTransaction", "DEE-CARD")
        await live(page)
        await peer.tell(message_id, {"status": "Accepted"})
        transaction = await peer.start("DEE-CARD", at=ago(0))
        started = page.locator(".command").first
        await expect(started.locator(".dot.is-done")).to_have_count(4)

        await page.goto(page.url.split("?")[0] + "?tab=commands&do=stop")
        await expect(page.get_by_label("Session")).to_contain_text("DEE-CARD")
        await press(page, page.get_by_role("button", name="Stop charging"), by_keyboard=by_keyboard)
        message_id, action, payload = await peer.asked()
        assert (action, payload) == ("RemoteStopTransaction", {"transactionId": transaction})
        await live(page)
        await peer.tell(message_id, {"status": "Accepted"})
        await peer.stop(transaction, 2000, reason="Remote")
        await expect(page.locator(".command").first.locator(".dot.is-done")).to_have_count(4)


@pytest.mark.long
async def test_settings_are_read_shown_without_a_reload_and_changed(browse: Open, uvicorn: Server, network: Network) -> None:
    async with charger(uvicorn, network) as (peer, known):
        page = await browse()
        await page.goto(f"{uvicorn.http}/stations/{known.identity}/?tab=configuration")
        await live(page)
        await page.get_by_role("button", name="Read now").last.click()
        message_id, action, _ = await peer.asked()
        assert action == "GetConfiguration"
        await live(page)
        await page.evaluate("window.notReloaded = true")
        await peer.tell(message_id, {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]})
        row = page.locator(".settings tbody tr")
        await expect(row).to_contain_text("HeartbeatInterval")
        assert await page.evaluate("window.notReloaded")
        await row.locator("summary").click()
        await row.get_by_label("HeartbeatInterval").fill("600")
        await row.get_by_role("button", name="Apply").click()
        message_id, action, payload = await peer.asked()
        assert (action, payload) == ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "600"})
        await live(page)
        await expect(page.locator(".is-drifting")).to_have_count(1)
        await peer.tell(message_id, {"status": "Accepted"})
        await expect(page.locator(".is-drifting")).to_have_count(0)
        await expect(page.locator(".settings tbody tr")).to_contain_text("as wanted")


async def test_the_list_follows_what_is_typed(browse: Open, uvicorn: Server, network: Network) -> None:
    network.station(identity=f"{network.prefix}-HARBOUR")
    network.station(identity=f"{network.prefix}-STATION")
    page = await browse()
    await page.goto(f"{uvicorn.http}/stations/")
    await expect(page.locator(".stations tbody tr")).to_have_count(2)
    await page.evaluate("window.notReloaded = true")
    await page.get_by_label("Search").press_sequentially("harb")
    await expect(page.locator(".stations tbody tr")).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"\?q=harb$"))
    assert await page.evaluate("window.notReloaded")


async def test_a_command_for_an_offline_charger_is_taken_back_without_javascript(
    browse: Open, uvicorn: Server, network: Network
) -> None:
    known = network.station(accepted=True)
    page = await browse(live=False, java_script_enabled=False)
    await page.goto(f"{uvicorn.http}/stations/{known.identity}/?tab=commands&do=clear")
    await page.get_by_role("button", name="Clear").click()
    command = page.locator(".command")
    await expect(command).to_contain_text("It will be sent when it comes back")
    await command.get_by_role("button", name="Cancel").click()
    await expect(command).to_contain_text("Cancelled")
