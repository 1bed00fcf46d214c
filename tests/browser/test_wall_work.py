"""The work list, the badge, the sound and the wall screen in a browser; and the wall of many plugs."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.async_api import expect

from stations.models import Connector
from tests.browser.conftest import Open, holds
from tests.browser.test_wall import mark, not_reloaded, ring
from tests.dashboard.rows import plug, seen, session
from tests.network import Network
from tests.servers import Server
from tests.test_live import change


def breaks(network: Network, connector: Connector, **fields: Any) -> None:
    change(connector, **{"status": "Faulted", "error_code": "GroundFailure", "status_at": timezone.now()} | fields)
    ring(network, connector)


async def test_a_fault_comes_onto_the_list_and_leads_to_the_restart_by_keyboard(browse: Open, network: Network) -> None:
    connector = plug(network)
    seen(connector.evse.station, protocol="ocpp1.6")
    page = await browse()
    await expect(page.locator("#work")).to_be_hidden()
    await mark(page)
    breaks(network, connector)
    task = page.locator(f"#task-fault-{connector.pk}")
    await expect(task).to_contain_text("Faulted: GroundFailure")
    await expect(page.locator("#summary")).to_contain_text("1 thing to do")
    assert await not_reloaded(page)
    await page.get_by_role("link", name="1 thing to do").focus()
    await page.keyboard.press("Enter")
    await task.get_by_role("link", name="Restart it…").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Restart the charger")).to_be_visible()


@pytest.mark.long
async def test_what_is_mended_leaves_the_list_and_the_badge_goes(browse: Open, network: Network) -> None:
    connector = plug(network)
    page = await browse()
    icon = page.locator("#icon")
    await expect(icon).to_have_attribute("href", "/static/icon.svg")
    breaks(network, connector)
    await expect(icon).to_have_attribute("href", "/static/icon-alert.svg")
    assert (await page.title()).startswith("(1) ")
    change(connector, status="Available", error_code="")
    ring(network, connector)
    await expect(icon).to_have_attribute("href", "/static/icon.svg")
    assert not (await page.title()).startswith("(")
    await expect(page.locator("#work")).to_be_hidden()


async def test_a_charger_that_waits_is_accepted_with_one_click(browse: Open, network: Network) -> None:
    station = network.station(registration="Pending", booted_at=timezone.now())
    page = await browse()
    await page.locator(f"#task-boot-{station.pk}").get_by_role("button", name="Accept it").click()
    await expect(page.get_by_text(f"{station.identity} is accepted")).to_be_visible()
    await expect(page.locator(f"#task-boot-{station.pk}")).to_have_count(0)


@pytest.mark.long
async def test_counters_and_money_change_without_a_reload(browse: Open, network: Network) -> None:
    connector = plug(network)
    page = await browse()
    await mark(page)
    await expect(page.locator(".counter.is-charging dd")).to_have_text("0")
    change(connector, status="Charging")
    charging = session(connector, started_at=timezone.now())
    ring(network, connector, charging)
    await expect(page.locator(".counter.is-charging dd")).to_have_text("1")
    await expect(page.locator("#summary .as-of")).to_contain_text("ago")
    assert await not_reloaded(page)
    await page.get_by_role("link", name="Charging now").click()
    await expect(page).to_have_url(re.compile(r"/stations/\?status=Charging$"))


@pytest.mark.long
async def test_the_sound_is_off_until_asked_for_remembered_and_only_for_new_faults(browse: Open, network: Network) -> None:
    old, new = plug(network, "Faulted"), plug(network)
    page = await browse()
    sound = page.get_by_label("Sound when a plug becomes faulted or goes offline")
    await expect(sound).not_to_be_checked()
    breaks(network, new)
    await expect(page.locator(f"#connector-{new.pk}")).to_contain_text("Faulted")
    await expect(sound).to_have_attribute("data-heard", "0")
    await sound.check()
    change(new, status="Available", error_code="")
    breaks(network, old, error_code="InternalError")  # was faulted before
    ring(network, new)
    await expect(page.locator(f"#connector-{new.pk}")).to_contain_text("Available")
    await expect(page.locator(f"#connector-{old.pk}")).to_contain_text("InternalError")
    await expect(sound).to_have_attribute("data-heard", "0")
    breaks(network, new)
    await expect(sound).to_have_attribute("data-heard", "1")
    await page.reload()
    await expect(sound).to_be_checked()


@pytest.mark.long
async def test_the_wall_screen_is_dark_without_controls_and_stays_live(browse: Open, uvicorn: Server, network: Network) -> None:
    connector = plug(network)
    page = await browse(color_scheme="light", viewport={"width": 1600, "height": 900})
    await page.get_by_role("link", name="Show on a wall screen").click()
    await page.wait_for_selector("[data-live=on]")
    await holds(page, "heardAt && lostAt === null")
    assert await page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    await expect(page.get_by_role("navigation")).to_have_count(0)
    await expect(page.get_by_role("button")).to_have_count(0)
    await mark(page)
    breaks(network, connector)
    await expect(page.locator("#headline")).to_have_text("1 of 1 plug needs you")
    await expect(page.locator(f"#task-fault-{connector.pk}")).to_be_visible()
    await expect(page.locator(".task-step")).to_be_hidden()
    assert await not_reloaded(page)
    assert await page.evaluate("document.documentElement.scrollWidth") == 1600
    leave = page.get_by_role("link", name="Leave the wall screen")
    await leave.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


@pytest.mark.long
async def test_motion_stops_for_those_who_asked_for_less(browse: Open, network: Network) -> None:
    session(plug(network, "Charging"))
    moving = "document.getAnimations().filter((a) => a.animationName === 'breathe').length"
    page = await browse(reduced_motion="no-preference")
    assert await page.evaluate(moving) == 1
    page = await browse(reduced_motion="reduce")
    assert await page.evaluate(moving) == 0


@pytest.mark.long
async def test_of_many_plugs_each_tells_its_story_when_pointed_at_or_stood_on(browse: Open, network: Network) -> None:
    station = plug(network).evse.station
    for _ in range(119):
        plug(network, station=station)
    connector = plug(network, "Charging")
    session(connector, id_token=network.token("DEE-CARD", note="Dee's van"), started_at=timezone.now() - timedelta(hours=2))
    page = await browse()
    dot = page.locator(f"#connector-{connector.pk}")
    tip = dot.locator(".tip")
    shown = f"getComputedStyle(document.querySelector('#connector-{connector.pk} .tip')).clipPath === 'none'"
    assert not await page.evaluate(shown)
    await dot.hover()
    assert await page.evaluate(shown)
    await expect(tip).to_contain_text("Dee's van")
    await expect(tip).to_contain_text("11.0\u202fkW at")
    await page.keyboard.press("Escape")
    assert not await page.evaluate(shown)
    await page.mouse.move(0, 0)
    await dot.get_by_role("link").focus()
    assert await page.evaluate(shown)
    breaks(network, connector)
    await expect(tip).to_contain_text("plug 1: Faulted")
    await expect(dot.get_by_role("link")).to_be_focused()
    await expect(page.get_by_role("status")).to_have_text(f"{connector.evse.station.identity} plug 1: Faulted.")


async def test_the_work_list_fits_a_narrow_phone(browse: Open, network: Network) -> None:
    plug(network, "Faulted", error_code="OverCurrentFailure", info="a" * 50)
    network.station(registration="Rejected", booted_at=timezone.now())
    page = await browse(viewport={"width": 320, "height": 640})
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    await page.goto(page.url + "?kiosk=1")
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
