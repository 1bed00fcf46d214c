"""The log of a charger in a browser: got with one click, followed as it comes, downloaded, deleted."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests import peer
from tests.browser.conftest import Open
from tests.browser.test_operating import press
from tests.files.conftest import send
from tests.network import Network
from tests.servers import Server


@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.long)], ids=["scripts", "no scripts"])
async def test_the_log_comes_with_one_click(browse: Open, uvicorn: Server, network: Network, scripts: bool) -> None:
    who = network.station()
    async with peer.station(uvicorn.ocpp, who) as charger:
        await charger.boot()
        page = await browse(live=False, java_script_enabled=scripts)
        await page.goto(f"{uvicorn.http}/stations/{who.identity}/")
        await press(page, "Get the log", keys=scripts)
        message_id, action, payload = await charger.asked()
        assert action == "GetDiagnostics"
        await charger.tell(message_id, {"fileName": "ev.log"})
        await charger.call("DiagnosticsStatusNotification", {"status": "Uploading"})
        path = urlsplit(payload["location"]).path
        assert (await asyncio.to_thread(send, uvicorn, "PUT", path + "ev.log", b"what was written"))[0] == 201
        if not scripts:
            await page.reload()
        # With scripts the page shows it by itself.
        download = page.get_by_role("link", name=f"Download {who.identity} ev.log")
        await expect(download).to_be_visible()
        async with page.expect_download() as coming:
            await download.click()
        file = await coming.value
        assert file.suggested_filename.endswith("-ev.log")
        assert Path(await file.path()).read_bytes() == b"what was written"
        await page.locator(".log-delete summary").click()
        await page.get_by_role("button", name="Delete it").click()
        await expect(page.get_by_text("No log of this charger has been asked for yet, or all are deleted.")).to_be_visible()
