"""The scripted steps, on a real socket against a foreign CSMS."""

import json
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csms.simulator import CallRefused, HandshakeRefused, ScriptedClock, SimulatedStation, StationOffline, Unreachable
from tests.simulator.central import call_error, call_result_of, running_central
from tests.trying import often

START = datetime(2026, 11, 21, 9, tzinfo=UTC)
QUICK = {"TransactionMessageRetryInterval": "0"}


def station(central, identity="SIM-0001", **more):
    return SimulatedStation(central.url, identity, clock=ScriptedClock(START), configuration=QUICK, **more)


def register(payload):
    (sampled,) = payload["meterValue"]
    return next(int(v["value"]) for v in sampled["sampledValue"] if v["measurand"] == "Energy.Active.Import.Register")


async def test_a_session_from_plug_to_unplug(central):
    async with station(central) as sim:
        assert await sim.boot() == "Accepted"
        assert await sim.authorize("DEE") == "Accepted"
        await sim.plug_in(1)
        transaction = await sim.start(1, "DEE")
        await sim.charge(1, seconds=1800)
        await sim.stop(1, tag="DEE")
        await sim.unplug(1)

    assert transaction == 101
    (start,), (stop,), samples = (central.payloads(a) for a in ("StartTransaction", "StopTransaction", "MeterValues"))
    assert central.statuses(0) == ["Available"]
    assert central.statuses(1) == ["Available", "Preparing", "Charging", "Finishing", "Available"]
    assert (start["connectorId"], start["idTag"], start["timestamp"]) == (1, "DEE", "2026-11-21T09:00:00.000Z")
    assert (stop["transactionId"], stop["idTag"], stop["reason"], stop["timestamp"]) == (
        101,
        "DEE",
        "Local",
        "2026-11-21T09:30:00.000Z",
    )
    # Half an hour on three phases of 32 A, 230 V, and a sample a minute.
    assert stop["meterStop"] - start["meterStart"] == pytest.approx(11_040, abs=1)
    assert len(samples) == 30
    assert all(payload["transactionId"] == 101 for payload in samples)
    registers = [start["meterStart"], *map(register, samples), stop["meterStop"]]
    assert all(before <= after for before, after in pairwise(registers))
    assert [sample["sampledValue"][0]["context"] for sample in stop["transactionData"]] == ["Transaction.Begin", "Transaction.End"]


async def test_the_register_goes_on_over_sessions_and_a_battery_fills_only_once(central):
    async with station(central, connectors=1) as sim:
        await sim.boot()
        await sim.plug_in(1)
        for _ in range(2):
            await sim.start(1, "DEE")
            await sim.charge(1, seconds=4 * 3600, step=60)
            await sim.stop(1)
    starts, stops = central.payloads("StartTransaction"), central.payloads("StopTransaction")
    assert stops[0]["meterStop"] - starts[0]["meterStart"] == pytest.approx(48_000, abs=1)
    assert starts[1]["meterStart"] == stops[0]["meterStop"] == stops[1]["meterStop"]
    assert "SuspendedEV" in central.statuses(1)


async def test_the_ledger_holds_what_was_acknowledged_as_it_stood_on_the_wire(central):
    async with station(central) as sim:
        await sim.boot()
        await sim.plug_in(2)
        await sim.start(2, "DEE")
    entry = sim.ledger[-2]
    assert entry.action == "StartTransaction"
    assert entry.payload == central.payloads("StartTransaction")[0]
    assert entry.response == {"transactionId": 101, "idTagInfo": {"status": "Accepted"}}
    assert [(action, payload) for action, payload, _ in sim.ledger] == central.calls


async def test_offline_messages_keep_their_time_and_are_delivered_in_order_on_return(central):
    async with station(central) as sim:
        await sim.boot()
        await sim.plug_in(1)
        assert await sim.start(1, "DEE") == 101
        await sim.charge(1, seconds=120)
        await sim.disconnect(abrupt=True)
        await sim.charge(1, seconds=120)
        await sim.stop(1)
        assert await sim.start(1, "DEE") is None
        await sim.charge(1, seconds=60)
        await sim.stop(1)
        await sim.unplug(1)
        assert sim.queued == 6
        seen = len(central.calls)
        await sim.reconnect()
        assert sim.queued == 0

    returned = central.calls[seen:]
    # No boot, the one status that is not what was last reported, then the queue.
    expected = [
        "StatusNotification",
        "MeterValues",
        "MeterValues",
        "StopTransaction",
        "StartTransaction",
        "MeterValues",
        "StopTransaction",
    ]
    assert [action for action, _ in returned] == expected
    transactions = [payload.get("transactionId") for _, payload in returned[1:]]
    assert transactions == [101, 101, 101, None, 102, 102]
    assert returned[3][1]["timestamp"] == returned[4][1]["timestamp"] == "2026-11-21T09:04:00.000Z"
    assert returned[6][1]["timestamp"] == "2026-11-21T09:05:00.000Z"


async def test_message_ids_are_unique_across_reconnects(central):
    async with station(central) as sim:
        await sim.boot()
        for _ in range(3):
            await sim.disconnect(abrupt=True)
            await sim.reconnect()
            await sim.heartbeat()
    assert len(set(central.ids)) == len(central.ids) > 5


async def test_a_transaction_message_without_an_answer_is_sent_again_after_the_return(central):
    async with station(central, answer_timeout_s=0.2) as sim:
        await sim.boot()
        await sim.plug_in(1)
        central.answer_nothing = True
        sim.spawn(sim.start(1, "DEE"))
        await central.until(lambda: len(central.payloads("StartTransaction")) >= 2)
        await sim.disconnect(abrupt=True)
        central.answer_nothing = False
        await sim.reconnect()
        assert sim.find(1).transaction.id == 101
    first, *others = central.payloads("StartTransaction")
    assert all(other == first for other in others)


async def test_a_refused_transaction_message_is_tried_as_often_as_configured_then_given_up(central):
    central.answer_with["StartTransaction"] = call_error("InternalError")
    async with station(central) as sim:
        await sim.boot()
        await sim.plug_in(1)
        assert await sim.start(1, "DEE") == -1
        await sim.stop(1)
    assert len(central.payloads("StartTransaction")) == 3
    assert central.payloads("StopTransaction")[0]["transactionId"] == -1


async def test_a_card_that_may_not_charge_has_its_session_ended_again(central):
    async with station(central) as sim:
        await sim.boot()
        await sim.plug_in(1)
        await sim.start(1, "LOST")
        assert sim.find(1).transaction is None
    assert central.payloads("StopTransaction")[0]["reason"] == "DeAuthorized"


async def test_a_card_that_may_not_charge_is_held_when_the_station_is_so_configured(central):
    async with station(central) as sim:
        sim.configuration.change("StopTransactionOnInvalidId", "false")
        await sim.boot()
        await sim.plug_in(1)
        await sim.start(1, "LOST")
        before = sim.find(1).register_wh
        await sim.charge(1, seconds=600)
        assert sim.find(1).register_wh == before
    assert central.statuses(1)[-1] == "SuspendedEVSE"
    assert central.payloads("StopTransaction") == []


async def test_a_fault_stops_the_flow_and_is_reported_with_its_code(central):
    async with station(central) as sim:
        await sim.boot()
        await sim.plug_in(1)
        await sim.start(1, "DEE")
        await sim.fault(1, "GroundFailure")
        before = sim.find(1).register_wh
        await sim.charge(1, seconds=600)
        assert sim.find(1).register_wh == before
        await sim.recover(1)
        await sim.charge(1, seconds=600)
        assert sim.find(1).register_wh > before
    faulted = next(p for p in central.payloads("StatusNotification") if p["status"] == "Faulted")
    assert faulted["errorCode"] == "GroundFailure"
    assert central.statuses(1)[-2:] == ["Faulted", "Charging"]


async def test_pulling_the_cable_ends_the_session(central):
    async with station(central) as sim:
        await sim.boot()
        await sim.plug_in(1)
        await sim.start(1, "DEE")
        await sim.unplug(1)
    assert central.payloads("StopTransaction")[0]["reason"] == "EVDisconnected"


async def test_a_pending_boot_is_asked_again_and_nothing_else_is_sent_meanwhile(central):
    central.boots = [("Pending", 1), ("Rejected", 1)]
    async with station(central) as sim:
        await sim.plug_in(1)
        await sim.start(1, "DEE")
        await sim.register()
        assert sim.accepted
        assert sim.find(1).transaction.id == 101
    first_other = next(n for n, action in enumerate(central.actions()) if action != "BootNotification")
    assert first_other == 3
    assert central.actions().count("BootNotification") == 3


async def test_a_boot_that_is_pending_may_be_triggered(central):
    central.boots = [("Pending", 600)]
    async with station(central) as sim:
        sim.spawn(sim.register())
        await central.until(lambda: sim.registration == "Pending")
        await central.peer._send('[2,"t1","TriggerMessage",{"requestedMessage":"BootNotification"}]')
        await central.until(lambda: sim.accepted)
    assert central.actions().count("BootNotification") == 2


async def test_an_unknown_station_learns_404_and_a_wrong_password_401(central):
    central.identities, central.password = {"SIM-0001"}, "right-password-1"
    with pytest.raises(HandshakeRefused, match="no such station") as refused:
        await station(central, "SIM-9999").reconnect()
    assert refused.value.status == 404
    with pytest.raises(HandshakeRefused) as refused:
        await station(central, password="wrong-password-1").reconnect()
    assert refused.value.status == 401
    async with station(central, password="right-password-1") as sim:
        assert sim.connected


async def test_no_common_sub_protocol_and_nobody_there_are_told_apart(central):
    central.protocols = ["ocpp2.0.1"]
    with pytest.raises(HandshakeRefused, match=r"does not speak ocpp1\.6"):
        await station(central).reconnect()
    async with running_central() as gone:
        pass
    with pytest.raises(Unreachable):
        await station(gone).reconnect()


async def test_the_identity_is_percent_encoded(central):
    async with station(central, "Ämber/1 a"):
        pass
    assert central.paths == ["/ocpp/%C3%84mber%2F1%20a"]


async def test_a_clean_end_closes_with_going_away(central):
    async with station(central) as sim:
        await sim.boot()
    await central.until(lambda: central.close_codes == [1001])


async def test_raw_frames_and_their_raw_answers(central):
    async with station(central) as sim:
        await sim.boot()
        await sim.raw('[2,"raw-1","Heartbeat",{}]')
        assert json.loads(await sim.received()) == [3, "raw-1", {"currentTime": "2026-11-21T12:00:00Z"}]
        await sim.raw('[2,"raw-2","StartTransaction",{"connectorId":"one"}]')
        assert json.loads(await sim.received())[:2] == [4, "raw-2"]
        # The steps go on as if nothing had been.
        await sim.heartbeat()
        assert sim.ledger[-1].action == "Heartbeat"


async def test_a_refused_step_says_so_and_an_offline_one_too(central):
    central.answer_with["Heartbeat"] = call_error("SecurityError")
    async with station(central) as sim:
        with pytest.raises(CallRefused, match="SecurityError"):
            await sim.heartbeat()
        await sim.disconnect()
        with pytest.raises(StationOffline):
            await sim.heartbeat()


anything = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=5))
frames = (
    st.text(max_size=20)
    | anything.map(json.dumps)
    | st.tuples(
        st.sampled_from([2, 3, 4, 5, 6]), st.text(max_size=5), st.sampled_from(["Reset", "Nope", "TriggerMessage"]), anything
    ).map(json.dumps)
)


@settings(max_examples=often(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(frames, min_size=1, max_size=20))
def test_nothing_that_a_csms_says_breaks_the_station(said):
    import asyncio

    async def listen():
        async with running_central() as central, station(central) as sim:
            await sim.boot()
            for frame in said:
                await central.peer._connection.send(frame)
            await sim.heartbeat()
            assert sim.connected

    asyncio.run(listen())


@pytest.mark.parametrize("answer", [{}, {"nonsense": 1}, [], None, {"currentTime": 5}, {"currentTime": "soon"}])
async def test_an_answer_that_is_none_is_an_error_of_that_step_only(central, answer):
    central.answer_with["Heartbeat"] = call_result_of(answer)
    async with station(central) as sim:
        with pytest.raises(Exception, match="answer") as failed:
            await sim.heartbeat()
        assert type(failed.value).__name__ == "BadAnswer"
        assert await sim.boot() == "Accepted"
