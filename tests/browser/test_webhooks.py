"""A webhook from its address to the answer to its test."""

import pytest

from csms.webhooks import dispatch
from tests.browser.conftest import Open, holds
from tests.database import tables
from tests.webhooks.receiver import answer, receiver
from tests.webhooks.test_signing import documented


@pytest.mark.long
async def test_a_webhook_is_added_tested_and_sent_again(browse: Open) -> None:
    with receiver(answer(500, b"not yet")) as them:
        page = await browse(live=False)
        await page.click("summary:has-text('Management')")
        await page.click("nav >> text=Webhooks")
        await page.click("text=Add the first one")
        await page.fill("#id_url", them.url)
        await page.uncheck("text=How far a session is")
        await page.click("button.main")
        secret = await page.inner_text("#secret")
        await page.reload()
        assert await page.query_selector("#secret") is None
        await page.click("text=Send a test")
        # It is sent by a job; the page shows by itself how it went.
        tables(dispatch.run)()
        await holds(page, "document.querySelector('#deliveries').innerText.includes('To be tried again')")
        assert "not yet" in await page.text_content("#deliveries pre >> nth=1")
        them.behaviour = answer(200)
        await page.click("#deliveries button:text('Send it again')")
        tables(dispatch.run)()
        await page.reload()
        await holds(page, "document.querySelector('#deliveries').innerText.includes('Delivered')")
        assert all(documented()(secret, call.headers, call.body) for call in them.calls)
        assert len(them.calls) == 2
        await page.click("text=Remove…")
        await page.click("text=Remove the webhook")
        await holds(page, "document.body.innerText.includes('No webhooks yet')")
