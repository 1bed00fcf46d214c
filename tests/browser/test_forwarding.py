"""A second back end from its address to the first messages there, by the page alone."""

import pytest

from csms.forwarding.models import Forward
from tests.browser.conftest import Open, holds
from tests.database import tables
from tests.forwarding.backend import backend
from tests.forwarding.conftest import at_work
from tests.network import Network


@pytest.mark.long
async def test_a_back_end_is_added_tested_and_removed(browse: Open, network: Network) -> None:
    station = network.station(accepted=True)
    with backend(status=404) as them:
        page = await browse(live=False)
        await page.click("summary:has-text('Management')")
        await page.click("nav >> text=Forwarding")
        await page.click("main .empty >> text=Forward to a back end")
        await page.fill("#id_name", "Fleet")
        await page.fill("#id_url", them.url)
        await page.check("text=Those named below")
        await page.fill("#id_stations", station.identity)
        await page.click("button.main")
        await page.click("button:has-text('Test it')")
        assert "It answered 404" in await page.inner_text("main .note")
        them.status = 0
        await page.click("button:has-text('Test it')")
        assert f"It lets {station.identity} in." in await page.inner_text("main .note")
        with at_work():
            # The page shows by itself that the charger was found.
            await holds(page, f"document.querySelector('#links').innerText.includes({station.identity!r})")
        await page.click("button[value=pause]")
        await holds(page, "document.querySelector('#forward-state').innerText.includes('Paused')")
        await page.click("text=Remove…")
        await page.click("text=Forward no more")
        await holds(page, "document.body.innerText.includes('Nothing is forwarded')")
    assert tables(Forward._base_manager.filter(operator=network.operator).count)() == 0
