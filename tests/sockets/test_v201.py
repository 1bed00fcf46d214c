"""OCPP 2.0.1 over a real socket, on both servers: a session from plug to price, the device model, and a change of version."""

import itertools
import random
from typing import Any

import pytest
from django_scopes import scopes_disabled

from billing import tasks
from stations.domain import commands
from stations.models import Variable
from tests.database import tables
from tests.network import Network
from tests.peer import Peer, ago, station
from tests.servers import Server, until
from tests.sockets.test_commands import becomes, issue

V201 = {"subprotocols": ["ocpp2.0.1"]}


def energy(wh: float, context: str, seconds_ago: float) -> list[dict[str, Any]]:
    return [{"timestamp": ago(seconds_ago), "sampledValue": [{"value": wh, "context": context}]}]


async def test_a_session_from_plug_to_price(server: Server, network: Network) -> None:
    known = network.station()
    network.token("04A1B2C3")
    network.tariff()
    async with station(server.ocpp, known, **V201) as peer:
        assert (await peer.boot())["status"] == "Accepted"
        await peer.call("StatusNotification", {"timestamp": ago(900), "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1})
        token = {"idToken": "04a1b2c3", "type": "ISO14443"}
        assert (await peer.call("Authorize", {"idToken": token}))["idTokenInfo"]["status"] == "Accepted"
        answer = await peer.event(
            "Started",
            "tx-1",
            0,
            trigger="Authorized",
            timestamp=ago(900),
            evse={"id": 1, "connectorId": 1},
            idToken=token,
            info={"chargingState": "EVConnected"},
            meterValue=energy(1000, "Transaction.Begin", 900),
        )
        assert answer == {"idTokenInfo": {"status": "Accepted"}}
        await peer.event("Updated", "tx-1", 1, timestamp=ago(890), info={"chargingState": "Charging"})
        assert network.connectors(known)[1].status == "Charging"
        await peer.event("Updated", "tx-1", 2, timestamp=ago(450), meterValue=energy(6000, "Sample.Periodic", 450))
        await peer.event(
            "Ended",
            "tx-1",
            3,
            trigger="StopAuthorized",
            timestamp=ago(0),
            info={"stoppedReason": "Local"},
            meterValue=energy(11_000, "Transaction.End", 0),
        )
        await peer.call("StatusNotification", {"timestamp": ago(0), "connectorStatus": "Available", "evseId": 1, "connectorId": 1})
    (charged,) = network.transactions(known)
    assert (charged.energy_wh, charged.status, charged.doubt, charged.id_tag) == (10_000, "ended", "", "04a1b2c3")
    assert network.connectors(known)[1].status == "Available"
    assert network.findings(known) == []
    tables(tasks.make_charge_records)()
    (record,) = network.charge_records()
    assert record.energy_wh == 10_000


EVENTS = ("Started", "Updated", "Updated", "Ended")


@pytest.mark.parametrize("seed", range(6))
async def test_events_in_any_order_and_twice_give_one_energy_and_one_bill(seed: int, uvicorn: Server, network: Network) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    order = [*range(4), *random.Random(seed).sample(range(4), 2)]
    random.Random(seed).shuffle(order)
    async with station(uvicorn.ocpp, known, **V201) as peer:
        for number in order:
            await tell(peer, number)
    (charged,) = network.transactions(known)
    assert (charged.energy_wh, charged.status, charged.doubt) == (3000, "ended", "")
    assert (charged.meter_start_wh, charged.meter_stop_wh) == (1000, 4000)
    assert charged.id_tag == "CARD"
    assert [sample.energy_wh for sample in network.samples(known)] == [1000, 2000, 3000, 4000]
    assert len(network.outbox()) == 1


async def tell(peer: Peer, number: int) -> None:
    more: dict[str, Any] = {"timestamp": f"2026-11-20T10:0{number}:00Z"}
    sampled = [{"value": 1000 * (number + 1), "context": "Sample.Periodic"}]
    more["meterValue"] = [{"timestamp": more["timestamp"], "sampledValue": sampled}]
    if number == 0:
        more |= {"evse": {"id": 1, "connectorId": 1}, "idToken": {"idToken": "CARD", "type": "ISO14443"}}
    await peer.event(EVENTS[number], "tx-9", number, **more)


async def test_a_gap_holds_the_bill_until_it_is_filled(uvicorn: Server, network: Network) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    async with station(uvicorn.ocpp, known, **V201) as peer:
        for number in (0, 1, 3):
            await tell(peer, number)
        (held,) = network.transactions(known)
        assert (held.status, held.doubt) == ("ended", "events_missing")
        assert network.outbox() == []
        await tell(peer, 2)
    (charged,) = network.transactions(known)
    assert (charged.doubt, charged.energy_wh) == ("", 3000)
    assert len(network.outbox()) == 1


async def test_a_report_fills_the_device_model_and_confirms_the_command(server: Server, network: Network, bells: None) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known, **V201) as peer:
        asked = issue(known, commands.GetBaseReport())
        message_id, action, payload = await peer.asked()
        assert action == "GetBaseReport"
        await peer.tell(message_id, {"status": "Accepted"})
        becomes(asked, "accepted")
        pages = itertools.count()
        for name, value, more in (("HeartbeatInterval", "300", True), ("BasicAuthPassword", "do-not-keep-this-one", False)):
            data = {
                "component": {"name": "OCPPCommCtrlr"},
                "variable": {"name": name},
                "variableAttribute": [{"value": value, "mutability": "ReadWrite"}],
                "variableCharacteristics": {"dataType": "string", "supportsMonitoring": False},
            }
            report = {
                "requestId": payload["requestId"],
                "generatedAt": ago(0),
                "seqNo": next(pages),
                "tbc": more,
                "reportData": [data],
            }
            await peer.call("NotifyReport", report)
        becomes(asked, "confirmed")
        assert kept(known.pk) == {"HeartbeatInterval": "300", "BasicAuthPassword": None}
        settings = [{"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "60"}]
        changed = issue(known, commands.SetVariables(settings))
        message_id, action, payload = await peer.asked()
        result = {key: payload["setVariableData"][0][key] for key in ("component", "variable")}
        await peer.tell(message_id, {"setVariableResult": [result | {"attributeStatus": "Accepted"}]})
        becomes(changed, "confirmed")
    assert kept(known.pk)["HeartbeatInterval"] == "60"


async def test_a_remote_start_is_confirmed_by_its_number(server: Server, network: Network, bells: None) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    async with station(server.ocpp, known, **V201) as peer:
        asked = issue(known, commands.RemoteStart("CARD", evse=1))
        message_id, action, payload = await peer.asked()
        assert action == "RequestStartTransaction"
        await peer.tell(message_id, {"status": "Accepted"})
        info = {"remoteStartId": payload["remoteStartId"]}
        await peer.event("Started", "tx-2", 0, trigger="RemoteStart", info=info, evse={"id": 1}, idToken=payload["idToken"])
        becomes(asked, "confirmed")


async def test_a_station_that_moves_to_2_0_1_keeps_its_tags_and_its_open_transactions_are_closed(
    server: Server, network: Network
) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    async with station(server.ocpp, known) as peer:
        await peer.start("CARD", at=ago(600))
    async with station(server.ocpp, known, **V201) as peer:
        await peer.boot()
        answer = await peer.call("Authorize", {"idToken": {"idToken": "CARD", "type": "ISO14443"}})
        assert answer["idTokenInfo"]["status"] == "Accepted"
    until(lambda: network.transactions(known)[0].status == "ended")
    (old,) = network.transactions(known)
    assert old.doubt == "stop_missing"
    assert "protocol_changed" in network.findings(known)


async def test_a_station_that_speaks_1_6_on_this_connection_is_told_so_and_keeps_it(uvicorn: Server, network: Network) -> None:
    """lbbrhzn/ocpp#2008"""
    known = network.station(accepted=True)
    async with station(uvicorn.ocpp, known, **V201) as peer:
        frame = await peer.exchange("BootNotification", {"chargePointVendor": "FoxESS", "chargePointModel": "A022KP1"})
        assert (frame[0], frame[2]) == (4, "FormatViolation")
        assert "currentTime" in await peer.call("Heartbeat", {})
    assert network.findings(known) == ["payload_invalid"]


async def test_an_unreadable_frame_is_answered_with_the_id_minus_one(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known, **V201) as peer:
        await peer.send("{{{")
        assert (await peer.receive())[:3] == [4, "-1", "RpcFrameworkError"]
        await peer.send('[9,"x",{}]')
        assert (await peer.receive())[:3] == [4, "x", "MessageTypeNotSupported"]
        assert "currentTime" in await peer.call("Heartbeat", {})


@tables
def kept(station_id: int) -> dict[str, str | None]:
    with scopes_disabled():
        return dict(Variable.objects.filter(station_id=station_id).values_list("variable", "value"))
