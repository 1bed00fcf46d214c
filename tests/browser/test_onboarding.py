"""From the knock to the first charge in a browser: accepted on other terms, held, given a password, let go."""

import asyncio

import pytest
from playwright.async_api import expect

from stations.models import PasswordChange, Station
from tests import peer
from tests.browser.conftest import Open
from tests.browser.test_operating import owned, recorded
from tests.database import tables
from tests.network import Network
from tests.servers import Server


@pytest.mark.long
async def test_a_charger_is_held_configured_and_let_go(browse: Open, uvicorn: Server, network: Network) -> None:
    identity = f"{network.prefix}-HELD"
    page = await browse()
    await page.goto(f"{uvicorn.http}/onboarding/")
    assert (await peer.refusal(uvicorn.ocpp, identity)).status_code == 404
    async with asyncio.timeout(30):
        while not recorded(identity):
            await asyncio.sleep(0.02)
    owned(network, identity)
    await page.get_by_role("link", name=f"Other ways… {identity}").click()
    await expect(page.get_by_label("The one it sends: nothing has to be entered at the charger")).to_be_checked()
    await page.get_by_label("Hold it until it is configured: it is let in").check()
    await page.get_by_label("Name optional").fill("Ferry landing")
    await page.get_by_role("button", name="Accept", exact=True).click()
    await expect(page.get_by_text(f"{identity} is registered")).to_be_visible()
    async with peer.station(uvicorn.ocpp, identity) as charger:
        assert (await charger.boot())["status"] == "Pending"
        await page.goto(f"{uvicorn.http}/stations/{identity}/?tab=configuration")
        await page.wait_for_selector("[data-live=on]")
        await expect(page.locator("#held .dot.is-done")).to_have_count(3)
        await expect(page.locator("h1")).to_contain_text("Ferry landing")

        await page.get_by_role("button", name="Give it a new one, made for it").click()
        message_id, action, _payload = await charger.asked()
        assert action == "ChangeConfiguration"
        await expect(page.locator("#password")).to_contain_text("Until the charger has answered, the old and the new")
        await charger.tell(message_id, {"status": "Accepted"})
        # It changes by itself.
        await expect(page.locator("#password")).to_contain_text("It took the new password")

        await page.get_by_role("button", name="Let it charge").click()
        await expect(page.get_by_text("is accepted, and was asked to boot at once.")).to_be_visible()
        message_id, action, payload = await charger.asked()
        assert (action, payload) == ("TriggerMessage", {"requestedMessage": "BootNotification"})
        await charger.tell(message_id, {"status": "Accepted"})
        assert (await charger.boot())["status"] == "Accepted"
        await expect(page.locator("#held")).to_be_hidden()
    assert statuses(identity) == ["accepted"]


@tables
def statuses(identity: str) -> list[str]:
    station = Station.objects.with_scopes_disabled().get(identity=identity)
    return list(PasswordChange.objects.with_scopes_disabled().filter(station=station).values_list("status", flat=True))
