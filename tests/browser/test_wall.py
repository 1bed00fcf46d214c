"""The wall in a browser: what changes in the tables changes on the page, without a reload."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from csms.bells import RedisBell
from stations.models import Connector, Transaction
from tests.browser.conftest import Open, holds
from tests.dashboard.rows import bill, finished, plug, session
from tests.network import Network
from tests.test_live import change, log_out

bell = RedisBell()


def ring(network: Network, *rows: Connector | Transaction) -> None:
    stations = [row.evse.station_id for row in rows if isinstance(row, Connector)]
    bell.changed(network.operator.pk, stations=stations, transactions=[row.pk for row in rows if isinstance(row, Transaction)])


async def mark(page: Page) -> None:
    await page.evaluate("window.notReloaded = true")


async def not_reloaded(page: Page) -> bool:
    return bool(await page.evaluate("window.notReloaded"))


@pytest.mark.long
async def test_a_plug_that_starts_to_charge_shows_it_at_once(browse: Open, network: Network) -> None:
    network.tariff(price_per_minute=0, price_per_session=0)
    connector = plug(network)
    page = await browse()
    tile = page.locator(f"#connector-{connector.pk}")
    await expect(tile).to_contain_text("Available")
    await mark(page)

    change(connector, status="Charging")
    charging = session(connector)
    ring(network, connector, charging)
    await expect(tile).to_contain_text("Charging")
    await expect(tile).to_contain_text("11.0\u202fkW")
    await expect(tile).to_contain_text("3.75\u202fEUR")
    await expect(page.locator(f"#running #transaction-{charging.pk}")).to_contain_text("DEE-CARD")
    await expect(page.locator("#summary")).to_contain_text("11.0 kW")
    assert await not_reloaded(page)


@pytest.mark.long
async def test_a_session_that_ends_moves_to_the_finished_ones_and_gets_its_price(browse: Open, network: Network) -> None:
    tariff = network.tariff()
    charging = session(plug(network, "Charging"))
    page = await browse()
    await expect(page.locator(f"#running #transaction-{charging.pk}")).to_be_visible()
    await mark(page)

    change(charging, status="ended", stopped_at=charging.meter_last_at)
    ring(network, charging)
    row = page.locator(f"#finished #transaction-{charging.pk}")
    await expect(row).to_contain_text("not priced yet")
    await expect(page.locator("#running tr")).to_have_count(0)
    await expect(page.get_by_text("Nobody charges at the moment.")).to_be_visible()
    bill(charging, tariff, "4.71")
    ring(network, charging)
    await expect(row).to_contain_text("4.71\u202fEUR")
    assert await not_reloaded(page)


async def test_without_javascript_the_page_shows_all(browse: Open, network: Network) -> None:
    tariff = network.tariff()
    connector = plug(network, "Charging")
    session(connector)
    bill(done := finished(plug(network)), tariff, "4.71")
    page = await browse(live=False, java_script_enabled=False)
    await expect(page.locator(f"#connector-{connector.pk}")).to_contain_text("11.0\u202fkW")
    await expect(page.locator(f"#finished #transaction-{done.pk}")).to_contain_text("4.71\u202fEUR")
    await expect(page.locator("noscript .note")).to_be_visible()
    await expect(page.get_by_role("button", name="Pause updates")).to_be_hidden()
    await page.locator(f"#transaction-{done.pk} th a").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Session at")


@pytest.mark.long
async def test_a_fault_is_counted_in_the_title_and_told_to_a_screen_reader(browse: Open, network: Network) -> None:
    connector = plug(network)
    page = await browse()
    assert not (await page.title()).startswith("(")
    change(connector, status="Faulted", error_code="GroundFailure")
    ring(network, connector)
    await expect(page.locator("#headline")).to_have_text("1 of 1 plug needs you")
    assert (await page.title()).startswith("(1) Network")
    await expect(page.get_by_role("status")).to_have_text(f"{connector.evse.station.identity} plug 1: Faulted.")


@pytest.mark.long
async def test_whoever_stands_on_a_row_keeps_the_focus_while_it_changes_and_moves(browse: Open, network: Network) -> None:
    charging = session(plug(network, "Charging"))
    page = await browse()
    link = page.locator(f"#transaction-{charging.pk} th a")
    await link.focus()
    change(charging, energy_wh=9990)
    ring(network, charging)
    await expect(page.locator(f"#transaction-{charging.pk}")).to_contain_text("9.99\u202fkWh")
    await expect(link).to_be_focused()
    change(charging, status="ended", stopped_at=charging.meter_last_at)
    ring(network, charging)
    await expect(page.locator(f"#finished #transaction-{charging.pk}")).to_be_visible()
    await expect(link).to_be_focused()


@pytest.mark.long
async def test_while_paused_nothing_moves_and_then_the_newest_state_is_there(browse: Open, network: Network) -> None:
    connector, witness = plug(network), plug(network)
    page, other = await browse(), await browse()
    await page.get_by_role("button", name="Pause updates").click()
    for status in ("Preparing", "Charging"):
        change(connector, status=status)
        ring(network, connector)
        await expect(other.locator(f"#connector-{connector.pk}")).to_contain_text(status)
    # The paused page has heard of it too.
    await holds(page, f"held.get('connector-{connector.pk}')?.html.includes('Charging')")
    await expect(page.locator(f"#connector-{connector.pk}")).to_contain_text("Available")
    await page.get_by_role("button", name="Resume updates").click()
    await expect(page.locator(f"#connector-{connector.pk}")).to_contain_text("Charging")
    await expect(page.locator(f"#connector-{witness.pk}")).to_contain_text("Available")


@pytest.mark.long
async def test_the_first_charger_appears_on_the_empty_page(browse: Open, network: Network) -> None:
    page = await browse()
    await expect(page.get_by_role("heading", name="Connect your first charger")).to_be_visible()
    await mark(page)
    connector = plug(network)
    ring(network, connector)
    await expect(page.locator(f"#connector-{connector.pk}")).to_contain_text("Available")
    await expect(page.get_by_role("heading", name="Connect your first charger")).to_have_count(0)
    assert await not_reloaded(page)


async def test_a_lost_link_is_said_after_three_seconds_greys_the_page_after_fifteen_and_heals(
    browse: Open, network: Network
) -> None:
    connector = plug(network)
    links: list[WebSocketRoute] = []
    away = False

    async def link(route: WebSocketRoute) -> None:
        if away:
            await route.close(code=1012)
        else:
            route.connect_to_server()
            links.append(route)

    async def prepare(page: Page) -> None:
        await page.clock.install()
        await page.route_web_socket("**/live/**", link)

    page = await browse(prepare=prepare)
    banner = page.locator("#banner")
    away = True
    await links[0].close(code=1012)
    await holds(page, "lostAt !== null")
    await expect(banner).to_be_hidden()
    await page.clock.run_for(4_000)
    await expect(banner).to_be_visible()
    await expect(banner).to_contain_text("Reconnecting")
    await expect(page.locator("body")).to_have_attribute("data-live", "lost")
    await page.clock.run_for(15_000)
    await expect(page.locator("body")).to_have_attribute("data-live", "stale")

    change(connector, status="Charging")  # its bell is missed
    away = False
    await page.clock.run_for(11_000)
    await expect(page.locator(f"#connector-{connector.pk}")).to_contain_text("Charging")
    await expect(banner).to_be_hidden()
    await expect(page.locator("body")).to_have_attribute("data-live", "on")


@pytest.mark.long
async def test_after_logging_out_elsewhere_the_page_goes_to_the_login(browse: Open, network: Network) -> None:
    page = await browse()
    log_out()
    async with asyncio.timeout(30):
        await page.wait_for_url("**/login/?next=/")
    await expect(page.get_by_label("E-mail")).to_be_focused()


async def test_ada_logs_in_sees_a_session_and_logs_out(browse: Open, network: Network, ada: Any) -> None:
    charging = session(plug(network, "Charging"))
    page = await browse()
    await page.get_by_role("button", name="Log out").click()
    await page.get_by_label("E-mail").fill(ada.email)
    await page.get_by_label("Password").fill("charge-it-all-night")
    await page.get_by_role("button", name="Log in").click()
    await page.locator(f"#transaction-{charging.pk} th a").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(charging.station.identity)


@pytest.mark.long
async def test_the_page_fits_a_narrow_phone_in_both_themes(browse: Open, network: Network) -> None:
    tariff = network.tariff()
    connector = plug(network, "SuspendedEVSE")
    session(connector, soc_percent=64, energy_wh=123456)
    finished(plug(network, "Faulted", error_code="OverCurrentFailure"), doubt="register")
    bill(finished(plug(network), energy_wh=123456), tariff, "1234.56")
    for scheme in ("light", "dark"):
        page = await browse(viewport={"width": 320, "height": 640}, color_scheme=scheme)
        assert await page.evaluate("document.documentElement.scrollWidth") == 320
        for row in ("#finished tr:first-child", "#finished tr:last-child"):
            await page.goto(await page.locator(f"{row} th a").evaluate("link => link.href"))
            assert await page.evaluate("document.documentElement.scrollWidth") == 320
            await page.go_back()
