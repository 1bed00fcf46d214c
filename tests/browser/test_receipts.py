"""From the plug to the receipt: a simulated charger, a driver's phone, a worker, and the PDF on the disk."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from billing.models import Receipt
from csms.simulator import SimulatedStation
from tests.browser.conftest import session_of
from tests.browser.test_driver import lately, phone, worker
from tests.database import tables
from tests.driver.dee import driver_of
from tests.network import PASSWORD, Network
from tests.servers import Server, Worker, until

__all__ = ["worker"]
pytestmark = pytest.mark.long


@tables
def receipts_of(network: Network) -> list[Receipt]:
    return list(Receipt.objects.with_scopes_disabled().filter(operator=network.operator))


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_session_from_the_plug_to_the_pdf(
    chromium: Browser, uvicorn: Server, worker: Worker, network: Network, tmp_path: Path, theme: Any
) -> None:
    known = network.station()
    network.tariff()
    dee = driver_of(network)
    async with (
        SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, clock=lately()) as sim,
        phone(chromium, color_scheme=theme, accept_downloads=True) as page,
    ):
        await sim.boot()
        await page.context.add_cookies([{"name": "sessionid", "value": session_of(dee), "url": uvicorn.http}])
        await page.goto(f"{uvicorn.http}/charge/{known.identity}/1")
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.locator("#state")).to_contain_text("Waiting for you to plug in", timeout=30_000)
        await sim.plug_in(1)
        await expect(page.locator("h1")).to_contain_text("You are charging", timeout=30_000)
        await sim.charge(1, seconds=1190)
        await page.get_by_role("button", name="Stop charging").click()
        await expect(page.locator("h1")).to_contain_text("You have charged", timeout=30_000)
        await page.get_by_role("link", name="Receipt", exact=True).click(timeout=30_000)
        (receipt,) = until(lambda: receipts_of(network))
        # Opened a moment too early, the page looks again by itself.
        await expect(page.locator(".receipt")).to_contain_text(receipt.label, timeout=30_000)
        await expect(page.locator(".receipt")).to_contain_text(receipt.content["table"]["total"][1])
        for width in (390, 320):
            await page.set_viewport_size({"width": width, "height": 844})
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            await page.screenshot(path=tmp_path / f"receipt-{theme}-{width}.png", full_page=True)
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Download as PDF").click()
        download = await downloading.value
        assert download.suggested_filename == f"receipt-{receipt.label.lower()}.pdf"
        await download.save_as(tmp_path / "receipt.pdf")
        assert (tmp_path / "receipt.pdf").read_bytes().startswith(b"%PDF-1.7")
    assert receipt.number == 1
