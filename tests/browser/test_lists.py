"""Lists in a browser: they follow what is typed and what happens, and nobody loses their place by it."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, holds
from tests.dashboard.rows import plug, seen, session
from tests.database import tables
from tests.network import Network
from tests.servers import Server


@tables
def becomes(connector: object, status: str) -> None:
    type(connector).objects.with_scopes_disabled().filter(pk=connector.pk).update(status=status)  # type: ignore[attr-defined]


async def test_the_list_of_chargers_is_live_and_keeps_focus_and_ticks(browse: Open, uvicorn: Server, network: Network) -> None:
    first, second = plug(network, "Available"), plug(network, "Available")
    page = await browse()
    await page.goto(f"{uvicorn.http}/stations/")
    row = page.locator(f"#station-{first.evse.station.pk}")
    await expect(row).to_contain_text("Available")
    box = row.get_by_role("checkbox")
    await box.focus()
    await page.keyboard.press("Space")
    await page.evaluate("window.kept = document.activeElement")
    becomes(first, "Faulted")
    await expect(row).to_contain_text("Faulted")
    await expect(page.locator(".chips")).to_contain_text("Faulted 1")
    await expect(box).to_be_checked()
    assert await page.evaluate("window.kept === document.activeElement")
    await expect(page.locator("[data-ticked]")).to_have_text("1")
    # Paused, it stays as it is; resumed, it catches up at once.
    await page.get_by_role("button", name="Pause updates").click()
    becomes(second, "Charging")
    said = await page.locator(".downloads time").get_attribute("datetime")
    await expect(page.locator("#live-word")).to_have_text("Paused")
    await page.get_by_role("button", name="Resume updates").click()
    await expect(page.locator(f"#station-{second.evse.station.pk}")).to_contain_text("Charging")
    assert await page.locator(".downloads time").get_attribute("datetime") != said


@pytest.mark.long
async def test_the_list_follows_what_is_typed_and_then_stays_with_it(browse: Open, uvicorn: Server, network: Network) -> None:
    network.station(identity=f"{network.prefix}-HARBOUR", iccid="8931081")
    network.station(identity=f"{network.prefix}-OTHER")
    page = await browse()
    await page.goto(f"{uvicorn.http}/stations/?cols=iccid")
    await page.get_by_label("Search").press_sequentially("893108")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await holds(page, "location.search.includes('q=893108') && location.search.includes('cols=iccid')")
    # The next reading is of what was typed, too.
    became = await page.locator(".downloads time").get_attribute("datetime")
    await holds(page, f"document.querySelector('.downloads time').dateTime !== '{became}'")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.get_by_text("Save this view").click()
    await page.get_by_label("Name of the view").fill("By card")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("link", name="By card")).to_have_attribute("aria-current", "true")


async def test_several_are_asked_by_keys_alone(browse: Open, uvicorn: Server, network: Network) -> None:
    for _ in range(3):
        seen(network.station(accepted=True))
    page = await browse()
    await page.goto(f"{uvicorn.http}/stations/")
    await page.get_by_label("Tick all on this page").focus()
    await page.keyboard.press("Space")
    await expect(page.locator("[data-ticked]")).to_have_text("3")
    button = page.get_by_role("button", name="Command for the ticked")
    await button.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Forget remembered id tags").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("To confirm").focus()
    await page.keyboard.type("3")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Forget remembered id tags 3 chargers")
    await expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()


@pytest.mark.long
async def test_the_list_of_sessions_is_live(browse: Open, uvicorn: Server, network: Network) -> None:
    page = await browse()
    await page.goto(f"{uvicorn.http}/transactions/?status=active")
    await expect(page.get_by_text("No session fits")).to_be_visible()
    running = session(plug(network, "Charging"))
    await expect(page.locator(f"#transaction-{running.pk}")).to_contain_text("11.0")
    await page.get_by_label("Charger").fill("nowhere")
    await expect(page.locator("tbody tr")).to_have_count(0)


async def test_these_pages_fit_a_narrow_phone(browse: Open, uvicorn: Server, network: Network) -> None:
    session(plug(network, "Charging"))
    page = await browse(viewport={"width": 320, "height": 640})
    for path in ("stations/", "transactions/?status=active", "commands/?all=on&do=restart", "id-tags/enrol/"):
        await page.goto(f"{uvicorn.http}/{path}")
        assert await page.evaluate("document.documentElement.scrollWidth") == 320, path
