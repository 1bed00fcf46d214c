"""What the CSMS may ask."""

import json

import pytest
from ocpp.v16 import call

from csms.simulator import SimulatedStation


@pytest.fixture
async def sim(central):
    async with SimulatedStation(central.url, "SIM-0001", configuration={"TransactionMessageRetryInterval": "0"}) as station:
        await station.boot()
        yield station


async def test_a_remote_start_authorises_and_begins_where_a_car_waits(central, sim):
    await sim.plug_in(2)
    assert (await central.peer.call(call.RemoteStartTransaction("DEE"))).status == "Accepted"
    await central.until(lambda: central.statuses(2)[-1] == "Charging")
    assert central.payloads("Authorize") == [{"idTag": "DEE"}]
    assert central.payloads("StartTransaction")[0]["connectorId"] == 2


async def test_a_remote_start_without_a_car_waits_for_the_cable(central, sim):
    await central.peer.call(call.RemoteStartTransaction("DEE", connector_id=1))
    await central.until(lambda: central.statuses(1)[-1] == "Preparing")
    assert (await central.peer.call(call.RemoteStartTransaction("DEE", connector_id=1))).status == "Rejected"
    await sim.plug_in(1)
    assert central.payloads("StartTransaction")[0]["idTag"] == "DEE"


async def test_a_remote_start_without_a_cable_is_given_up_after_the_timeout(central, sim):
    sim.configuration.change("ConnectionTimeOut", "0")
    await central.peer.call(call.RemoteStartTransaction("DEE", connector_id=1))
    await central.until(lambda: sim.find(1).cards == 1 and sim.find(1).free)
    await sim.plug_in(1)
    assert central.payloads("StartTransaction") == []


async def test_a_remote_start_with_a_refused_card_starts_nothing(central, sim):
    await sim.plug_in(1)
    assert (await central.peer.call(call.RemoteStartTransaction("LOST", connector_id=1))).status == "Accepted"
    await central.until(lambda: bool(central.payloads("Authorize")) and sim.find(1).free)
    await sim.heartbeat()
    assert central.payloads("StartTransaction") == []


async def test_a_remote_start_at_a_faulted_connector_is_rejected(central, sim):
    await sim.fault(1, "GroundFailure")
    assert (await central.peer.call(call.RemoteStartTransaction("DEE", connector_id=1))).status == "Rejected"


async def test_a_remote_stop_ends_the_session_and_an_unknown_one_is_rejected(central, sim):
    await sim.plug_in(1)
    transaction = await sim.start(1, "DEE")
    assert (await central.peer.call(call.RemoteStopTransaction(999))).status == "Rejected"
    assert (await central.peer.call(call.RemoteStopTransaction(transaction))).status == "Accepted"
    await central.until(lambda: central.statuses(1)[-1] == "Finishing")
    assert central.payloads("StopTransaction")[0]["reason"] == "Remote"


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
async def test_a_reset_stops_the_sessions_returns_and_boots(central, sim, kind):
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    assert (await central.peer.call(call.Reset(kind))).status == "Accepted"
    await central.until(
        lambda: len(central.peers) == 2 and bool(central.payloads("StopTransaction")) and sim.queued == 0 and sim.accepted
    )
    assert central.payloads("StopTransaction")[0]["reason"] == f"{kind}Reset"
    assert central.actions().count("BootNotification") == 2
    # Softly it is told before the station goes, else it waits in the queue and follows the boot.
    again = len(central.actions()) - 1 - central.actions()[::-1].index("BootNotification")
    assert (central.actions().index("StopTransaction") < again) == (kind == "Soft")


async def test_unlocking_ends_the_session(central, sim):
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    assert (await central.peer.call(call.UnlockConnector(1))).status == "Unlocked"
    await central.until(lambda: bool(central.payloads("StopTransaction")))
    assert central.payloads("StopTransaction")[0]["reason"] == "UnlockCommand"
    assert (await central.peer.call(call.UnlockConnector(7))).status == "NotSupported"
    await sim.fault(2, "ConnectorLockFailure")
    assert (await central.peer.call(call.UnlockConnector(2))).status == "UnlockFailed"


async def test_availability_changes_at_once_or_when_the_session_ends(central, sim):
    assert (await central.peer.call(call.ChangeAvailability(2, "Inoperative"))).status == "Accepted"
    await central.until(lambda: central.statuses(2)[-1] == "Unavailable")
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    assert (await central.peer.call(call.ChangeAvailability(1, "Inoperative"))).status == "Scheduled"
    assert sim.find(1).status == "Charging"
    await sim.stop(1)
    assert central.statuses(1)[-1] == "Unavailable"
    assert (await central.peer.call(call.ChangeAvailability(0, "Operative"))).status == "Accepted"
    await central.until(lambda: central.statuses(2)[-1] == "Available")
    assert (await central.peer.call(call.ChangeAvailability(5, "Operative"))).status == "Rejected"


async def test_unavailability_outlives_a_reset(central, sim):
    await central.peer.call(call.ChangeAvailability(0, "Inoperative"))
    await central.peer.call(call.Reset("Hard"))
    await central.until(lambda: central.actions().count("BootNotification") == 2 and central.statuses(2)[-1:] == ["Unavailable"])
    assert central.statuses(0)[-1] == "Unavailable"


async def test_configuration_is_read_and_changed(central, sim):
    answer = await central.peer.call(call.GetConfiguration(["NumberOfConnectors", "Foo"]))
    assert answer.configuration_key == [{"key": "NumberOfConnectors", "readonly": True, "value": "2"}]
    assert answer.unknown_key == ["Foo"]
    assert len((await central.peer.call(call.GetConfiguration())).configuration_key) > 15
    assert (await central.peer.call(call.ChangeConfiguration("MeterValueSampleInterval", "10"))).status == "Accepted"
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    await sim.charge(1, seconds=60)
    assert len(central.payloads("MeterValues")) == 6


async def test_a_new_password_is_used_at_once(central, sim):
    central.password = "a-new-password-16"
    assert (await central.peer.call(call.ChangeConfiguration("AuthorizationKey", "a-new-password-16"))).status == "Accepted"
    await central.until(lambda: len(central.peers) == 2)
    await central.until(lambda: sim.connected)


@pytest.mark.parametrize(
    ("message", "action"),
    [
        ("BootNotification", "BootNotification"),
        ("Heartbeat", "Heartbeat"),
        ("StatusNotification", "StatusNotification"),
        ("MeterValues", "MeterValues"),
    ],
)
async def test_a_triggered_message_follows(central, sim, message, action):
    seen = len(central.calls)
    assert (await central.peer.call(call.TriggerMessage(message))).status == "Accepted"
    await central.until(lambda: action in central.actions()[seen:])


async def test_what_cannot_be_triggered_is_said(central, sim):
    assert (await central.peer.call(call.TriggerMessage("FirmwareStatusNotification"))).status == "NotImplemented"
    assert (await central.peer.call(call.TriggerMessage("MeterValues", connector_id=9))).status == "Rejected"


async def test_the_rest_of_core_is_answered(central, sim):
    assert (await central.peer.call(call.ClearCache())).status == "Accepted"
    assert (await central.peer.call(call.DataTransfer("com.example"))).status == "UnknownVendorId"


async def test_an_unknown_action_is_not_implemented(central, sim):
    await central.peer._send(json.dumps([2, "x1", "MakeCoffee", {}]))
    await central.until(lambda: any('"x1"' in frame for frame in central.frames))
    (answer,) = (json.loads(frame) for frame in central.frames if '"x1"' in frame)
    assert answer[:3] == [4, "x1", "NotImplemented"]


async def test_a_station_that_is_pending_refuses_a_remote_start(central):
    central.boots = [("Pending", 600)]
    async with SimulatedStation(central.url, "SIM-0002") as station:
        await station.boot()
        assert (await central.peer.call(call.RemoteStartTransaction("DEE"))).status == "Rejected"
