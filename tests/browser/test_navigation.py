"""The navigation: in one line, by keyboard, on a phone, and without a script."""

from playwright.async_api import Browser, Page, expect

from accounts.models import User
from tests.browser.conftest import Open, session_of
from tests.browser.test_axe import AXE, NARROW, judge
from tests.servers import Server


async def heights(page: Page) -> tuple[float, float]:
    """Of the bar on top, and of one link in it."""
    bar, link = await page.evaluate(
        "[document.querySelector('.top'), document.querySelector('.nav a')].map(one => one.getBoundingClientRect().height)"
    )
    return bar, link


async def test_menus_open_with_keys_and_close_with_escape_or_by_going_on(browse: Open, uvicorn: Server) -> None:
    page = await browse(live=False, viewport={"width": 1200, "height": 800})
    await page.goto(f"{uvicorn.http}/id-tags/")
    bar, link = await heights(page)
    assert bar < 2 * link, "more than one line"
    upkeep = page.locator(".nav summary", has_text="Upkeep")
    firmware = page.locator(".nav").get_by_role("link", name="Firmware", exact=True)
    await upkeep.focus()
    await page.keyboard.press("Enter")
    await expect(firmware).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(firmware).to_be_hidden()
    await expect(upkeep).to_be_focused()

    await page.keyboard.press("Enter")
    await page.locator(".nav summary", has_text="Management").click()
    await expect(firmware).to_be_hidden()  # one at a time
    webhooks = page.locator(".nav").get_by_role("link", name="Webhooks", exact=True)
    await expect(webhooks).to_be_visible()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.evaluate(AXE)
        assert await judge(page) == []
    await page.locator("main h1").click()
    await expect(webhooks).to_be_hidden()

    await upkeep.focus()
    await page.keyboard.press("Enter")
    for _ in ("Messages", "Logs", "Firmware"):
        await page.keyboard.press("Tab")
    await expect(firmware).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{uvicorn.http}/firmware/")


async def test_on_a_phone_and_without_a_script_menus_open_too(chromium: Browser, uvicorn: Server, ada: User) -> None:
    context = await chromium.new_context(viewport=NARROW, java_script_enabled=False)
    await context.add_cookies([{"name": "sessionid", "value": session_of(ada), "url": uvicorn.http}])
    page = await context.new_page()
    await page.goto(f"{uvicorn.http}/stations/")
    await page.locator(".nav summary", has_text="Management").click()
    people = page.locator(".nav").get_by_role("link", name="People", exact=True)
    box = await people.bounding_box()
    assert box
    assert box["x"] + box["width"] <= NARROW["width"]
    await people.click()
    await expect(page).to_have_url(f"{uvicorn.http}/people/")
    await context.close()
