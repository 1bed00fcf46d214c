"""What operators do in a browser: accept a charger, stop a session, block a tag and think better of it. Each by keys alone too."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from stations.models import Refusal
from tests import peer
from tests.browser.conftest import Open
from tests.dashboard.rows import plug, session
from tests.database import tables
from tests.network import Network
from tests.servers import Server


@tables
def owned(network: Network, identity: str) -> None:
    """An unknown charger's knock belongs to the only operator there is; beside those of other tests that is none."""
    Refusal.objects.with_scopes_disabled().filter(identity=identity).update(operator=network.operator)


@tables
def recorded(identity: str) -> bool:
    return Refusal.objects.with_scopes_disabled().filter(identity=identity).exists()


async def press(page: Page, name: str, *, keys: bool) -> None:
    """Press a button: with the mouse, or by going to it with the tab key and hitting enter."""
    button = page.get_by_role("button", name=name, exact=True)
    await expect(button).to_be_visible()
    if not keys:
        await button.click()
        return
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await button.evaluate("button => button === document.activeElement"):
            await page.keyboard.press("Enter")
            return
    raise AssertionError(f"The tab key does not reach {name}.")


by_mouse_and_keys = pytest.mark.parametrize("keys", [pytest.param(False, marks=pytest.mark.long), True], ids=["mouse", "keys"])


@pytest.mark.long
@by_mouse_and_keys
async def test_a_new_charger_is_accepted_with_what_it_sends(browse: Open, uvicorn: Server, network: Network, keys: bool) -> None:
    identity = f"{network.prefix}-NEW"
    page = await browse()
    await page.goto(f"{uvicorn.http}/onboarding/")
    await expect(page.get_by_text("Waiting for a charger to dial in…")).to_be_visible()
    assert (await peer.refusal(uvicorn.ocpp, identity)).status_code == 404
    async with asyncio.timeout(30):
        while not recorded(identity):
            await asyncio.sleep(0.02)
    owned(network, identity)
    # The page shows it by itself.
    await press(page, f"Accept {identity} with its password", keys=keys)
    await expect(page.get_by_text(f"Waiting for {identity} to dial in…")).to_be_visible()
    await expect(page.get_by_text("Nothing has to be entered at the charger")).to_be_visible()
    await expect(page.locator("#secret-password")).to_have_count(0)
    async with peer.station(uvicorn.ocpp, identity) as charger:
        await charger.boot()
        await expect(page.locator("#arrival")).to_have_class("arrival is-available")
        await expect(page.locator("#arrival")).to_contain_text(f"{identity} is connected.")
        await expect(page.get_by_role("status").filter(has_text=f"{identity} is connected.")).to_have_count(1)


@pytest.mark.long
@by_mouse_and_keys
async def test_a_session_is_stopped(browse: Open, uvicorn: Server, network: Network, keys: bool) -> None:
    network.token("CARD")
    known = network.station(accepted=True)
    async with peer.station(uvicorn.ocpp, known) as charger:
        number = await charger.start("CARD", at=peer.ago(600))
        [running] = network.transactions(known)
        page = await browse()
        await page.goto(f"{uvicorn.http}/transactions/{running.pk}/")
        await press(page, "Stop this session", keys=keys)
        message_id, action, payload = await charger.asked()
        assert (action, payload) == ("RemoteStopTransaction", {"transactionId": number})
        await expect(page.get_by_text("The charger has been asked to stop.")).to_be_visible()
        await charger.tell(message_id, {"status": "Accepted"})
        await charger.stop(number, 4000, reason="Remote")
        await expect(page.locator("#session-now")).to_contain_text("Finished")
        await expect(page.locator("#commands .is-confirmed")).to_have_count(1)
        await expect(page.get_by_role("button", name="Stop this session")).to_have_count(0)
        await expect(page.locator("#session-timeline")).to_contain_text("Stopped")


@by_mouse_and_keys
async def test_a_tag_is_blocked_and_that_is_undone(browse: Open, uvicorn: Server, network: Network, keys: bool) -> None:
    card = network.token("DEE-CARD")
    page = await browse()
    await page.goto(f"{uvicorn.http}/id-tags/?q=dee")
    row = page.locator(f"#id-tag-{card.pk}")
    await press(page, "Block DEE-CARD", keys=keys)
    await expect(row).to_contain_text("Blocked")
    await press(page, "Undo", keys=keys)
    await expect(row).to_contain_text("Accepted")
    await expect(page.get_by_text("DEE-CARD is accepted again.")).to_be_visible()
    assert page.url.endswith("/id-tags/?q=dee")


async def test_all_of_it_works_without_javascript(browse: Open, uvicorn: Server, network: Network) -> None:
    running = session(plug(network, "Charging"))
    page = await browse(live=False, java_script_enabled=False)
    await page.goto(f"{uvicorn.http}/transactions/{running.pk}/")
    await page.get_by_role("button", name="Stop this session").click()
    await expect(page.get_by_text("The charger has been asked to stop.")).to_be_visible()
    await page.goto(f"{uvicorn.http}/onboarding/")
    await page.get_by_label("Identity").fill(f"{network.prefix}-PAPER")
    await page.get_by_role("button", name="Register").click()
    await expect(page.locator("#secret-password")).to_be_visible()
    await expect(page.get_by_role("button", name="Copy")).to_have_count(0)
