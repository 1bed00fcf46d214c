"""Reports in pages (OCPP 2.0.1 B07-B08): in any order, missing pages noticed, asked for again once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django_scopes import scopes_disabled

from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import Command, Report, Station, Variable
from stations.services import commandends, reports
from stations.services import commands as life
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, connected, issue, now_of, sent
from tests.stations.monitored import page, setting


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def asked(engine: Engine, station: Station, command: commands.Command, answer: Any = ACCEPTED) -> tuple[Command, int]:
    """The command and the number of its report, answered so."""
    row = issue(station, command)
    errand = sent(engine, station)
    engine.reply(station, errand, answer)
    return row, errand.calls[0]["requestId"]


def report_of(row: Command) -> Report:
    with scopes_disabled():
        return Report.objects.get(pk=row.pk)


def known(station: Station) -> dict[str, Variable]:
    with scopes_disabled():
        return {one.variable: one for one in Variable.objects.filter(station=station)}


def swept(after: timedelta = timedelta(minutes=2)) -> None:
    with scopes_disabled():
        reports.sweep(now=datetime.now(UTC) + after)


def test_pages_may_come_in_any_order_and_twice(engine: Engine, station: Station) -> None:
    row, number = asked(engine, station, commands.GetBaseReport())
    engine.say(station, "NotifyReport", page(number, 2, last=True, reportData=[setting(variable="C")]))
    engine.say(station, "NotifyReport", page(number, 0, reportData=[setting(variable="A")]))
    engine.say(station, "NotifyReport", page(number, 0, reportData=[setting(variable="A")]))
    report = report_of(row)
    assert (report.status, report.pages, report.last_page, report.items) == ("receiving", [[0, 0], [2, 2]], 2, 2)
    assert (now_of(row).status, reports.missing(report.pages, report.last_page)) == ("accepted", "1")
    engine.say(station, "NotifyReport", page(number, 1, reportData=[setting(variable="B")]))
    assert (report_of(row).status, now_of(row).status) == ("complete", "confirmed")
    assert sorted(known(station)) == ["A", "B", "C"]


def test_pages_of_one_batch_are_of_one_report(engine: Engine, station: Station) -> None:
    row, number = asked(engine, station, commands.GetBaseReport())
    pages = [page(number, n, last=n == 4, reportData=[setting(variable=f"V{n}")]) for n in range(5)]
    engine.round(*(engine.inbound(station, "NotifyReport", one) for one in pages))
    assert (report_of(row).pages, report_of(row).status) == ([[0, 4]], "complete")


def test_pages_that_come_before_the_answer_count(engine: Engine, station: Station) -> None:
    row = issue(station, commands.GetBaseReport())
    errand = sent(engine, station)
    engine.say(station, "NotifyReport", page(errand.calls[0]["requestId"], 0, last=True, reportData=[setting()]))
    assert report_of(row).status == "complete"
    engine.reply(station, errand, ACCEPTED)
    assert (now_of(row).status, report_of(row).status) == ("confirmed", "complete")


def test_a_report_tells_all_of_a_variable(engine: Engine, station: Station) -> None:
    told = {
        **setting("31.5", "Temperature", "EVSE"),
        "variableAttribute": [
            {"type": "Actual", "value": "31.5", "mutability": "ReadOnly"},
            {"type": "MaxSet", "value": "80", "persistent": True, "constant": True},
        ],
        "variableCharacteristics": {
            **{"dataType": "decimal", "unit": "Celsius", "minLimit": -40, "maxLimit": 125.5, "supportsMonitoring": True}
        },
    }
    engine.say(station, "NotifyReport", page(1, 0, last=True, reportData=[told]))
    with scopes_disabled():
        actual, highest = Variable.objects.filter(station=station).order_by("attribute")
    assert (actual.attribute, actual.mutability, actual.persistent, actual.constant) == ("Actual", "ReadOnly", False, False)
    assert (highest.attribute, highest.value, highest.persistent, highest.constant) == ("MaxSet", "80", True, True)
    assert (actual.data_type, actual.unit, actual.lowest, actual.highest) == ("decimal", "Celsius", -40, 125.5)
    assert actual.monitorable is True


def test_reading_a_value_takes_nothing_back_of_what_a_report_told(engine: Engine, station: Station) -> None:
    engine.say(station, "NotifyReport", page(1, 0, last=True, reportData=[setting("300")]))
    entry = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}
    issue(station, commands.GetVariables([entry]))
    result = {"attributeStatus": "Accepted", "attributeValue": "60"}
    named = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
    engine.reply(station, sent(engine, station), {"getVariableResult": [result | named]})
    one = known(station)["HeartbeatInterval"]
    assert (one.value, one.mutability, one.data_type, one.monitorable) == ("60", "ReadOnly", "integer", True)


def test_what_a_full_inventory_has_not_is_not_in_the_station_any_more(engine: Engine, station: Station) -> None:
    engine.say(station, "NotifyReport", page(1, 0, last=True, reportData=[setting(variable="Old"), setting(variable="Kept")]))
    _, number = asked(engine, station, commands.GetBaseReport())
    engine.say(station, "NotifyReport", page(number, 0, last=True, reportData=[setting(variable="Kept")]))
    assert {name: one.known for name, one in known(station).items()} == {"Old": False, "Kept": True}
    _, number = asked(engine, station, commands.GetBaseReport("SummaryInventory"))
    engine.say(station, "NotifyReport", page(number, 0, last=True, reportData=[setting(variable="Old")]))
    assert {name: one.known for name, one in known(station).items()} == {"Old": True, "Kept": True}


@pytest.mark.parametrize("command", [commands.GetReport(criteria=["Problem"]), commands.GetBaseReport("SummaryInventory")])
@pytest.mark.parametrize(
    ("status", "ends", "stands"),
    [("EmptyResultSet", "empty", "confirmed"), ("NotSupported", "refused", "rejected"), ("Rejected", "refused", "rejected")],
)
def test_a_report_that_will_not_come_is_told(
    engine: Engine, station: Station, command: commands.Command, status: str, ends: str, stands: str
) -> None:
    row, _ = asked(engine, station, command, {"status": status})
    assert (report_of(row).status, report_of(row).detail, now_of(row).status) == (ends, status, stands)


def test_missing_pages_are_a_finding_and_asked_for_again_once(network: Network, engine: Engine, station: Station) -> None:
    row, number = asked(engine, station, commands.GetBaseReport())
    engine.say(station, "NotifyReport", page(number, 0, reportData=[setting()]))
    engine.say(station, "NotifyReport", page(number, 3, last=True))
    swept()
    report = report_of(row)
    assert (report.status, report.detail) == ("incomplete", "Pages 1-2 of the report did not come.")
    assert (now_of(row).status, now_of(row).detail) == ("no_effect", report.detail)
    assert network.finding(station, "report_incomplete").detail == report.detail
    with scopes_disabled():
        again = Report.objects.get(repeat_of=report)
    assert (again.about, again.status) == ({"report": "FullInventory"}, "requested")
    errand = sent(engine, station)
    engine.reply(station, errand, ACCEPTED)
    swept(timedelta(minutes=4))
    with scopes_disabled():
        assert Report.objects.filter(station=station).count() == 2
        assert Report.objects.get(pk=again.pk).detail == "No page of the report came."


def test_each_page_gives_the_next_one_its_time(engine: Engine, station: Station) -> None:
    row, number = asked(engine, station, commands.GetBaseReport())
    first = report_of(row).due_at
    engine.say(station, "NotifyReport", page(number, 0, reportData=[setting()]))
    assert report_of(row).due_at > first
    swept(timedelta(seconds=30))
    assert report_of(row).status == "receiving"


def test_a_station_that_is_pending_is_heard_as_far_as_it_was_asked(network: Network, engine: Engine) -> None:
    """OCPP 2.0.1 B02: its settings are read before it is accepted, and nothing else of it is heard."""
    station = connected(network, engine, accepted=False, registration="Pending")
    row, number = asked(engine, station, commands.GetBaseReport())
    assert engine.say(station, "NotifyReport", page(number, 0, last=True, reportData=[setting()])) == {}
    assert (report_of(row).status, now_of(row).status, known(station)["HeartbeatInterval"].value) == (
        "complete",
        "confirmed",
        "300",
    )
    assert engine.say(station, "NotifyReport", page(number, 1, last=True))[2] == "SecurityError"
    assert engine.say(station, "Heartbeat", {})[2] == "SecurityError"
    issue(station, commands.TriggerMessage("Heartbeat"))
    engine.reply(station, sent(engine, station), ACCEPTED)
    assert "currentTime" in engine.say(station, "Heartbeat", {})
    assert engine.say(station, "Heartbeat", {})[2] == "SecurityError"


def test_one_that_was_never_asked_says_so(engine: Engine, station: Station) -> None:
    row = issue(station, commands.GetBaseReport())
    with scopes_disabled():
        commandends.cancel(command=row)
    assert report_of(row).status == "unsent"
    row, _ = asked(engine, station, commands.GetBaseReport(), None)
    assert (now_of(row).status, report_of(row).status) == ("timed_out", "incomplete")


def test_a_number_of_a_report_that_is_awaited_is_not_given_twice(engine: Engine, station: Station) -> None:
    raw = {"action": "GetBaseReport", "payload": {"requestId": 5, "reportBase": "FullInventory"}}
    with scopes_disabled():
        first = life.issue(station=station, command=commands.GetBaseReport(), raw=raw)
        assert report_of(first).request_id == 5
        with pytest.raises(BadCommand, match="still awaited"):
            life.issue(station=station, command=commands.GetBaseReport(), raw=raw)
        raw["payload"] = {"requestId": 2**31, "reportBase": "FullInventory"}
        with pytest.raises(BadCommand, match="requestId must be a whole number"):
            life.issue(station=station, command=commands.GetBaseReport(), raw=raw)


@pytest.mark.parametrize("number", [-1, 2**40])
def test_a_page_with_a_number_that_none_can_have_is_a_finding(
    network: Network, engine: Engine, station: Station, number: int
) -> None:
    row, request_id = asked(engine, station, commands.GetBaseReport())
    engine.say(station, "NotifyReport", page(request_id, number, last=True, reportData=[setting()]))
    engine.say(station, "NotifyReport", page(number, 0, last=True, reportData=[setting()]))
    assert network.findings(station) == ["report_page_impossible"]
    assert report_of(row).status == "requested"


@pytest.mark.parametrize(
    ("pages", "last", "missing"),
    [([], None, "0 and what follows"), ([[0, 3]], 3, ""), ([[1, 2], [5, 5]], 7, "0, 3-4"), ([[0, 1]], None, "2 and what follows")],
)
def test_what_is_missing_is_named(pages: list[list[int]], last: int | None, missing: str) -> None:
    assert reports.missing(pages, last) == missing


def test_giving_up_and_the_page_that_comes_after_all_do_not_wait_for_each_other(engine: Engine, station: Station) -> None:
    """Both change the station's state and the report; a batch has the station first, and the report last."""
    row, _ = asked(engine, station, commands.GetBaseReport())

    def gives_up() -> None:
        try:
            with scopes_disabled():
                reports.give_up(row.pk, now=datetime.now(UTC) + timedelta(minutes=2))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as workers, transaction.atomic(), connection.cursor() as batch:
        batch.execute("SELECT FROM stations_connection WHERE station_id = %s FOR SHARE", [station.pk])
        giving_up = workers.submit(gives_up)
        while not giving_up.done():
            batch.execute("SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if batch.fetchone() is not None:
                break
        batch.execute("UPDATE stations_report SET heard_at = now() WHERE command_id = %s", [row.pk])
    giving_up.result()
    assert report_of(row).status == "incomplete"


# In several requests


def limited(station: Station, variable: str, value: str, of: str = "GetReport") -> None:
    with scopes_disabled():
        Variable.objects.create(
            **{"operator": station.operator, "station": station, "component": "DeviceDataCtrlr", "variable": variable},
            **{"variable_instance": of, "attribute": "Actual", "value": value, "reported_at": datetime.now(UTC)},
        )


def several(number: int) -> commands.GetReport:
    return commands.GetReport(variables=[{"component": "C", "variable": f"V{one}"} for one in range(number)])


def test_more_than_the_station_takes_goes_out_as_several_requests_of_one_report(
    network: Network, engine: Engine, station: Station
) -> None:
    limited(station, "ItemsPerMessage", "2")
    row = issue(station, several(5))
    errand = sent(engine, station)
    assert [len(call["componentVariable"]) for call in errand.calls] == [2, 2, 1]
    one, two, three = (call["requestId"] for call in errand.calls)
    assert len({one, two, three}) == 3
    engine.reply(station, errand, *[ACCEPTED] * 3)
    engine.say(station, "NotifyReport", page(two, 0, last=True, reportData=[setting(variable="V2")]))
    pages = [page(one, number, last=number == 1, reportData=[setting(variable=f"V{number}")]) for number in range(2)]
    engine.round(*(engine.inbound(station, "NotifyReport", data) for data in pages))
    report = report_of(row)
    assert (report.status, reports.count(report), reports.gaps(report)) == ("receiving", 3, "request 3: 0 and what follows")
    assert now_of(row).status == "accepted"
    engine.say(station, "NotifyReport", page(three, 0, last=True, reportData=[setting(variable="V4")]))
    report = report_of(row)
    assert (report.status, report.items, now_of(row).status) == ("complete", 4, "confirmed")
    assert "parts" not in report.about
    assert network.findings(station) == []


def test_a_part_with_nothing_to_tell_is_no_refusal(engine: Engine, station: Station) -> None:
    limited(station, "ItemsPerMessage", "1")
    row = issue(station, several(2))
    errand = sent(engine, station)
    engine.reply(station, errand, ACCEPTED, {"status": "EmptyResultSet"})
    assert (now_of(row).status, report_of(row).status) == ("accepted", "requested")
    engine.say(station, "NotifyReport", page(errand.calls[0]["requestId"], 0, last=True, reportData=[setting(variable="V0")]))
    assert (now_of(row).status, report_of(row).status) == ("confirmed", "complete")
    row = issue(station, several(2))
    engine.reply(station, sent(engine, station), *[{"status": "EmptyResultSet"}] * 2)
    assert (now_of(row).status, report_of(row).status) == ("confirmed", "empty")


def test_its_bytes_bound_a_request_too(engine: Engine, station: Station) -> None:
    limited(station, "BytesPerMessage", "600")
    issue(station, several(9))
    calls = sent(engine, station).calls
    assert len(calls) > 1
    assert sum(len(call["componentVariable"]) for call in calls) == 9
    assert all(len(str(call)) < 600 for call in calls)


def test_missing_pages_of_a_part_are_asked_for_again_in_parts(engine: Engine, station: Station) -> None:
    limited(station, "ItemsPerMessage", "1")
    row = issue(station, several(2))
    errand = sent(engine, station)
    engine.reply(station, errand, ACCEPTED, ACCEPTED)
    engine.say(station, "NotifyReport", page(errand.calls[1]["requestId"], 0, last=True, reportData=[setting(variable="V1")]))
    swept()
    assert report_of(row).detail == "Pages of the report did not come: request 1: 0 and what follows."
    assert len(sent(engine, station).calls) == 2


@pytest.mark.parametrize("own", ["", "1"])
def test_monitors_are_asked_for_in_several_requests_too(network: Network, engine: Engine, station: Station, own: str) -> None:
    limited(station, "ItemsPerMessage", "2")
    if own:
        limited(station, "ItemsPerMessage", own, of="GetMonitoringReport")
    row = issue(station, commands.GetMonitoringReport(["DeltaMonitoring"], several(3).variables))
    errand = sent(engine, station)
    assert [len(call["componentVariable"]) for call in errand.calls] == ([1, 1, 1] if own else [2, 1])
    assert all(call["monitoringCriteria"] == ["DeltaMonitoring"] for call in errand.calls)
    numbers = [call["requestId"] for call in errand.calls]
    empty = {"status": "EmptyResultSet"}
    engine.reply(station, errand, ACCEPTED, *[empty] * (len(numbers) - 1))
    assert (now_of(row).status, report_of(row).status) == ("accepted", "requested")
    delta = {"id": 7, "transaction": False, "value": 1, "type": "Delta", "severity": 5}
    told = [{"component": {"name": "C"}, "variable": {"name": "V0"}, "variableMonitoring": [delta]}]
    engine.say(station, "NotifyMonitoringReport", page(numbers[0], 0, last=True, monitor=told))
    assert (now_of(row).status, report_of(row).status, report_of(row).items) == ("confirmed", "complete", 1)
    assert network.findings(station) == []
