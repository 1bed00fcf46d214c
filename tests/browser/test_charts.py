"""The charts of a charger and of a session: they follow what comes in, can be zoomed by hand and by keyboard, and have a table."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scopes_disabled
from playwright.async_api import Page, expect

from stations.models import MeterSample, Transaction
from tests.browser.conftest import Open, holds
from tests.browser.test_station import charger, tab_to
from tests.dashboard.rows import plug, sample, session
from tests.database import tables
from tests.network import Network
from tests.peer import ago
from tests.servers import Server

#: How many points each line of the chart has.
POINTS = "[...document.querySelectorAll('[data-chart]')].map((figure) => figure.dataset.drawn).join()"
#: Whether a line is drawn in the column at this share of the chart's width.
DRAWN_AT = """(share) => {
    const canvas = document.querySelector('.uplot canvas'), over = document.querySelector('.u-over').getBoundingClientRect();
    const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
    const [left, top] = [(over.left - box.left + over.width * share) * scale, (over.top - box.top) * scale];
    const pixels = canvas.getContext('2d').getImageData(Math.round(left), Math.round(top), 1, Math.round(over.height * scale)).data;
    const wanted = 'rgb(29, 95, 209)'.match(/\\d+/g).map(Number);
    const near = (i) => pixels[i + 3] > 20 && wanted.every((colour, n) => Math.abs(colour - pixels[i + n]) < 60);
    for (let i = 0; i < pixels.length; i += 4) if (near(i)) return true;
    return false;
}"""


@tables
def samples_over(transaction: Transaction, hours: tuple[float, float], every: timedelta = timedelta(minutes=5)) -> None:
    """Samples from so many hours ago until so many."""
    now = timezone.now()
    at, until = now - timedelta(hours=hours[0]), now - timedelta(hours=hours[1])
    rows = []
    while at < until:
        rows.append(
            MeterSample(
                operator=transaction.operator,
                station=transaction.station,
                transaction=transaction,
                evse_number=1,
                at=at,
                context="Sample.Periodic",
                energy_wh=1000 + len(rows),
                power_w=11_000,
            )
        )
        at += every
    with scopes_disabled():
        MeterSample.objects.bulk_create(rows)


async def chart_of(page: Page, address: str) -> None:
    await page.goto(address)
    await page.wait_for_selector(".uplot canvas")


@pytest.mark.long
async def test_the_power_of_a_charger_grows_on_the_open_page(browse: Open, uvicorn: Server, network: Network) -> None:
    network.token("DEE-CARD")
    async with charger(uvicorn, network) as (peer, known):
        transaction = await peer.start("DEE-CARD", at=ago(1800))
        await peer.meter(transaction, 2000, at=ago(1500), watt=7000)
        page = await browse()
        await chart_of(page, f"{uvicorn.http}/stations/{known.identity}/")
        await page.wait_for_selector("[data-live=on]")
        await page.evaluate("window.notReloaded = true")
        await holds(page, f"{POINTS} === '1'")
        await peer.meter(transaction, 4000, at=ago(5), watt=22_000)
        await holds(page, f"{POINTS} === '2'")
        await expect(page.locator(".evse-power")).to_have_text("22.0\u202fkW")
        await page.get_by_text("As a table").click()
        await expect(page.locator(".chart-table tbody tr").last).to_contain_text("22.0\u202fkW")
        await expect(page.locator(".chart-mark.is-charging")).to_have_count(1)
        await page.get_by_text("What happened in this time").click()
        await expect(page.locator(".chart-events")).to_contain_text("Session started plug 1, DEE-CARD")
        assert await page.evaluate("window.notReloaded")


async def test_a_part_of_the_day_is_drawn_over_and_the_address_keeps_it(browse: Open, uvicorn: Server, network: Network) -> None:
    running = session(plug(network, "Charging"))
    samples_over(running, (20, 0), timedelta(minutes=1))
    page = await browse()
    await chart_of(page, f"{uvicorn.http}/stations/{running.station.identity}/")
    await expect(page.locator("figcaption")).to_contain_text("in every 5 min")
    await page.locator(".u-over").scroll_into_view_if_needed()
    box = await page.locator(".u-over").bounding_box()
    assert box
    await page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=4)
    await page.mouse.up()
    await expect(page.locator("figcaption")).to_contain_text("in every 30 s")
    await expect(page).to_have_url(re.compile(r"\?from=\d+&to=\d+$"))
    shown = await page.locator("figcaption").inner_text()
    await page.reload()
    await expect(page.locator("figcaption")).to_have_text(shown)
    await page.locator(".u-over").dblclick()
    await expect(page.locator("figcaption")).to_contain_text("in every 5 min")
    await expect(page).to_have_url(re.compile(r"/$"))


@pytest.mark.long
async def test_the_chart_is_moved_by_keyboard_and_its_table_is_reached(browse: Open, uvicorn: Server, network: Network) -> None:
    running = session(plug(network, "Charging"))
    samples_over(running, (20, 0))
    page = await browse()
    await chart_of(page, f"{uvicorn.http}/stations/{running.station.identity}/")
    await tab_to(page, page.get_by_role("button", name="Closer"))
    await page.keyboard.press("Enter")
    await expect(page.locator("figcaption")).to_contain_text("in every 5 min")
    await expect(page).to_have_url(re.compile("from="))
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.locator("figcaption")).to_contain_text("in every 1 min")
    await expect(page.get_by_role("button", name="Closer")).to_be_focused()
    await tab_to(page, page.get_by_text("As a table"))
    await page.keyboard.press("Enter")
    table = page.get_by_role("region", name="The power that the chart shows")
    await tab_to(page, table)
    rows = await table.locator("tbody tr").count()
    assert 30 <= rows <= 40


async def test_what_is_not_known_is_a_hole_in_the_line_not_zero(browse: Open, uvicorn: Server, network: Network) -> None:
    running = session(plug(network, "Charging"))
    samples_over(running, (20, 14))
    samples_over(running, (8, 1))
    other = session(plug(network, "Charging", station=running.station))
    page = await browse(color_scheme="light")
    await chart_of(page, f"{uvicorn.http}/stations/{running.station.identity}/")
    assert [await page.evaluate(DRAWN_AT, share) for share in (0.3, 0.54, 0.8, 0.98)] == [True, False, True, False]
    assert other.station_id == running.station_id


@pytest.mark.long
async def test_the_colours_follow_the_theme(browse: Open, uvicorn: Server, network: Network) -> None:
    running = session(plug(network, "Charging"))
    samples_over(running, (20, 0))
    page = await browse(color_scheme="light")
    await chart_of(page, f"{uvicorn.http}/stations/{running.station.identity}/")
    assert await page.evaluate(DRAWN_AT, 0.5)
    await page.emulate_media(color_scheme="dark")
    await holds(page, f"!({DRAWN_AT})(0.5)")
    await page.emulate_media(color_scheme="light")
    await holds(page, f"({DRAWN_AT})(0.5)")


@pytest.mark.long
async def test_a_session_is_watched_to_its_price_without_a_reload(browse: Open, uvicorn: Server, network: Network) -> None:
    network.token("DEE-CARD")
    network.tariff()
    async with charger(uvicorn, network) as (peer, known):
        transaction = await peer.start("DEE-CARD", at=ago(600))
        (running,) = network.transactions(known)
        page = await browse()
        await page.goto(f"{uvicorn.http}/transactions/{running.pk}/")
        await page.wait_for_selector("[data-live=on]")
        await expect(page.locator("figcaption")).to_have_text("The charger has sent no samples of this session.")
        await page.evaluate("window.notReloaded = true")
        for second, register in ((400, 2000), (200, 3000)):
            await peer.meter(transaction, register, at=ago(second))
        await holds(page, f"{POINTS} === '2 2'")
        await expect(page.locator(".uplot")).to_have_count(2)
        await peer.meter(transaction, 4000, at=ago(1))
        await holds(page, f"{POINTS} === '3 3'")
        await peer.stop(transaction, 5000, at=ago(0))
        await expect(page.locator("#session-now")).to_contain_text("Finished")
        await expect(page.locator("#session-facts")).not_to_contain_text("still running")
        await expect(page.locator("#session-facts")).to_contain_text("5.00\u202fkWh")
        await expect(page.locator("#session-stop button")).to_have_count(0)
        await priced(network)
        await expect(page.locator("#session-price")).to_contain_text("With tax")
        assert await page.evaluate("window.notReloaded")


@tables
def _bill(network: Network) -> Any:
    from billing.models import Tariff
    from tests.dashboard.rows import bill

    with scopes_disabled():
        (done,) = Transaction.objects.filter(operator=network.operator)
        return bill(done, Tariff.objects.get(operator=network.operator))


async def priced(network: Network) -> None:
    """What the worker does, a moment after the end."""
    if not network.charge_records():
        _bill(network)


@pytest.mark.parametrize("path", ["stations/{0.station.identity}/", "transactions/{0.pk}/"])
async def test_without_javascript_the_drawing_and_the_table_remain(
    browse: Open, uvicorn: Server, network: Network, path: str
) -> None:
    running = session(plug(network, "Charging"))
    sample(running, timezone.now() - timedelta(minutes=40), 11_000)
    sample(running, timezone.now() - timedelta(minutes=20), 7_000)
    page = await browse(live=False, java_script_enabled=False)
    await page.goto(f"{uvicorn.http}/{path.format(running)}")
    await expect(page.locator("figure.curve svg[role=img]").first).to_be_visible()
    await expect(page.get_by_role("button", name="Closer")).to_have_count(0)
    await page.get_by_text("As a table").click()
    await expect(page.locator(".chart-table tbody tr").first).to_contain_text("11.0\u202fkW")
