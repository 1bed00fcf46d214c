"""A session from plug to price: over a real socket, with a real Celery worker, asserted in the tables, the API and the page."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from ocpp.v16 import ChargePoint, call
from websockets.asyncio.client import connect

from accounts import services as accounts
from csms.simulator import SimulatedStation
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.peer import ago, basic, station
from tests.servers import Server, Worker, until


@pytest.fixture(scope="module")
def worker(django_db_setup: None) -> Iterator[Worker]:
    started = Worker()
    yield started
    started.kill()


@tables
def api(server: Server, network: Network, path: str) -> Any:
    """What the REST API says to a program of Ada's."""
    user = getattr(network, "ada", None)
    if user is None:
        user = network.ada = network.user()  # type: ignore[attr-defined]
        network.key = accounts.create_api_key(user=user)[1]  # type: ignore[attr-defined]
    client = http.client.HTTPConnection("127.0.0.1", server.port)
    client.request("GET", f"/api/v1/{path}", headers={"Authorization": f"Api-Key {network.key}"})  # type: ignore[attr-defined]
    response = client.getresponse()
    body = json.loads(response.read())
    assert response.status == 200, body
    return body


@pytest.mark.long
async def test_a_session_from_plug_to_price(server: Server, worker: Worker, network: Network) -> None:
    known = network.station()
    network.token("04A1B2C3D4")
    network.tariff()
    async with station(server.ocpp, known) as peer:
        assert (await peer.boot())["status"] == "Accepted"
        await peer.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"})
        assert (await peer.call("Authorize", {"idTag": "04a1b2c3d4"}))["idTagInfo"]["status"] == "Accepted"
        transaction = await peer.start("04a1b2c3d4", meter=1000, at=ago(1800))
        await peer.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
        await peer.meter(transaction, 6000, at=ago(900))
        running = api(server, network, f"transactions/?station={known.identity}")["results"][0]
        assert (running["status"], running["energy_wh"], running["power_w"]) == ("active", 5000, 11000)
        await peer.stop(transaction, 11_000, at=ago(0), idTag="04A1B2C3D4", reason="Local")

    (charged,) = network.transactions(known)
    assert (charged.energy_wh, charged.status, charged.stop_reason, charged.doubt) == (10_000, "ended", "Local", "")
    assert network.findings(known) == []

    # 10 kWh at 0.40, 30 minutes at 0.02, 0.50 a session: 5.10, and a quarter of it in tax.
    (record,) = until(network.charge_records)
    assert abs(record.total_incl_tax - Decimal("6.38")) <= Decimal("0.03")  # the clock moved on by a second or two
    told = api(server, network, f"transactions/{charged.pk}/")
    assert told["cost"]["total_incl_tax"] == str(record.total_incl_tax)
    assert told["energy_wh"] == 10_000
    assert (told["station"], told["id_tag"], told["ocpp_transaction_id"]) == (known.identity, "04a1b2c3d4", str(transaction))
    assert [s["energy_wh"] for s in api(server, network, f"meter-samples/?transaction={charged.pk}")["results"]] == [6000]
    actions = {m["action"] for m in api(server, network, f"messages/?station={known.identity}")["results"]}
    assert actions == {"BootNotification", "StatusNotification", "Authorize", "StartTransaction", "MeterValues", "StopTransaction"}

    assert str(record.total_incl_tax) in page(network)


@tables
def page(network: Network) -> str:
    """The first page as Ada sees it, without JavaScript."""
    browser = Client(headers={"host": "localhost"})
    browser.force_login(network.ada)  # type: ignore[attr-defined]
    return str(browser.get("/").content.decode())


async def test_a_foreign_client_charges(server: Server, worker: Worker, network: Network) -> None:
    """The client side of the `ocpp` package, which this project did not write."""
    known = network.station()
    network.token("FOREIGN")
    network.tariff()
    headers = basic(known.identity)
    async with connect(
        f"{server.ocpp}/{known.identity}", subprotocols=["ocpp1.6"], additional_headers=headers, proxy=None
    ) as socket:
        client = ChargePoint(known.identity, socket)
        listening = asyncio.create_task(client.start())
        booted = await client.call(call.BootNotification(charge_point_vendor="Foreign", charge_point_model="Client"))
        assert booted.status == "Accepted"
        await client.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Available"))
        assert (await client.call(call.Authorize(id_tag="FOREIGN"))).id_tag_info["status"] == "Accepted"
        started = await client.call(
            call.StartTransaction(connector_id=1, id_tag="FOREIGN", meter_start=5, timestamp=ago(600)), suppress=False
        )
        value = {"timestamp": ago(300), "sampled_value": [{"value": "1005", "unit": "Wh"}]}
        await client.call(call.MeterValues(connector_id=1, transaction_id=started.transaction_id, meter_value=[value]))
        await client.call(call.StopTransaction(transaction_id=started.transaction_id, meter_stop=2005, timestamp=ago(0)))
        await client.call(call.Heartbeat())
        listening.cancel()
    (record,) = until(network.charge_records)
    (charged,) = network.transactions(known)
    assert (charged.energy_wh, record.energy_wh) == (2000, 2000)


async def test_a_simulated_station_that_was_offline_delivers_its_session_late(server: Server, network: Network) -> None:
    known = network.station()
    network.token("CARD")
    async with SimulatedStation(server.ocpp, known.identity, password=PASSWORD) as simulated:
        await simulated.boot()
        await simulated.plug_in(1)
        await simulated.start(1, "CARD")
        await simulated.charge(1, seconds=300)
        await simulated.disconnect()
        await simulated.charge(1, seconds=600)
        await simulated.stop(1)
        await simulated.unplug(1)
        await simulated.reconnect()
        until(lambda: network.transactions(known)[0].status == "ended") if not simulated.queued else None
        while simulated.queued:
            await asyncio.sleep(0.02)
    (charged,) = network.transactions(known)
    assert charged.status == "ended"
    assert charged.energy_wh == charged.meter_stop_wh - charged.meter_start_wh > 0
    assert len(network.samples(known)) >= 10


async def test_an_accepted_station_that_comes_back_without_a_boot_is_heard(server: Server, network: Network) -> None:
    known = network.station()
    async with station(server.ocpp, known) as peer:
        await peer.boot()
    async with station(server.ocpp, known) as peer:
        assert "currentTime" in await peer.call("Heartbeat", {})
