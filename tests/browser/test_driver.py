"""Dee charges by QR code: a phone, a simulated station that really starts, with JavaScript and without."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from csms.simulator import ScriptedClock, SimulatedStation
from tests.browser.conftest import holds, session_of
from tests.dashboard.rows import plug, session
from tests.driver.dee import driver_of, token_of
from tests.network import PASSWORD, Network
from tests.servers import Server, Worker, until

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


@pytest.fixture(scope="module")
def worker(django_db_setup: None) -> Iterator[Worker]:
    started = Worker()
    yield started
    started.kill()


@asynccontextmanager
async def phone(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """A page on a phone. One that complains fails the test."""
    complaints: list[str] = []
    context = await browser.new_context(**PHONE, **options)
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    await context.close()
    assert complaints == []


async def reloaded(page: Page, text: str) -> None:
    """Press Refresh until the page says so."""
    async with asyncio.timeout(30):
        while text not in await page.locator("main").inner_text():
            await page.reload()


def lately() -> ScriptedClock:
    """Twenty minutes of charging end about now."""
    return ScriptedClock(datetime.now(UTC) - timedelta(minutes=20))


@pytest.mark.parametrize(("theme", "protocol"), [("light", "ocpp1.6"), pytest.param("dark", "ocpp2.0.1", marks=pytest.mark.long)])
async def test_dee_charges_by_qr_code_without_javascript(
    chromium: Browser, uvicorn: Server, worker: Worker, network: Network, theme: Any, protocol: str
) -> None:
    known = network.station()
    network.tariff()
    async with (
        SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, clock=lately(), protocol=protocol) as sim,
        phone(chromium, java_script_enabled=False, color_scheme=theme) as page,
    ):
        await sim.boot()
        await page.goto(f"{uvicorn.http}/charge/{known.identity}/1")
        await expect(page.locator(".price")).to_contain_text("0.50\u202fEUR per kWh")
        await page.get_by_role("link", name="New here? Sign up").click()
        await page.get_by_label("Name").fill("Dora")
        await page.get_by_label("E-mail").fill(f"dora.{network.tag}@example.org")
        await page.get_by_label("Password").fill("a-password-of-mine")
        await page.get_by_role("button", name="Sign up").click()
        await page.get_by_role("button", name="Start charging").click()
        await reloaded(page, "Waiting for you to plug in")
        assert ":" in await page.locator("[data-until]").inner_text()
        await sim.plug_in(1)
        await reloaded(page, "You are charging")
        await sim.charge(1, seconds=1190)
        await reloaded(page, "22.1")
        for word in ("kW", "kWh", "EUR", "20 min"):
            await expect(page.locator(".now")).to_contain_text(word)
        await page.get_by_role("button", name="Stop charging").click()
        await reloaded(page, "You have charged")
        until(network.charge_records)
        await reloaded(page, "Receipt")
        await page.get_by_role("link", name="Receipt").click()
        (record,) = network.charge_records()
        await reloaded(page, f"{record.total_incl_tax}\u202fEUR")
        await expect(page.locator(".receipt h1")).to_have_text("Receipt")
        await page.get_by_role("link", name="My charging").last.click()
        await expect(page.locator(".lines")).to_contain_text(known.identity)
    (charged,) = network.transactions(known)
    assert charged.energy_wh == record.energy_wh > 6000


@pytest.mark.long
async def test_the_open_page_follows_without_a_reload(chromium: Browser, uvicorn: Server, worker: Worker, network: Network) -> None:
    known = network.station()
    network.tariff()
    dee = driver_of(network)
    async with (
        SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, clock=lately()) as sim,
        phone(chromium) as page,
    ):
        await sim.boot()
        await page.context.add_cookies([{"name": "sessionid", "value": session_of(dee), "url": uvicorn.http}])
        await page.goto(f"{uvicorn.http}/charge/{known.identity}/1")
        await page.get_by_role("button", name="Start charging").click()
        await page.evaluate("window.notReloaded = true")
        await expect(page.locator("#state")).to_contain_text("Waiting for you to plug in", timeout=30_000)
        assert await page.evaluate("window.notReloaded")
        await sim.plug_in(1)
        await expect(page.locator("h1")).to_contain_text("You are charging", timeout=30_000)
        # From here on the page does not look by itself: it is told.
        await holds(page, "stream?.readyState === EventSource.OPEN")
        await page.evaluate("window.notReloaded = true; again = () => clearTimeout(timer); again()")
        await sim.charge(1, seconds=1190)
        await expect(page.locator(".now")).to_contain_text("22.1", timeout=30_000)
        await sim.stop(1)
        await expect(page.locator("h1")).to_contain_text("You have charged", timeout=30_000)
        await expect(page.locator("#say")).to_have_text("The session has ended.")
        assert await page.evaluate("window.notReloaded && stream === null")
        # Where nothing runs any more it looks again, for the price.
        await page.reload()
        await page.evaluate("window.notReloaded = true")
        await expect(page.locator("#session")).to_contain_text("Receipt", timeout=30_000)
        assert await page.evaluate("window.notReloaded")


async def test_a_phone_without_a_connection_says_so_and_comes_back(chromium: Browser, uvicorn: Server, network: Network) -> None:
    dee = driver_of(network)
    connector = plug(network)
    mine = session(connector, id_token=token_of(dee))
    context = await chromium.new_context(**PHONE)
    page = await context.new_page()
    await context.add_cookies([{"name": "sessionid", "value": session_of(dee), "url": uvicorn.http}])
    await page.goto(f"{uvicorn.http}/driver/sessions/{mine.pk}/")
    await context.set_offline(True)
    for _ in range(2):  # once may be chance
        await page.evaluate("look()")
    await expect(page.locator("#lost")).to_be_visible()
    await context.set_offline(False)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator("#lost")).to_be_hidden()
    await context.close()


async def test_the_keyboard_alone_starts(chromium: Browser, uvicorn: Server, network: Network) -> None:
    dee, connector = driver_of(network), plug(network)
    async with phone(chromium) as page:
        await page.context.add_cookies([{"name": "sessionid", "value": session_of(dee), "url": uvicorn.http}])
        await page.goto(f"{uvicorn.http}/charge/{connector.evse.station.identity}/1")
        seen = []
        for _ in range(8):
            await page.keyboard.press("Tab")
            seen.append(await page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"))
            if seen[-1] == "Start charging":
                break
        assert seen[0] == "Skip to the content"
        assert seen[-1] == "Start charging"
        await page.keyboard.press("Enter")
        await expect(page.locator("#state")).to_contain_text("Starting…")
