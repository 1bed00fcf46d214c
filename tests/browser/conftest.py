"""A real Chromium, if there is one."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from accounts.models import User
from tests.database import tables
from tests.network import Network
from tests.servers import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]

Open = Callable[..., Awaitable[Page]]


async def holds(page: Page, expression: str, timeout: float = 30) -> None:
    """Waits until a JavaScript expression is true.

    Playwright's own `wait_for_function` asks the page to evaluate the string again and again, which our
    Content-Security-Policy forbids from the second time on; what is evaluated from outside is not the page's."""
    async with asyncio.timeout(timeout):
        while not await page.evaluate(f"!!({expression})"):
            await asyncio.sleep(0.05)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            # One event loop for all, since one browser is: starting Chromium takes as long as a test.
            if iscoroutinefunction(getattr(item, "obj", None)):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip("No Chromium on the PATH: install one, on Debian with `apt-get install chromium`.")
                )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@tables
def session_of(user: User) -> str:
    from django.test import Client

    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


@pytest.fixture
def ada(network: Network) -> User:
    return network.user()


@pytest_asyncio.fixture(loop_scope="session")
async def browse(chromium: Browser, uvicorn: Server, ada: User) -> AsyncIterator[Open]:
    """`await browse()` opens Ada's wall, live. Options are those of a Playwright context. A page that complains fails the test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    async def open_wall(*, live: bool = True, prepare: Callable[[Page], Awaitable[Any]] | None = None, **options: Any) -> Page:
        context = await chromium.new_context(**options)
        contexts.append(context)
        await context.add_cookies([{"name": "sessionid", "value": session_of(ada), "url": uvicorn.http}])
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        if prepare:
            await prepare(page)
        await page.goto(uvicorn.http)
        if live:
            await page.wait_for_selector("[data-live=on]")
            # The first fragment is the whole wall: from here on nothing but bells changes the page.
            await holds(page, "heardAt && lostAt === null && document.querySelector('#summary')")
        return page

    yield open_wall
    for context in contexts:
        await context.close()
    assert complaints == []
