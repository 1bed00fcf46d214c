"""A person's first day, in a browser: invited, in, a second factor, out, and in again with it."""

import pytest
from playwright.async_api import Browser, Page, expect

from accounts.models import User
from tests.browser.conftest import session_of
from tests.browser.test_axe import AXE, NARROW, judge
from tests.database import tables
from tests.network import Network
from tests.people.conftest import code_of
from tests.servers import Server

PASSWORD = "plugs-and-sockets"


async def fine(page: Page, in_the_dark: bool = True) -> None:
    """axe finds nothing, in the light and in the dark, and nothing sticks out on a telephone."""
    await page.evaluate(AXE)
    assert await judge(page) == [], page.url
    if in_the_dark:
        await page.emulate_media(color_scheme="dark")
        assert await judge(page, ["color-contrast"]) == [], page.url
    size = page.viewport_size
    await page.set_viewport_size(NARROW)
    assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], page.url
    await page.emulate_media(color_scheme="light")
    assert size
    await page.set_viewport_size(size)


@pytest.mark.long
@pytest.mark.parametrize("in_the_dark", [False, True], ids=["light", "both themes"])
async def test_invited_joined_protected_and_in_again(
    chromium: Browser, uvicorn: Server, network: Network, ada: User, in_the_dark: bool
) -> None:
    hers = await chromium.new_context()
    await hers.add_cookies([{"name": "sessionid", "value": session_of(ada), "url": uvicorn.http}])
    page = await hers.new_page()
    await page.goto(f"{uvicorn.http}/people/")
    email = f"dora.{network.tag}@example.org"
    await page.locator("#invite_email").fill(email)
    await page.locator("#invite_role").select_option("technician")
    await page.get_by_role("button", name="Invite", exact=True).click()
    link = await page.locator("#fresh-link").inner_text()
    await fine(page, in_the_dark)

    doras = await chromium.new_context()
    page = await doras.new_page()
    await page.goto(link)
    await fine(page, in_the_dark)
    await page.get_by_label("Your name").fill("Dora Diaz")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Join").click()
    await page.get_by_role("link", name="Dora Diaz").click()
    await expect(page.get_by_role("heading", name="My account")).to_be_visible()

    await page.get_by_role("link", name="Set up the second factor").click()
    await fine(page, in_the_dark)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Continue").click()
    # The picture is there: our Content-Security-Policy lets it through.
    assert await page.locator("img.qr").evaluate("one => one.complete && one.naturalWidth > 0")
    await fine(page, in_the_dark)
    secret = await page.locator("#totp-secret").inner_text()
    await page.get_by_label("The six digits").fill(code_of(secret))
    await page.get_by_role("button", name="Set up").click()
    await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    await fine(page, in_the_dark)
    codes = await page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10

    await page.get_by_role("button", name="Log out").click()
    await fine(page, in_the_dark)
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in", exact=True).click()
    await fine(page, in_the_dark)
    await page.get_by_label("Code").fill("000000")
    await page.get_by_role("button", name="Log in", exact=True).click()
    await expect(page.get_by_text("This code is not right")).to_be_visible()
    await fine(page, in_the_dark)
    await page.get_by_label("Code").fill(codes[3])
    await page.get_by_role("button", name="Log in", exact=True).click()
    await page.wait_for_url(f"{uvicorn.http}/")
    await page.goto(f"{uvicorn.http}/account/codes/new/")
    await fine(page, in_the_dark)
    await hers.close()
    await doras.close()


@pytest.mark.long
async def test_the_pages_around_a_password_are_fine(chromium: Browser, uvicorn: Server, network: Network) -> None:
    @tables
    def dora() -> User:
        return network.user("dora", role="viewer")

    await_for = dora()
    context = await chromium.new_context()
    page = await context.new_page()
    for path in ("/password/", "/password/sent/", "/password/done/", "/password/1-x/", "/login/off/", "/join/nonsense/"):
        await page.goto(uvicorn.http + path)
        await fine(page)
    await context.add_cookies([{"name": "sessionid", "value": session_of(await_for), "url": uvicorn.http}])
    await page.goto(f"{uvicorn.http}/account/")
    await fine(page)
    await page.locator("#id_old").fill("wrong")
    await page.locator("#id_password").fill("sockets-and-plugs")
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_text("This is not your password")).to_be_visible()
    await fine(page)
    await context.close()
