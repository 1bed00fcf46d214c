"""A session from plug to price as Ada watches it: a real station on a real socket, and a page that is never reloaded."""

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.network import Network
from tests.peer import ago, station
from tests.servers import Server, Worker, until


@pytest.fixture(scope="module")
def worker(django_db_setup: None) -> Iterator[Worker]:
    started = Worker()
    yield started
    started.kill()


async def test_a_session_from_plug_to_price_on_the_open_page(
    browse: Open, uvicorn: Server, worker: Worker, network: Network
) -> None:
    known = network.station()
    network.token("DEES-CARD")
    network.tariff(price_per_minute=0, price_per_session=0)
    async with station(uvicorn.ocpp, known) as peer:
        await peer.boot()
        await peer.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        page = await browse()
        await page.evaluate("window.notReloaded = true")
        connector = network.connectors(known)[1]
        tile = page.locator(f"#connector-{connector.pk}")
        await expect(tile).to_contain_text("Available")
        await peer.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
        transaction = await peer.start("DEES-CARD", at=ago(1200))
        await peer.meter(transaction, 6000, at=ago(5), watt=11_000)
        await expect(tile).to_contain_text("Charging")
        await expect(tile).to_contain_text("11.0\u202fkW")
        await expect(tile).to_contain_text("5.00\u202fkWh")
        await peer.stop(transaction, 11_000, at=ago(0))
        await peer.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        await expect(tile).to_contain_text("Available")
    until(network.charge_records)
    (charged,) = network.transactions(known)
    row = page.locator(f"#finished #transaction-{charged.pk}")
    # 10 kWh at 0.40, and 25 percent tax.
    await expect(row).to_contain_text("5.00\u202fEUR")
    await expect(row).to_contain_text("10.00\u202fkWh")
    assert await page.evaluate("window.notReloaded")
