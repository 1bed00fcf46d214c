"""The scripted steps and the answers to commands in OCPP 2.0.1, on a real socket against a foreign CSMS."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ocpp.v201 import call

from csms.simulator import ScriptedClock, SimulatedStation
from tests.simulator.central import running_central
from tests.simulator.central201 import Peer201, answer_in, contexts, told
from tests.simulator.test_station import frames
from tests.trying import often

START = datetime(2026, 11, 21, 9, tzinfo=UTC)
QUICK = {"TransactionMessageRetryInterval": "0"}
TOKEN = {"idToken": "DEE", "type": "ISO14443"}


def station(central, **more):
    return SimulatedStation(central.url, "SIM-0201", protocol="ocpp2.0.1", clock=ScriptedClock(START), configuration=QUICK, **more)


@pytest.fixture
async def sim(central201):
    async with station(central201) as running:
        await running.boot()
        yield running


def statuses(central, evse):
    return [p["connectorStatus"] for p in central.payloads("StatusNotification") if p["evseId"] == evse]


def events(central):
    return central.payloads("TransactionEvent")


async def test_a_session_from_plug_to_unplug(central201, sim):
    assert await sim.authorize("DEE") == "Accepted"
    await sim.plug_in(1)
    transaction = await sim.start(1, "DEE")
    await sim.charge(1, seconds=180)
    await sim.stop(1, tag="DEE")
    await sim.unplug(1)
    assert statuses(central201, 1) == ["Available", "Occupied", "Available"]
    assert statuses(central201, 2) == ["Available"]
    assert [told(payload) for payload in events(central201)] == [
        ("Started", "Authorized", "EVConnected", 0),
        ("Updated", "ChargingStateChanged", "Charging", 1),
        ("Updated", "MeterValuePeriodic", "Charging", 2),
        ("Updated", "MeterValuePeriodic", "Charging", 3),
        ("Updated", "MeterValuePeriodic", "Charging", 4),
        ("Ended", "StopAuthorized", "EVConnected", 5),
    ]
    first, *others = events(central201)
    assert first["evse"] == {"id": 1, "connectorId": 1}
    assert all("evse" not in other for other in others)
    assert [payload.get("idToken") for payload in events(central201)] == [TOKEN, None, None, None, None, TOKEN]
    assert {payload["transactionInfo"]["transactionId"] for payload in events(central201)} == {transaction}
    assert others[-1]["transactionInfo"]["stoppedReason"] == "Local"
    assert not any("offline" in payload for payload in events(central201))
    assert contexts(events(central201)) == ["Transaction.Begin", "Sample.Periodic", "Transaction.End"]
    assert registers(events(central201)[-1:])[0] - registers(events(central201)[:1])[0] == pytest.approx(1104, abs=1)
    boot = central201.payloads("BootNotification")[0]
    assert (boot["reason"], boot["chargingStation"]["vendorName"]) == ("PowerUp", "Simulated")


def registers(payloads):
    every = [value for one in payloads for meter in one.get("meterValue", []) for value in meter["sampledValue"]]
    return [value["value"] for value in every if value["measurand"] == "Energy.Active.Import.Register"]


async def test_events_of_an_outage_say_so_and_keep_their_numbers_and_times(central201, sim):
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    await sim.charge(1, seconds=60)
    await sim.disconnect(abrupt=True)
    await sim.charge(1, seconds=60)
    await sim.stop(1, tag="DEE")
    assert sim.queued == 2
    await sim.reconnect()
    assert sim.queued == 0
    assert [payload["seqNo"] for payload in events(central201)] == [0, 1, 2, 3, 4]
    assert [payload.get("offline", False) for payload in events(central201)] == [False, False, False, True, True]
    assert [payload["timestamp"] for payload in events(central201)[-2:]] == ["2026-11-21T09:02:00.000Z"] * 2
    assert central201.actions().count("BootNotification") == 1


async def test_a_session_that_began_offline_is_told_from_its_first_event_on(central201, sim):
    await sim.disconnect()
    await sim.plug_in(2)
    transaction = await sim.start(2, "DEE")
    assert transaction
    await sim.unplug(2)
    await sim.reconnect()
    assert [told(payload)[:2] for payload in events(central201)] == [
        ("Started", "Authorized"),
        ("Updated", "ChargingStateChanged"),
        ("Ended", "EVCommunicationLost"),
    ]
    assert all(payload["offline"] for payload in events(central201))
    assert events(central201)[-1]["transactionInfo"]["chargingState"] == "Idle"


async def test_a_card_before_the_cable_is_told_as_the_cable(central201, sim):
    await sim.present(1, "DEE")
    await sim.plug_in(1)
    assert told(events(central201)[0])[:2] == ("Started", "CablePluggedIn")


async def test_a_card_that_may_not_charge_has_its_session_ended_again(central201, sim):
    await sim.plug_in(1)
    await sim.start(1, "LOST")
    assert sim.find(1).transaction is None
    await central201.until(lambda: len(events(central201)) == 3)
    assert told(events(central201)[-1])[:2] == ("Ended", "Deauthorized")
    assert events(central201)[-1]["transactionInfo"]["stoppedReason"] == "DeAuthorized"


async def test_a_fault_suspends_the_session_and_a_full_battery_too(central201, sim):
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    await sim.fault(1, "GroundFailure")
    assert statuses(central201, 1)[-1] == "Faulted"
    await sim.recover(1)
    await sim.charge(1, seconds=4 * 3600, step=600)
    changes = [told(p)[2] for p in events(central201) if p["triggerReason"] == "ChargingStateChanged"]
    assert changes == ["Charging", "SuspendedEVSE", "Charging", "SuspendedEV"]
    assert statuses(central201, 1)[-2:] == ["Faulted", "Occupied"]


async def test_a_remote_start_is_told_with_its_number_and_a_remote_stop_ends_it(central201, sim):
    token = {"idToken": "DEE", "type": "Central"}
    await sim.plug_in(2)
    assert (await central201.peer.call(call.RequestStartTransaction(token, 77))).status == "Accepted"
    await central201.until(lambda: len(events(central201)) == 2)
    first = events(central201)[0]
    assert (first["triggerReason"], first["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 77)
    assert (first["evse"]["id"], first["idToken"]) == (2, token)
    assert central201.payloads("Authorize") == [{"idToken": token}]
    transaction = first["transactionInfo"]["transactionId"]
    assert (await central201.peer.call(call.RequestStopTransaction("none"))).status == "Rejected"
    assert (await central201.peer.call(call.UnlockConnector(2, 1))).status == "OngoingAuthorizedTransaction"
    assert (await central201.peer.call(call.RequestStopTransaction(transaction))).status == "Accepted"
    await central201.until(lambda: told(events(central201)[-1])[:2] == ("Ended", "RemoteStop"))
    assert (await central201.peer.call(call.RequestStartTransaction(token, 78, evse_id=9))).status == "Rejected"


async def test_a_remote_start_without_a_car_waits_for_the_cable(central201, sim):
    await central201.peer.call(call.RequestStartTransaction(TOKEN, 5, evse_id=1))
    await central201.until(lambda: sim.find(1).waiting_tag == "DEE")
    await sim.plug_in(1)
    assert events(central201)[0]["transactionInfo"]["remoteStartId"] == 5


async def test_an_immediate_reset_ends_the_session_and_boots(central201, sim):
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    assert (await central201.peer.call(call.Reset("Immediate"))).status == "Accepted"
    await central201.until(lambda: len(central201.payloads("BootNotification")) == 2 and sim.queued == 0 and sim.accepted)
    assert told(events(central201)[-1])[:2] == ("Ended", "ResetCommand")
    assert central201.payloads("BootNotification")[1]["reason"] == "RemoteReset"


async def test_a_reset_on_idle_waits_for_the_session(central201, sim):
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    assert (await central201.peer.call(call.Reset("OnIdle", evse_id=1))).status == "Rejected"
    assert (await central201.peer.call(call.Reset("OnIdle"))).status == "Scheduled"
    await sim.heartbeat()
    assert sim.find(1).transaction
    await sim.stop(1, tag="DEE")
    await central201.until(lambda: len(central201.payloads("BootNotification")) == 2 and sim.accepted)
    assert events(central201)[-1]["transactionInfo"]["stoppedReason"] == "Local"


async def test_availability_changes_at_once_or_when_the_session_ends(central201, sim):
    assert (await central201.peer.call(call.ChangeAvailability("Inoperative", {"id": 2}))).status == "Accepted"
    await central201.until(lambda: statuses(central201, 2)[-1] == "Unavailable")
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    assert (await central201.peer.call(call.ChangeAvailability("Inoperative"))).status == "Scheduled"
    await sim.stop(1)
    assert statuses(central201, 1)[-1] == "Unavailable"
    assert (await central201.peer.call(call.ChangeAvailability("Operative", {"id": 7}))).status == "Rejected"


async def test_a_base_report_comes_in_pages(central201, sim):
    assert (await central201.peer.call(call.GetBaseReport(12, "FullInventory"))).status == "Accepted"
    await central201.until(lambda: any(not page["tbc"] for page in central201.payloads("NotifyReport")))
    pages = central201.payloads("NotifyReport")
    assert [page["seqNo"] for page in pages] == list(range(len(pages)))
    assert [page["tbc"] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert len(pages) > 1
    assert {page["requestId"] for page in pages} == {12}


async def test_variables_are_read_and_changed(central201, sim):
    interval = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
    changed = await central201.peer.call(call.SetVariables([interval | {"attributeValue": "10"}]))
    assert changed.set_variable_result[0]["attribute_status"] == "Accepted"
    read = await central201.peer.call(call.GetVariables([interval]))
    assert read.get_variable_result[0]["attribute_value"] == "10"
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    await sim.charge(1, seconds=60)
    assert len([p for p in events(central201) if p["triggerReason"] == "MeterValuePeriodic"]) == 6


async def test_a_new_password_is_used_at_once(central201, sim):
    secret = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    central201.password = "0123456789abcdef"
    await central201.peer.call(call.SetVariables([secret | {"attributeValue": "0123456789abcdef"}]))
    await central201.until(lambda: len(central201.peers) == 2 and sim.connected)
    await sim.heartbeat()


@pytest.mark.parametrize(
    "message",
    ["BootNotification", "Heartbeat", "MeterValues", "FirmwareStatusNotification", "LogStatusNotification", "TransactionEvent"],
)
async def test_a_triggered_message_follows(central201, sim, message):
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    seen = len(central201.calls)
    assert (await central201.peer.call(call.TriggerMessage(message))).status == "Accepted"
    await central201.until(lambda: message in central201.actions()[seen:])


async def test_what_cannot_be_triggered_is_said(central201, sim):
    assert (await central201.peer.call(call.TriggerMessage("MeterValues", {"id": 9}))).status == "Rejected"
    assert (await central201.peer.call(call.TriggerMessage("TransactionEvent"))).status == "Rejected"
    seen = len(statuses(central201, 2))
    await central201.peer.call(call.TriggerMessage("StatusNotification", {"id": 2, "connectorId": 1}))
    await central201.until(lambda: len(statuses(central201, 2)) == seen + 1)


async def test_the_rest_is_answered(central201, sim):
    assert (await central201.peer.call(call.ClearCache())).status == "Accepted"
    assert (await central201.peer.call(call.DataTransfer("com.example"))).status == "UnknownVendorId"
    assert (await central201.peer.call(call.UnlockConnector(1, 1))).status == "Unlocked"
    assert (await central201.peer.call(call.UnlockConnector(1, 2))).status == "UnknownConnector"


async def test_an_unknown_action_is_not_implemented(central201, sim):
    await central201.peer._send(json.dumps([2, "x1", "MakeCoffee", {}]))
    await central201.until(lambda: answer_in(central201.frames, "x1") is not None)
    assert answer_in(central201.frames, "x1")[:3] == [4, "x1", "NotImplemented"]


def test_a_station_of_an_unknown_version_is_refused():
    with pytest.raises(ValueError, match=r"there is one of ocpp1\.6 and ocpp2\.0\.1"):
        SimulatedStation("ws://127.0.0.1/ocpp", "SIM", protocol="ocpp2.1")


@settings(max_examples=often(25), deadline=None)
@given(st.lists(frames, min_size=1, max_size=20))
def test_nothing_that_a_csms_says_breaks_the_station(said):
    async def listen():
        async with running_central(kinds={"ocpp2.0.1": Peer201}) as central, station(central) as sim:
            await sim.boot()
            for frame in said:
                await central.peer._connection.send(frame)
            await sim.heartbeat()
            assert sim.connected

    asyncio.run(listen())
