"""What comes of a command: its effect, seen before or after the answer or never; and commands of several CALLs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_scopes import scope, scopes_disabled

from stations.domain import commands
from stations.models import Station, Variable
from stations.services import commandends
from tests import v16
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, PROTOCOLS, asked, boot, connected, issue, now_of, report, sent
from tests.stations.monitored import event, events
from tests.v201 import ended, started


@pytest.fixture(params=PROTOCOLS)
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def start_a_session(engine: Engine, station: Station, number: int | None, card: str = "CARD") -> str:
    """What a station does when it was told to; returns the transaction's id."""
    if engine.protocol == "ocpp1.6":
        return str(engine.say(station, "StartTransaction", v16.start(seconds=0, tag=card))["transactionId"])
    info = {"remoteStartId": number} if number else {}
    engine.say(station, "TransactionEvent", started(idToken={"idToken": card, "type": "ISO14443"}, info=info))
    return "tx-1"


def stop_the_session(engine: Engine, station: Station, transaction: str) -> None:
    if engine.protocol == "ocpp1.6":
        engine.say(station, "StopTransaction", v16.stop(int(transaction)))
    else:
        engine.say(station, "TransactionEvent", ended(1, wh=2000))


@pytest.mark.parametrize("first", ["answer", "effect"])
def test_a_start_is_confirmed_by_its_transaction_whichever_comes_first(
    network: Network, engine: Engine, station: Station, first: str
) -> None:
    network.token("CARD")
    row = issue(station, commands.RemoteStart("card", evse=1))
    errand = sent(engine, station)
    number = errand.calls[0].get("remoteStartId")
    if first == "effect":
        start_a_session(engine, station, number)
    engine.reply(station, errand, ACCEPTED)
    if first == "answer":
        assert now_of(row).status == "accepted"
        start_a_session(engine, station, number and number + 1, card="OTHER")
        assert now_of(row).status == "accepted"
        if engine.protocol == "ocpp2.0.1":
            engine.say(station, "TransactionEvent", started(tx="tx-2", info={"remoteStartId": number}, minute=1))
        else:
            start_a_session(engine, station, number)
    assert now_of(row).status == "confirmed"


@pytest.mark.parametrize("first", ["answer", "effect"])
def test_a_stop_is_confirmed_by_the_end(network: Network, engine: Engine, station: Station, first: str) -> None:
    network.token("CARD")
    transaction = start_a_session(engine, station, None)
    row = issue(station, commands.RemoteStop(transaction))
    errand = sent(engine, station)
    if first == "effect":
        stop_the_session(engine, station, transaction)
    engine.reply(station, errand, ACCEPTED)
    if first == "answer":
        assert now_of(row).status == "accepted"
        stop_the_session(engine, station, transaction)
    assert now_of(row).status == "confirmed"
    with pytest.raises(commands.BadCommand, match="has ended already"):
        issue(station, commands.RemoteStop(transaction))


def test_a_reset_is_confirmed_by_the_boot(engine: Engine, station: Station) -> None:
    row = asked(engine, station, commands.Reset("immediate"))
    assert row.status == "accepted"
    boot(engine, station)
    assert now_of(row).status == "confirmed"


def test_an_evse_that_restarts_says_nothing_of_it(network: Network) -> None:
    engine = Engine("ocpp2.0.1")
    assert asked(engine, connected(network, engine), commands.Reset("immediate", evse=1)).status == "confirmed"


@pytest.mark.parametrize("verdict", ["Accepted", "Scheduled"])
def test_availability_is_confirmed_by_the_connector(engine: Engine, station: Station, verdict: str) -> None:
    report(engine, station, "Available")
    row = asked(engine, station, commands.ChangeAvailability(False, evse=1), {"status": verdict})
    assert row.status == "accepted"
    assert row.effect_due_at is not None
    assert (row.effect_due_at - row.created_at > timedelta(hours=23)) is (verdict == "Scheduled")
    report(engine, station, "Available")
    assert now_of(row).status == "accepted"
    report(engine, station, "Unavailable")
    assert now_of(row).status == "confirmed"
    assert asked(engine, station, commands.ChangeAvailability(False)).status == "confirmed"


def test_a_message_that_was_asked_for_comes(engine: Engine, station: Station) -> None:
    row = asked(engine, station, commands.TriggerMessage("Heartbeat"))
    report(engine, station, "Available")
    assert now_of(row).status == "accepted"
    engine.say(station, "Heartbeat", {})
    assert now_of(row).status == "confirmed"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (commands.UnlockConnector(1), {"status": "Unlocked"}),
        (commands.ClearCache(), ACCEPTED),
        (commands.SendVendorMessage("org.example"), ACCEPTED),
    ],
    ids=lambda value: value.kind if isinstance(value, commands.Command) else "",
)
def test_of_some_the_answer_is_the_effect(engine: Engine, station: Station, command: commands.Command, answer: Any) -> None:
    assert asked(engine, station, command, answer).status == "confirmed"


def test_an_effect_that_does_not_come_is_said_and_not_awaited_any_more(engine: Engine, station: Station) -> None:
    row = asked(engine, station, commands.Reset("immediate"))
    assert row.effect_due_at is not None
    commandends.sweep(now=row.effect_due_at - timedelta(seconds=1))
    assert now_of(row).status == "accepted"
    commandends.sweep(now=row.effect_due_at)
    assert now_of(row).status == "no_effect"
    boot(engine, station)
    assert now_of(row).status == "no_effect"
    assert engine.thread.states[station.pk].awaiting == []


def test_what_is_awaited_survives_the_process(engine: Engine, station: Station) -> None:
    row = asked(engine, station, commands.Reset("immediate"))
    boot(Engine(engine.protocol), station)
    assert now_of(row).status == "confirmed"


def test_a_raw_call_has_its_own_number_and_is_confirmed_by_it(network: Network) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    payload = {"idToken": {"idToken": "CARD", "type": "ISO14443"}, "remoteStartId": 4711}
    raw = {"action": "RequestStartTransaction", "payload": payload}
    row = issue(station, commands.RemoteStart("CARD"), raw=raw)
    errand = sent(engine, station)
    assert errand.calls == (payload,)
    engine.reply(station, errand, ACCEPTED)
    start_a_session(engine, station, 4711)
    assert now_of(row).status == "confirmed"


def test_a_status_that_is_told_as_an_event_is_an_effect_too(network: Network) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    report(engine, station, "Available")

    def told(value: str) -> None:
        where = {"component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}}, "variable": {"name": "AvailabilityState"}}
        data = event(value=value, trigger="Delta", variableMonitoringId=None) | where
        engine.say(station, "NotifyEvent", events(data | {"eventNotificationType": "HardWiredNotification"}))

    row = asked(engine, station, commands.ChangeAvailability(False, evse=1))
    assert row.status == "accepted"
    told("Unavailable")
    assert now_of(row).status == "confirmed"
    row = asked(engine, station, commands.TriggerMessage("StatusNotification", 1))
    assert row.status == "accepted"
    told("Unavailable")
    assert now_of(row).status == "confirmed"


# Several CALLs to one command


def limit(station: Station, component: str, variable: str, instance: str, value: str) -> None:
    names = {"component": component, "variable": variable, "variable_instance": instance, "attribute": "Actual", "value": value}
    with scope(operator=station.operator):
        Variable.objects.create(operator=station.operator, station=station, reported_at=datetime.now(UTC), **names)


def test_the_stations_limits_are_kept(network: Network, engine: Engine, station: Station) -> None:
    names = [{"component": "C", "variable": f"V{number}"} for number in range(5)]
    limit(station, "", "GetConfigurationMaxKeys", "", "2")
    limit(station, "DeviceDataCtrlr", "ItemsPerMessage", "GetVariables", "3")
    limit(station, "DeviceDataCtrlr", "ItemsPerMessage", "SetVariables", "4")
    issue(station, commands.GetVariables(names))
    errand = sent(engine, station)
    engine.reply(station, errand, *[["GenericError", ""]] * 1)
    issue(station, commands.SetVariables([one | {"value": "1"} for one in names]))
    change = sent(engine, station)
    if engine.protocol == "ocpp1.6":
        assert [one["key"] for one in errand.calls] == [["V0", "V1"], ["V2", "V3"], ["V4"]]
        assert len(change.calls) == 5
    else:
        assert [len(one["getVariableData"]) for one in errand.calls] == [3, 2]
        assert [len(one["setVariableData"]) for one in change.calls] == [4, 1]


def test_a_second_call_that_is_refused_refuses_the_command_and_the_first_ones_effect_is_kept(network: Network) -> None:
    engine = Engine("ocpp1.6")
    station = connected(network, engine)
    wanted = [{"component": "", "variable": name, "value": "60"} for name in ("HeartbeatInterval", "MeterValueSampleInterval")]
    row = asked(engine, station, commands.SetVariables(wanted), ACCEPTED, {"status": "Rejected"})
    assert (row.status, row.detail) == ("rejected", "Accepted, MeterValueSampleInterval: Rejected")
    with scopes_disabled():
        kept = dict(Variable.objects.filter(station=station).values_list("variable", "value"))
    assert kept == {"HeartbeatInterval": "60"}


@pytest.mark.parametrize("second", [["InternalError", "out of order"], None])
def test_a_second_call_that_fails_fails_the_command(network: Network, second: Any) -> None:
    engine = Engine("ocpp1.6")
    station = connected(network, engine)
    wanted = [{"component": "", "variable": name, "value": "60"} for name in ("A", "B")]
    row = asked(engine, station, commands.SetVariables(wanted), ACCEPTED, second)
    assert row.status == ("failed" if second else "timed_out")
    with scopes_disabled():
        kept = dict(Variable.objects.filter(station=station).values_list("variable", "value"))
    assert kept == {"A": "60"}


def test_what_was_changed_is_read_again(engine: Engine, station: Station) -> None:
    """Stations round, clamp or refuse quietly: what they made of it is what counts. Secrets cannot be read."""
    wanted = [
        {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "299"},
        {"component": "SecurityCtrlr", "variable": "AuthorizationKey", "value": "a secret"},
    ]
    answer = {"setVariableResult": [result(one, attributeStatus="Accepted") for one in wanted]}
    v201 = engine.protocol == "ocpp2.0.1"
    asked(engine, station, commands.SetVariables(wanted), *([answer] if v201 else [ACCEPTED, ACCEPTED]))
    reading = sent(engine, station)
    names = ["HeartbeatInterval"]
    if v201:
        assert [one["variable"]["name"] for one in reading.calls[0]["getVariableData"]] == names
        read = {"getVariableResult": [result(wanted[0], attributeStatus="Accepted", attributeValue="300")]}
    else:
        assert reading.calls == ({"key": names},)
        read = {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]}
    engine.reply(station, reading, read)
    with scope(operator=station.operator):
        assert Variable.objects.get(station=station, variable="HeartbeatInterval").value == "300"
        assert engine.claim(station) == []


def result(one: dict[str, str], **more: str) -> dict[str, Any]:
    return {"component": {"name": one["component"]}, "variable": {"name": one["variable"]}, **more}


def test_a_start_from_the_queue_of_an_outage_is_not_the_one_that_was_asked_for(network: Network) -> None:
    engine = Engine()
    station = connected(network, engine)
    network.token("CARD")
    row = asked(engine, station, commands.RemoteStart("CARD"))
    engine.say(station, "StartTransaction", v16.start(seconds=3600))
    assert now_of(row).status == "accepted"
    engine.say(station, "StartTransaction", v16.start(seconds=0, connector=2))
    assert now_of(row).status == "confirmed"
