"""Monitoring (OCPP 2.0.1 chapter N): monitors as the station has them, and alerts that are open until they are cleared."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import DeviceModel, Monitor, MonitorEvent, Station
from stations.services import commandends, eventkeeping, monitoring
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, asked, connected, issue, now_of, sent
from tests.stations.monitored import TEMPERATURE, event, events, monitor, page, setting

UNKNOWN = {"attributeStatus": "UnknownVariable"}


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def monitors(station: Station) -> dict[int, Monitor]:
    with scopes_disabled():
        return {one.monitor_id: one for one in Monitor.objects.filter(station=station)}


def noticed(station: Station, **which: Any) -> list[MonitorEvent]:
    with scopes_disabled():
        return list(MonitorEvent.objects.filter(station=station, **which).order_by("id"))


def told(engine: Engine, station: Station, *of: dict[str, Any]) -> None:
    """All monitors of the station, as a report that was asked for."""
    issue(station, commands.GetMonitoringReport())
    errand = sent(engine, station)
    engine.reply(station, errand, ACCEPTED)
    engine.say(station, "NotifyMonitoringReport", page(errand.calls[0]["requestId"], 0, last=True, monitor=list(of)))


def model(station: Station) -> DeviceModel:
    with scopes_disabled():
        return DeviceModel.objects.get(station=station)


# Events and alerts


def test_an_alert_is_open_until_it_is_cleared(engine: Engine, station: Station) -> None:
    told(engine, station, monitor(1, severity=2))
    engine.say(station, "NotifyEvent", events(event(1, techCode="T7", techInfo="Fan", transactionId="tx-9")))
    (alert,) = noticed(station)
    assert (alert.open, alert.value, alert.severity, alert.monitor_id, alert.notification) == (True, "81", 2, 1, "CustomMonitor")
    assert (alert.tech_code, alert.tech_info, alert.ocpp_transaction_id, alert.evse_number) == ("T7", "Fan", "tx-9", 1)
    engine.say(station, "NotifyEvent", events(event(2, "69", cleared=True, cause=1)))
    alert, over = noticed(station)
    assert (alert.open, alert.closed_because, alert.closed_at) == (False, "cleared", over.at)
    assert (over.open, over.cleared, over.cause_id) == (False, True, 1)


def test_an_alert_that_is_told_again_stays_one_since_it_began(engine: Engine, station: Station) -> None:
    first = (datetime.now(UTC) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    engine.say(station, "NotifyEvent", events(event(1, timestamp=first), event(2, "90")))
    old, new = noticed(station)
    assert (old.open, old.closed_because, new.open, new.since) == (False, "superseded", True, old.at)


def at(minute: int) -> str:
    return (datetime.now(UTC) - timedelta(minutes=30 - minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_old_alert_that_is_sent_again_leaves_the_newer_one_open(engine: Engine, station: Station) -> None:
    old, new = event(1, timestamp=at(1)), event(2, "90", timestamp=at(5))
    for one in (old, new, old):
        engine.say(station, "NotifyEvent", events(one))
    assert [(one.event_id, one.open) for one in noticed(station)] == [(1, False), (2, True)]


def test_an_alert_that_comes_late_is_kept_as_one_that_is_over(engine: Engine, station: Station) -> None:
    for one in (event(2, "90", timestamp=at(5)), event(1, timestamp=at(1))):
        engine.say(station, "NotifyEvent", events(one))
    new, late = noticed(station)
    assert (new.open, late.open, late.closed_at, late.closed_because) == (True, False, new.at, "superseded")


def test_an_old_end_that_is_sent_again_leaves_the_newer_alert_open(engine: Engine, station: Station) -> None:
    begun, over = event(1, timestamp=at(1)), event(2, "60", timestamp=at(3), cleared=True)
    for one in (begun, over, event(3, timestamp=at(5)), over):
        engine.say(station, "NotifyEvent", events(one))
    assert [one.event_id for one in noticed(station, open=True)] == [3]


def test_alerts_of_two_monitors_of_a_variable_are_two(engine: Engine, station: Station) -> None:
    engine.say(station, "NotifyEvent", events(event(1), event(2, variableMonitoringId=2)))
    engine.say(station, "NotifyEvent", events(event(3, cleared=True)))
    assert [one.event_id for one in noticed(station, open=True)] == [2]


def test_after_a_restart_the_only_alert_is_cleared_under_another_number(engine: Engine, station: Station) -> None:
    engine.say(station, "NotifyEvent", events(event(1)))
    engine.say(station, "NotifyEvent", events(event(1, "20", variableMonitoringId=44, cleared=True)))
    assert noticed(station, open=True) == []


@pytest.mark.parametrize("trigger", ["Delta", "Periodic"])
def test_what_is_no_alert_is_kept_and_opens_none(engine: Engine, station: Station, trigger: str) -> None:
    engine.say(station, "NotifyEvent", events(event(1, trigger=trigger, variableMonitoringId=None)))
    (one,) = noticed(station)
    assert (one.trigger, one.open, one.since, one.severity) == (trigger, False, None, None)


def test_a_message_that_is_sent_twice_is_kept_once(engine: Engine, station: Station) -> None:
    payload = events(event(1))
    for _ in range(2):
        engine.say(station, "NotifyEvent", payload)
    assert [one.open for one in noticed(station)] == [True]


def test_a_connectors_availability_is_its_status_and_no_event(network: Network, engine: Engine, station: Station) -> None:
    named = {"component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}}, "variable": {"name": "AvailabilityState"}}
    unasked = {"variableMonitoringId": None, "eventNotificationType": "HardWiredNotification", "trigger": "Delta"}
    engine.say(station, "NotifyEvent", events(event(1, "Available", **named, **unasked)))
    assert noticed(station) == []
    engine.say(station, "NotifyEvent", events(event(2, "Occupied", **named, trigger="Delta")))
    assert len(noticed(station)) == len(network.history(station)) - 1 == 1


def test_an_event_of_an_evse_that_none_has_is_a_finding(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "NotifyEvent", events(event(1, component={"name": "EVSE", "evse": {"id": 70_000}})))
    assert (noticed(station), network.findings(station)) == ([], ["evse_impossible"])


@pytest.mark.parametrize("odd", [{"eventId": -5}, {"eventId": 2**70}, {"cause": -1}, {"variableMonitoringId": 2**33}])
def test_numbers_that_no_column_holds_do_no_harm(engine: Engine, station: Station, odd: dict[str, Any]) -> None:
    assert engine.say(station, "NotifyEvent", events(event(1, **odd))) == {}
    assert len(noticed(station)) == 1


def test_a_batch_of_events_takes_as_many_statements_whatever_their_number(
    engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(engine, station, monitor(1))
    asked: list[str] = []
    execute = psycopg.Cursor.execute

    def heard(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(str(query))
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", heard)

    def statements(rounds: int) -> list[str]:
        begun, over = event(cleared=False), {"cleared": True, "actualValue": "20"}
        numbers = [rounds * 1000 + 2 * n for n in range(rounds)]
        pairs = [(begun | {"eventId": n}, begun | over | {"eventId": n + 1}) for n in numbers]
        inbound = [engine.inbound(station, "NotifyEvent", events(*pair)) for pair in pairs]
        asked.clear()
        engine.round(*inbound)
        return [statement.split()[0] for statement in asked if "nextval" not in statement]

    statements(2)
    few = statements(3)
    assert statements(50) == few
    assert len(few) <= 8
    assert len(noticed(station)) == 110


def test_an_event_of_a_monitor_that_is_not_known_makes_us_look(engine: Engine, station: Station) -> None:
    engine.say(station, "NotifyEvent", events(event(1, variableMonitoringId=7)))
    assert model(station).due_at is not None
    told(engine, station, monitor(7, severity=1))
    (alert,) = noticed(station)
    assert (alert.open, alert.severity) == (True, 1)


def test_an_event_tells_whose_its_monitor_is(engine: Engine, station: Station) -> None:
    told(engine, station, monitor(1))
    engine.say(station, "NotifyEvent", events(event(1, eventNotificationType="PreconfiguredMonitor")))
    assert monitors(station)[1].origin == "preconfigured"


def test_somebody_may_close_an_alert(engine: Engine, station: Station) -> None:
    engine.say(station, "NotifyEvent", events(event(1)))
    (alert,) = noticed(station)
    with scopes_disabled():
        assert monitoring.close(event=alert)
        assert not monitoring.close(event=alert)
    (alert,) = noticed(station)
    assert (alert.open, alert.closed_because) == (False, "person")


def test_old_events_go_and_open_alerts_stay(engine: Engine, station: Station) -> None:
    engine.say(station, "NotifyEvent", events(event(1), event(2, trigger="Periodic")))
    with scopes_disabled():
        long_ago = datetime.now(UTC) - timedelta(days=4000)
        MonitorEvent.objects.filter(station=station).update(received_at=long_ago)
        assert eventkeeping.let_go(now=datetime.now(UTC), budget_s=60) >= 1
    assert [one.event_id for one in noticed(station)] == [1]


def test_events_that_stay_are_not_searched_for_old_ones(engine: Engine, station: Station) -> None:
    """Whose only order is by number: a search by time reads all of them, each hour."""
    engine.say(station, "NotifyEvent", events(*(event(n, trigger="Periodic") for n in range(3))))
    with scopes_disabled(), CaptureQueriesContext(connection) as ran:
        eventkeeping.let_go(now=datetime.now(UTC), budget_s=60)
    conditions = [one["sql"].partition("WHERE")[2] for one in ran if "stations_monitorevent" in one["sql"]]
    assert conditions
    assert not [one for one in conditions if "received_at" in one]
    assert len(noticed(station)) == 3


# Monitors


def test_monitors_are_as_the_newest_report_tells_them(engine: Engine, station: Station) -> None:
    told(engine, station, monitor(1), monitor(2, value=-10.5, type="LowerThreshold", severity=5))
    engine.say(station, "NotifyEvent", events(event(1, variableMonitoringId=2)))
    told(engine, station, monitor(1, value=75), monitor(3, type="Delta", variable={"name": "Current", "instance": "L1"}))
    now = monitors(station)
    assert {number: one.known for number, one in now.items()} == {1: True, 2: False, 3: True}
    assert (now[1].value, now[3].variable_instance, now[3].type) == (75, "L1", "Delta")
    # An alert of a monitor that is gone will never be cleared.
    (alert,) = noticed(station)
    assert (alert.open, alert.closed_because) == (False, "monitor_gone")


def test_a_report_of_some_monitors_says_nothing_of_the_others(engine: Engine, station: Station) -> None:
    told(engine, station, monitor(1), monitor(2))
    issue(station, commands.GetMonitoringReport(criteria=["DeltaMonitoring"]))
    errand = sent(engine, station)
    engine.reply(station, errand, ACCEPTED)
    engine.say(station, "NotifyMonitoringReport", page(errand.calls[0]["requestId"], 0, last=True))
    assert all(one.known for one in monitors(station).values())


@pytest.mark.parametrize("rest", [{"criteria": ["DeltaMonitoring"]}, {"variables": [{"component": "EVSE", "evse": 1}]}])
def test_a_station_that_says_it_has_no_monitors_has_none(engine: Engine, station: Station, rest: dict[str, Any]) -> None:
    told(engine, station, monitor(1), monitor(2))
    engine.say(station, "NotifyEvent", events(event(1)))
    # That there are none of some kind, or of some variables, says nothing of the others.
    row = asked(engine, station, commands.GetMonitoringReport(**rest), {"status": "EmptyResultSet"})
    assert (row.status, row.detail) == ("confirmed", "EmptyResultSet")
    assert all(one.known for one in monitors(station).values())
    assert len(noticed(station, open=True)) == 1
    row = asked(engine, station, commands.GetMonitoringReport(), {"status": "EmptyResultSet"})
    assert (row.status, row.detail) == ("confirmed", "EmptyResultSet")
    assert not any(one.known for one in monitors(station).values())
    assert [(one.open, one.closed_because) for one in noticed(station)] == [(False, "monitor_gone")]


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, {"status": "NotSupported"}, None])
def test_a_station_that_does_not_tell_its_monitors_keeps_them(engine: Engine, station: Station, answer: Any) -> None:
    told(engine, station, monitor(1))
    asked(engine, station, commands.GetMonitoringReport(), answer)
    assert monitors(station)[1].known


WANTED = {"component": "EVSE", "evse": 1, "variable": "Temperature", "type": "UpperThreshold", "value": 80.5, "severity": 3}


def result(status: str, **more: Any) -> dict[str, Any]:
    return TEMPERATURE | {"status": status, "type": "UpperThreshold", "severity": 3} | more


def test_monitors_that_were_taken_are_kept_even_if_others_were_refused(engine: Engine, station: Station) -> None:
    row = issue(station, commands.SetVariableMonitoring([WANTED, WANTED | {"type": "Delta", "transaction": True}]))
    answer = {"setMonitoringResult": [result("Rejected"), result("Accepted", id=12, type="Delta")]}
    engine.reply(station, sent(engine, station), answer)
    (one,) = monitors(station).values()
    assert (one.monitor_id, one.type, one.value, one.severity, one.transaction, one.origin) == (
        12,
        "Delta",
        80.5,
        3,
        True,
        "custom",
    )
    assert (now_of(row).status, now_of(row).detail) == ("rejected", "Temperature: Rejected")


def test_monitors_are_cleared_and_their_alerts_with_them(engine: Engine, station: Station) -> None:
    told(engine, station, monitor(1), monitor(2), monitor(3))
    engine.say(station, "NotifyEvent", events(event(1)))
    row = issue(station, commands.ClearVariableMonitoring([1, 2, 3]))
    results = [{"id": 1, "status": "Accepted"}, {"id": 2, "status": "Rejected"}, {"id": 3, "status": "NotFound"}]
    engine.reply(station, sent(engine, station), {"clearMonitoringResult": results})
    assert {number: one.known for number, one in monitors(station).items()} == {1: False, 2: True, 3: False}
    assert (now_of(row).status, now_of(row).detail) == ("rejected", "2: Rejected, 3: NotFound")
    assert noticed(station, open=True) == []


def test_monitors_go_in_as_many_messages_as_the_station_demands(engine: Engine, station: Station) -> None:
    limit = {
        "component": {"name": "MonitoringCtrlr"},
        "variable": {"name": "ItemsPerMessage", "instance": "ClearVariableMonitoring"},
    }
    told_limit = limit | {"variableAttribute": [{"value": "2"}]}
    engine.say(station, "NotifyReport", page(1, 0, last=True, reportData=[told_limit]))
    told(engine, station, monitor(1), monitor(2), monitor(3))
    row = issue(station, commands.ClearVariableMonitoring([1, 2, 3]))
    errand = sent(engine, station)
    assert errand.calls == ({"id": [1, 2]}, {"id": [3]})
    answers = [{"clearMonitoringResult": [{"id": n, "status": "Accepted"} for n in call["id"]]} for call in errand.calls]
    engine.reply(station, errand, *answers)
    assert not any(one.known for one in monitors(station).values())
    assert now_of(row).status == "confirmed"


def test_base_and_level_are_kept_once_the_station_took_them(engine: Engine, station: Station) -> None:
    issue(station, commands.SetMonitoringLevel(4))
    engine.reply(station, sent(engine, station), {"status": "Rejected"})
    assert model(station).level is None
    issue(station, commands.SetMonitoringLevel(0))
    engine.reply(station, sent(engine, station), ACCEPTED)
    issue(station, commands.SetMonitoringBase("HardWiredOnly"))
    engine.reply(station, sent(engine, station), ACCEPTED)
    assert (model(station).level, model(station).base) == (0, "HardWiredOnly")
    # Which monitors there are is another matter now.
    assert model(station).due_at is not None


LOST = [
    (commands.SetMonitoringLevel(4), "MonitoringLevel", "4", (4, "")),
    (commands.SetMonitoringBase("HardWiredOnly"), "ActiveMonitoringBase", "HardWiredOnly", (None, "HardWiredOnly")),
]


@pytest.mark.parametrize("with_its_socket", [False, True])
@pytest.mark.parametrize(("command", "name", "value", "then"), LOST)
def test_of_a_base_or_level_whose_answer_was_lost_the_station_is_asked(
    engine: Engine, station: Station, command: commands.Command, name: str, value: str, then: tuple[Any, ...], with_its_socket: bool
) -> None:
    row = issue(station, command)
    errand = sent(engine, station)
    if with_its_socket:
        with scopes_disabled(), transaction.atomic(), connection.cursor() as cursor:
            commandends.orphan(cursor, [station.pk], now=datetime.now(UTC))
    else:
        engine.reply(station, errand, None)
    assert now_of(row).facts["asked_then"] == "get_variables"
    again = sent(engine, station)
    named = again.calls[0]["getVariableData"]
    told = [
        one | ({"attributeStatus": "Accepted", "attributeValue": value} if one["variable"]["name"] == name else UNKNOWN)
        for one in named
    ]
    engine.reply(station, again, {"getVariableResult": told})
    assert (model(station).level, model(station).base) == then
    assert (model(station).level_at or model(station).base_at) is not None


@pytest.mark.parametrize("value", ["10", "-1", "much", ""])
def test_a_level_that_there_is_not_is_not_kept(engine: Engine, station: Station, value: str) -> None:
    issue(station, commands.SetMonitoringLevel(4))
    engine.reply(station, sent(engine, station), ACCEPTED)
    told = setting(value, "MonitoringLevel", "MonitoringCtrlr")
    engine.say(station, "NotifyReport", page(1, 0, last=True, reportData=[told]))
    assert model(station).level == 4


@pytest.mark.parametrize(
    ("kind", "params", "why"),
    [
        ("set_monitoring_base", {"base": "Everything"}, "base must be one of All, FactoryDefault, HardWiredOnly"),
        ("set_monitoring_level", {"severity": 10}, "severity must be a whole number from 0 to 9"),
        ("set_variable_monitoring", {"monitors": []}, "monitors must name from 1 to 500 monitors"),
        ("set_variable_monitoring", {"monitors": [WANTED | {"type": "Odd"}]}, "type must be one of UpperThreshold"),
        ("set_variable_monitoring", {"monitors": [WANTED | {"value": "80"}]}, "value must be a number"),
        ("set_variable_monitoring", {"monitors": [WANTED | {"type": "Periodic", "value": 0}]}, "its interval in seconds"),
        ("set_variable_monitoring", {"monitors": [WANTED | {"transaction": 1}]}, "transaction must be true or false"),
        ("set_variable_monitoring", {"monitors": [WANTED | {"id": -1}]}, "id must be a whole number"),
        ("clear_variable_monitoring", {"ids": [1, 1]}, "named twice"),
        ("clear_variable_monitoring", {"ids": []}, "ids must name from 1 to 500"),
        ("get_monitoring_report", {"criteria": ["Odd"]}, "criteria must be one of ThresholdMonitoring"),
        ("get_monitoring_report", {"variables": [{"variable": ""}]}, "needs a component"),
        ("get_report", {}, "needs criteria or variables"),
        ("get_report", {"criteria": ["Problem", "Problem"]}, "named twice"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(kind: str, params: dict[str, Any], why: str) -> None:
    with pytest.raises(BadCommand, match=why):
        commands.COMMANDS[kind].of(params)
