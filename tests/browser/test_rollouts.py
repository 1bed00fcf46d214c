"""A roll-out in the browser: planned step by step, started, watched as it goes, paused and gone on with."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.network import Network
from tests.servers import Server
from tests.stations.rollingout import advance, all_end, chargers, image, started


@pytest.mark.long
@pytest.mark.parametrize("scripts", [True, False], ids=["live", "without JavaScript"])
async def test_a_roll_out_is_planned_watched_paused_and_gone_on_with(
    browse: Open, uvicorn: Server, network: Network, bells: None, scripts: bool
) -> None:
    image(network)
    chargers(network, 4)
    page = await browse(live=scripts, java_script_enabled=scripts)
    await page.goto(f"{uvicorn.http}/rollouts/")
    await page.get_by_role("link", name="Plan a roll-out").first.click()
    # Nothing chosen: the step says so.
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_role("alert")).to_contain_text("Image")
    await page.get_by_label("Image", exact=True).select_option(label="Amber AG-22 2.1.0")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("textbox", name="Waves").fill("1, 100%")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Next").click()
    # Back and forth again: nothing is lost.
    await page.get_by_role("link", name="Waves").click()
    await expect(page.get_by_role("textbox", name="Waves")).to_have_value("1, 100%")
    await page.go_back()
    await page.get_by_role("textbox", name="Name").fill("Quay")
    await page.get_by_role("button", name="Start with 4 chargers").click()
    bar = page.get_by_role("progressbar")
    await expect(bar).to_have_attribute(
        "aria-valuetext", "0 of 4 done, 0 installing, 0 downloading, 4 waiting, 0 failed, 0 left out"
    )
    rollout = advance(started(network))
    all_end(rollout)
    advance(rollout)
    if not scripts:
        await page.reload()
    await expect(bar).to_have_attribute(
        "aria-valuetext", "1 of 4 done, 0 installing, 3 downloading, 0 waiting, 0 failed, 0 left out"
    )
    await page.get_by_role("button", name="Pause", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Paused")
    await page.get_by_role("button", name="Resume", exact=True).click()
    all_end(rollout, "download")
    advance(rollout)
    if not scripts:
        await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Done")
    await page.get_by_role("button", name="Retry 3 that failed").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Running")
