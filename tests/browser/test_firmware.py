"""Firmware in the browser: an image is put into the library and brought onto a charger, whose progress is seen as it goes."""

import pytest
from playwright.async_api import expect

from tests import peer
from tests.browser.conftest import Open
from tests.dashboard.rows import seen
from tests.firmware import made_image, made_update, update_of
from tests.network import Network
from tests.servers import Server


@pytest.mark.long
@pytest.mark.parametrize("scripts", [True, False], ids=["live", "without JavaScript"])
async def test_an_image_is_added_and_a_charger_asked_to_take_it(
    browse: Open, uvicorn: Server, network: Network, bells: None, scripts: bool
) -> None:
    known = network.station(accepted=True, vendor="Acme", model="One", firmware_version="0.9")
    async with peer.station(uvicorn.ocpp, known) as charger:
        await charger.boot()
        page = await browse(live=scripts, java_script_enabled=scripts)
        await page.goto(f"{uvicorn.http}/firmware/")
        await page.get_by_role("link", name="Add the first one").click()
        await page.get_by_label("File", exact=True).set_input_files(
            {"name": "acme-2.0.bin", "mimeType": "application/octet-stream", "buffer": b"firmware" * 1000}
        )
        await page.get_by_label("Maker").fill("Acme")
        await page.get_by_label("Version").fill("2.0")
        await page.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("status").filter(has_text="Acme 2.0 is in the library.")).to_be_visible()
        await page.goto(f"{uvicorn.http}/stations/{known.identity}/?tab=firmware")
        await page.get_by_label("Why").fill("A lock sticks")
        await page.get_by_role("button", name="Update").click()
        message_id, action, _payload = await charger.asked()
        assert action == "UpdateFirmware"
        await charger.tell(message_id, {})
        await charger.call("FirmwareStatusNotification", {"status": "Installing"})
        row = page.locator(f"#firmware-update-{update_of(known).pk}")
        if not scripts:
            await page.reload()
        await expect(row).to_contain_text("Installing")
        told = {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": "2.0"}
        await charger.call("BootNotification", told)
        if not scripts:
            await page.reload()
        await expect(row).to_contain_text("The charger runs 2.0.")
        await expect(page.get_by_text("This charger runs 2.0.")).to_be_visible()


async def test_an_update_that_failed_is_tried_again_and_taken_back(browse: Open, uvicorn: Server, network: Network) -> None:
    known = network.station(accepted=True, vendor="Acme", model="One", firmware_version="1.0")
    seen(known, protocol="ocpp1.6")
    image = made_image(network.operator)
    failed = made_update(known, image, status="failed", reason="download", finished_at=known.created_at)
    page = await browse()
    await page.goto(f"{uvicorn.http}/stations/{known.identity}/?tab=firmware")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_text("attempt 2")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator("#firmware-updates")).to_contain_text("It was taken back.")
    assert update_of(known).pk != failed.pk
