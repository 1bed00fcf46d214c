"""Pages in another language, and written from right to left, on a phone."""

import pytest
from playwright.async_api import Page

from accounts.models import User
from tests.browser.conftest import Open, holds
from tests.dashboard.addresses import address
from tests.dashboard.world import one_of_each
from tests.network import Network
from tests.servers import Server

PHONE = {"width": 390, "height": 800}


async def widths(page: Page) -> tuple[int, int]:
    wide, seen = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return wide, seen


async def test_a_language_is_chosen_by_keyboard_and_the_live_page_goes_on_in_it(browse: Open, network: Network) -> None:
    page = await browse(locale="en-GB")
    await page.focus("#language")
    await page.keyboard.type("Deu")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("html[lang=de] [data-live=on]")
    await holds(page, "heardAt && document.querySelector('#live-word').textContent === 'Live'")
    assert "Ladestationen" in await page.inner_text("nav")
    await page.click("#pause")
    assert await page.inner_text("#pause") == "Aktualisierung fortsetzen"


@pytest.mark.long
async def test_no_page_scrolls_sideways_in_german_or_from_right_to_left(
    browse: Open, network: Network, ada: User, uvicorn: Server
) -> None:
    world = one_of_each(network)
    page = await browse(locale="de-DE", viewport=PHONE)
    for name, query in (
        ("wall", ""),
        ("stations", ""),
        ("sessions", ""),
        ("transaction", ""),
        ("id_tags", ""),
        ("onboarding", ""),
        ("station", ""),
        ("station", "tab=configuration"),
        ("station", "tab=commands&do=restart"),
        ("station", "tab=messages"),
    ):
        await page.goto(uvicorn.http + address(name, world, query))
        assert await page.get_attribute("html", "lang") == "de"
        for direction in ("ltr", "rtl"):
            await page.evaluate(f"document.documentElement.dir = '{direction}'")
            wide, seen = await widths(page)
            assert wide <= seen, (name, query, direction)
