"""The message log in a browser: what is new comes by itself, a pause holds it, keys move along it, and nothing open is lost."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone
from playwright.async_api import expect

from stations.models import Station
from tests.browser.conftest import Open, holds
from tests.browser.test_station import charger
from tests.database import tables
from tests.network import Network
from tests.servers import Server
from tests.test_downloads import logged


@tables
def heard(station: Station, count: int, *, first: int = 0) -> None:
    """So many heartbeats, a second apart, the newest now."""
    from django_scopes import scopes_disabled

    from stations.models import MessageLogEntry

    now = timezone.now()
    with scopes_disabled():
        MessageLogEntry.objects.bulk_create(
            MessageLogEntry(
                operator_id=station.operator_id,
                station_id=station.pk,
                direction="in",
                protocol="ocpp1.6",
                message_id=f"m{number}",
                action="Heartbeat",
                event="HeartbeatReceived",
                outcome="result",
                call=f'[2,"m{number}","Heartbeat",{{}}]',
                answer=f'[3,"m{number}",{{}}]',
                received_at=now - timedelta(milliseconds=first + count - number),
                handling_us=1500,
            )
            for number in range(first, first + count)
        )


ROWS = "document.querySelectorAll('#log-rows tr').length"


@pytest.mark.long
async def test_new_messages_come_without_a_reload_and_a_pause_holds_them(browse: Open, uvicorn: Server, network: Network) -> None:
    async with charger(uvicorn, network) as (peer, known):
        for address in ("/messages/", f"/stations/{known.identity}/?tab=messages"):
            page = await browse()
            asked: list[str] = []
            await page.goto(f"{uvicorn.http}{address}")
            await page.wait_for_selector("[data-live=on]")
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            await page.evaluate("window.notReloaded = true")
            before = int(await page.evaluate(ROWS))
            await peer.call("Heartbeat", {})
            await holds(page, f"{ROWS} === {before + 1}")
            await expect(page.locator("#log-rows tr").first).to_contain_text("Heartbeat")
            assert all("format=newer&after=" in url for url in asked)
            await page.get_by_role("button", name="Pause updates").click()
            await page.wait_for_selector("[data-live=paused]")
            await peer.call("Authorize", {"idTag": "NOBODY"})
            count = len(asked)
            await page.get_by_role("button", name="Resume updates").click()
            await holds(page, f"{ROWS} === {before + 2}")
            assert len(asked) > count
            await expect(page.locator("#log-rows tr").first).to_contain_text("Authorize")
            await expect(page.locator("#log-rows tr").first).to_contain_text("Invalid")
            assert await page.evaluate("window.notReloaded")
            await page.close()


async def test_keys_move_along_the_rows_open_one_and_come_back(browse: Open, uvicorn: Server, network: Network) -> None:
    station = network.station()
    logged(station, 3)
    page = await browse()
    await page.goto(f"{uvicorn.http}/messages/")
    await page.wait_for_selector("[data-live=on]")
    row = "document.activeElement.closest('#log-rows tr')?.rowIndex"
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    assert await page.evaluate(row) == 2
    await page.keyboard.press("k")
    assert await page.evaluate(row) == 1
    focused = await page.evaluate("document.activeElement.closest('tr').id")
    await page.keyboard.press("Enter")
    await expect(page.locator("#opened h1")).to_have_text("Heartbeat")
    await expect(page.locator("#opened")).to_contain_text("The charger said that it is alive")
    # More than fits comes while it is open: the list gives way, but not the row that is open.
    heard(station, 70, first=100)
    await holds(page, f"{ROWS} === 51")
    await page.keyboard.press("Escape")
    await expect(page.locator("#opened")).to_be_hidden()
    assert await page.evaluate("document.activeElement.closest('tr').id") == focused
    assert await page.locator("#log a[rel=next]").get_attribute("href") is not None
    await page.keyboard.press("p")
    await page.wait_for_selector("[data-live=paused]")
    await page.keyboard.press("/")
    await page.keyboard.type("m101")
    await expect(page.locator("#log-rows tr")).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"/messages/\?q=m101$"))
    await page.keyboard.press("Escape")
    assert await page.evaluate(row) == 1
    await expect(page.locator("#q")).to_have_value("m101")
    # Older messages lead on from the last row that follows.
    await page.goto(f"{uvicorn.http}/messages/")
    await page.locator("#log a[rel=next]").click()
    await expect(page.locator("#log-rows tr")).to_have_count(23)


@pytest.mark.long
async def test_a_filter_narrows_the_tail_too(browse: Open, uvicorn: Server, network: Network) -> None:
    async with charger(uvicorn, network) as (peer, _):
        page = await browse()
        await page.goto(f"{uvicorn.http}/messages/?action=Authorize")
        await page.wait_for_selector("[data-live=on]")
        await expect(page.locator("#log")).to_contain_text("No message matches.")
        await peer.call("Heartbeat", {})
        await peer.call("Authorize", {"idTag": "NOBODY"})
        await expect(page.locator("#log-rows tr")).to_have_count(1)
        await expect(page.locator("#log")).not_to_contain_text("No message matches.", use_inner_text=True)


async def test_the_log_and_a_message_are_whole_without_javascript(browse: Open, uvicorn: Server, network: Network) -> None:
    station = network.station()
    logged(station, 60)
    page = await browse(live=False, java_script_enabled=False, viewport={"width": 1200, "height": 800})
    await page.goto(f"{uvicorn.http}/messages/")
    await page.get_by_label("Charger").fill(station.identity)
    await page.get_by_role("button", name="Search").click()
    await expect(page).to_have_url(re.compile(f"station={station.identity}"))
    await page.get_by_role("link", name="Older").click()
    await expect(page.locator("#log-rows tr")).to_have_count(10)
    await page.locator("#log-rows th a").first.click()
    await expect(page.locator("h1")).to_have_text("Heartbeat")
    await page.locator("a[data-back]").click()
    await expect(page.locator("#log-rows tr")).to_have_count(50)


async def test_the_log_is_no_wider_than_a_phone(browse: Open, uvicorn: Server, network: Network) -> None:
    station = network.station()
    logged(station, 1)
    page = await browse(viewport={"width": 320, "height": 800})
    for path in ("/messages/", f"/stations/{station.identity}/?tab=messages"):
        await page.goto(f"{uvicorn.http}{path}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path
    await page.goto(f"{uvicorn.http}{await page.locator('#log-rows th a').first.get_attribute('href')}")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(re.compile("tab=messages"))


async def test_a_jump_to_a_time_lands_on_what_was_said_then_and_keys_go_on_from_there(
    browse: Open, uvicorn: Server, network: Network
) -> None:
    async with charger(uvicorn, network) as (_, known):
        heard(known, 80)
        page = await browse()
        await page.goto(f"{uvicorn.http}/stations/{known.identity}/?tab=messages")
        mark = await page.evaluate("document.querySelectorAll('#log-rows tr')[40].dataset.mark")
        at = mark.split("~")[0]
        await page.goto(f"{uvicorn.http}/stations/{known.identity}/?{urlencode({'tab': 'messages', 'at': at})}")
        here = page.locator("#log-rows tr.is-here")
        assert await here.get_attribute("data-mark") == mark
        await expect(here.locator("th a")).to_be_focused()
        await expect(here).to_be_in_viewport()
        await page.keyboard.press("j")
        await expect(page.locator("#log-rows tr.is-here + tr th a")).to_be_focused()
        # What is shown is the past: it stays, whatever comes in.
        assert await page.locator("#log").get_attribute("data-newest") is None
