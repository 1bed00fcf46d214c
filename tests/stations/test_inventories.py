"""What is read of a station without being asked: all settings when it is new or has changed, its monitors after each restart."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django_scopes import scopes_disabled

from stations.domain import commands
from stations.models import Command, Connection, Report, Station
from stations.services import commandends, inventories
from tests import v16
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, connected, issue, now_of, sent
from tests.stations.monitored import BOOT, event, events

LATER = timedelta(minutes=1)


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def asked(station: Station, after: timedelta = LATER) -> list[str]:
    """What the station is asked once it was looked at, which it then answers."""
    with scopes_disabled():
        now = datetime.now(UTC) + after
        Connection.objects.filter(station=station).update(seen_at=now)
        before = set(Command.objects.filter(station=station).values_list("pk", flat=True))
        inventories.sweep(now=now)
        new = Command.objects.filter(station=station).exclude(pk__in=before).order_by("id")
        return [row.kind for row in new]


def boots(engine: Engine, station: Station, **fields: Any) -> None:
    charger = BOOT["chargingStation"] | fields  # type: ignore[operator]
    engine.say(station, "BootNotification", BOOT | {"chargingStation": charger})


def restarts(engine: Engine, station: Station, times: int = 3, **fields: Any) -> None:
    """Just before it is looked at so many times later."""
    boots(engine, station, **fields)
    with scopes_disabled():
        Station.objects.filter(pk=station.pk).update(booted_at=datetime.now(UTC) + LATER * (times - 1))


def answers(engine: Engine, station: Station, *answers: Any) -> None:
    for answer in answers:
        engine.reply(station, sent(engine, station), answer)


def test_a_new_station_is_asked_for_everything_once(engine: Engine, station: Station) -> None:
    boots(engine, station)
    assert asked(station, timedelta(0)) == []  # it has just booted
    assert asked(station) == ["get_base_report", "get_monitoring_report"]
    assert asked(station) == []


def test_a_restart_renumbers_monitors_and_leaves_settings(engine: Engine, station: Station) -> None:
    boots(engine, station)
    assert len(asked(station)) == 2
    answers(engine, station, {"status": "EmptyResultSet"}, {"status": "EmptyResultSet"})
    restarts(engine, station)
    assert asked(station, LATER * 3) == ["get_monitoring_report"]


@pytest.mark.parametrize("change", [{"firmwareVersion": "2.0"}, {"serialNumber": "SN-2"}, {"model": "DC-50"}])
def test_what_has_changed_is_asked_for_everything_again(engine: Engine, station: Station, change: dict[str, str]) -> None:
    boots(engine, station)
    asked(station)
    answers(engine, station, {"status": "EmptyResultSet"}, {"status": "EmptyResultSet"})
    boots(engine, station, **change)
    assert "get_base_report" in asked(station, LATER * 2)


def test_a_station_without_monitors_is_not_asked_at_each_restart(engine: Engine, station: Station) -> None:
    boots(engine, station)
    asked(station)
    answers(engine, station, ACCEPTED, {"status": "NotSupported"})
    for _ in range(2):
        restarts(engine, station)
        assert asked(station, LATER * 3) == []


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, ["InternalError", "busy"]])
def test_one_that_refused_to_tell_its_monitors_is_asked_again_at_its_next_restart(
    engine: Engine, station: Station, answer: Any
) -> None:
    boots(engine, station)
    asked(station)
    answers(engine, station, {"status": "EmptyResultSet"}, answer)
    assert asked(station) == []
    for times in (3, 6):
        restarts(engine, station, times)
        assert asked(station, LATER * times) == ["get_monitoring_report"]
        answers(engine, station, answer)


@pytest.mark.parametrize("answer", [["NotSupported", "no"], ["NotImplemented", "no"]])
def test_one_that_knows_no_monitors_is_asked_for_them_again_when_it_has_changed(
    engine: Engine, station: Station, answer: Any
) -> None:
    boots(engine, station)
    asked(station)
    answers(engine, station, {"status": "EmptyResultSet"}, answer)
    restarts(engine, station)
    assert asked(station, LATER * 3) == []
    restarts(engine, station, firmwareVersion="2.0")
    assert "get_monitoring_report" in asked(station, LATER * 3)


def test_an_unknown_monitor_makes_us_look_rarely(engine: Engine, station: Station) -> None:
    boots(engine, station)
    asked(station)
    answers(engine, station, ACCEPTED, {"status": "EmptyResultSet"})
    engine.say(station, "NotifyEvent", events(event(1)))
    assert asked(station) == []
    engine.say(station, "NotifyEvent", events(event(2)))
    with scopes_disabled():
        engine.say(station, "Heartbeat", {})
        model = station.device_model
        model.monitors_at -= inventories.RARELY
        model.save()
    assert asked(station) == ["get_monitoring_report"]


def test_one_that_is_away_is_left_alone(engine: Engine, station: Station) -> None:
    boots(engine, station)
    with scopes_disabled():
        Connection.objects.filter(station=station).update(seen_at=datetime.now(UTC) - timedelta(days=1))
        inventories.sweep(now=datetime.now(UTC) + LATER)
        assert not Command.objects.filter(station=station).exists()


def test_what_never_reached_a_station_is_asked_after_its_next_restart(engine: Engine, station: Station) -> None:
    boots(engine, station)
    asked(station)
    with scopes_disabled():
        for row in Command.objects.filter(station=station):
            assert commandends.cancel(command=row)
    assert asked(station, LATER * 2) == []
    boots(engine, station)
    with scopes_disabled():
        Station.objects.filter(pk=station.pk).update(booted_at=datetime.now(UTC) + LATER * 3)
    assert asked(station, LATER * 4) == ["get_base_report", "get_monitoring_report"]


def passes(station: Station, **time: float) -> None:
    """So much time, as far as the reports and the looks know."""
    spent = timedelta(**time)
    with scopes_disabled():
        for report in Report.objects.filter(station=station):
            report.finished_at, report.created_at = report.finished_at and report.finished_at - spent, report.created_at - spent
            report.save()
        model = station.device_model
        model.refresh_from_db()
        for name in ("due_at", "inventory_at", "monitors_at"):
            setattr(model, name, getattr(model, name) and getattr(model, name) - spent)
        model.save()


def refuses(engine: Engine, station: Station, answer: Any) -> None:
    """Everything it is asked now."""
    while errands := engine.claim(station):
        engine.reply(station, errands[0], answer)


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, ["InternalError", "busy"]])
def test_one_that_refuses_its_settings_is_asked_again_ever_later_and_at_last_no_more(
    engine: Engine, station: Station, answer: Any
) -> None:
    boots(engine, station)
    assert "get_base_report" in asked(station)
    for pause in inventories.AGAIN_AFTER:
        refuses(engine, station, answer)
        assert "get_base_report" not in asked(station)
        passes(station, seconds=pause.total_seconds() - 120)
        # That it restarts meanwhile changes nothing.
        boots(engine, station)
        assert "get_base_report" not in asked(station)
        passes(station, minutes=2)
        assert "get_base_report" in asked(station)
    refuses(engine, station, answer)
    passes(station, days=100)
    boots(engine, station)
    assert "get_base_report" not in asked(station)
    boots(engine, station, firmwareVersion="2.0")
    assert "get_base_report" in asked(station)
    refuses(engine, station, answer)
    asked(station)
    passes(station, seconds=inventories.AGAIN_AFTER[0].total_seconds())
    assert "get_base_report" in asked(station)


@pytest.mark.parametrize("answer", [{"status": "NotSupported"}, ["NotSupported", "no"], ["NotImplemented", "no"], ACCEPTED])
def test_one_that_knows_no_such_report_is_not_asked_again(engine: Engine, station: Station, answer: Any) -> None:
    boots(engine, station)
    asked(station)
    refuses(engine, station, answer)
    asked(station)
    passes(station, days=100)
    boots(engine, station)
    assert "get_base_report" not in asked(station)


WANTED = {"component": "EVSE", "evse": 1, "variable": "Temperature", "type": "UpperThreshold", "value": 80.5, "severity": 3}
CHANGES = (
    commands.SetVariableMonitoring([WANTED]),
    commands.ClearVariableMonitoring([1]),
    commands.SetMonitoringBase("FactoryDefault"),
)


@pytest.fixture
def looked_at(engine: Engine, station: Station) -> Station:
    """One of which everything was read a moment ago."""
    boots(engine, station)
    asked(station)
    answers(engine, station, ACCEPTED, {"status": "EmptyResultSet"})
    passes(station, minutes=2)
    return station


@pytest.mark.parametrize("answer", [None, ["InternalError", "no"]])
@pytest.mark.parametrize("command", CHANGES)
def test_a_change_of_monitors_of_which_nobody_knows_is_followed_by_a_reading(
    engine: Engine, looked_at: Station, command: commands.Command, answer: Any
) -> None:
    issue(looked_at, command)
    answers(engine, looked_at, answer)
    assert asked(looked_at) == ["get_monitoring_report"]


@pytest.mark.parametrize("command", CHANGES)
def test_one_whose_answer_was_lost_with_its_socket_is_too(engine: Engine, looked_at: Station, command: commands.Command) -> None:
    row = issue(looked_at, command)
    sent(engine, looked_at)
    with scopes_disabled(), transaction.atomic(), connection.cursor() as cursor:
        commandends.orphan(cursor, [looked_at.pk], now=datetime.now(UTC))
    assert now_of(row).status == "timed_out"
    assert asked(looked_at) == ["get_monitoring_report"]


def test_a_change_whose_answer_was_lost_leads_to_a_first_look_too(engine: Engine, station: Station) -> None:
    issue(station, CHANGES[0])
    sent(engine, station)
    with scopes_disabled(), transaction.atomic(), connection.cursor() as cursor:
        commandends.orphan(cursor, [station.pk], now=datetime.now(UTC))
    assert asked(station) == ["get_base_report", "get_monitoring_report"]


def test_a_change_that_never_left_is_followed_by_nothing(looked_at: Station) -> None:
    row = issue(looked_at, CHANGES[0])
    with scopes_disabled():
        assert commandends.cancel(command=row)
    assert asked(looked_at) == []


def test_a_station_of_1_6_is_asked_for_nothing(network: Network) -> None:
    engine = Engine()
    station = connected(network, engine)
    engine.say(station, "BootNotification", v16.BOOT)
    assert asked(station) == []


def test_one_that_was_away_is_looked_at_when_it_is_back(engine: Engine, station: Station) -> None:
    """Though it did not restart: only its connection was lost."""
    boots(engine, station)
    with scopes_disabled():
        Connection.objects.filter(station=station).update(seen_at=datetime.now(UTC) - timedelta(days=1))
        inventories.sweep(now=datetime.now(UTC) + LATER)
    assert asked(station, LATER * 2) == ["get_base_report", "get_monitoring_report"]
    assert asked(station, LATER * 3) == []
