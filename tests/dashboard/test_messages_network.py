"""The message log of a whole network: filters, what its looks cost, the live tail's rows, and who may see id tags."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope

from csms.dashboard import messagelog
from stations.models import MessageLogEntry
from tests.dashboard.conftest import browser_of
from tests.dashboard.test_messages import entry
from tests.network import Network


def ids(browser: Client, query: str = "") -> list[str]:
    answer = browser.get(f"/messages/?{query}")
    assert answer.status_code == 200
    return [row.message_id for row in answer.context["log"].rows]


def newer(browser: Client, after: str, query: str = "") -> tuple[list[int], str]:
    """Keys of the rows that are new, and the whole answer."""
    html = browser.get(f"/messages/?format=newer&{query}&{urlencode({'after': after})}").content.decode()
    return [int(pk) for pk in re.findall(r'id="message-(\d+)"', html)], html


def test_all_chargers_of_a_network_stand_in_one_log_and_nobody_elses(ada: Client, cleo: Client, amber: Network) -> None:
    now = timezone.now()
    first, second = amber.station(), amber.station()
    entry(first, 1, at=now - timedelta(seconds=2))
    entry(second, 2, at=now - timedelta(seconds=1), outcome="NotSupported")
    assert ids(ada) == ["m2", "m1"]
    assert ids(ada, f"station={first.identity}") == ["m1"]
    assert ids(ada, f"station={amber.prefix.lower()}") == ["m2", "m1"]
    assert ids(ada, "station=nowhere") == []
    assert ids(ada, "errors=1") == ["m2"]
    assert ids(ada, f"errors=1&station={first.identity}") == []
    assert ids(ada, f"until={(now - timedelta(seconds=1.5)).isoformat()}") == ["m1"]
    assert ids(cleo) == []
    assert b"No charger has said anything yet" in cleo.get("/messages/").content
    assert "Messages</a>" in ada.get("/").content.decode()


def test_whoever_sees_all_networks_names_a_charger(amber: Network) -> None:
    station = amber.station()
    entry(station)
    root = browser_of(amber, "root", operator=None, is_superuser=True)
    assert ids(root) == []
    assert b"Name a charger" in root.get("/messages/").content
    assert ids(root, f"station={station.identity}") == ["m1"]


def test_the_cost_of_a_page_does_not_depend_on_how_many_chargers_it_shows(ada: Client, amber: Network) -> None:
    entry(amber.station())
    with CaptureQueriesContext(connection) as one:
        ada.get("/messages/?action=heartbeat")
    for number in range(5):
        entry(amber.station(), number + 2)
    with CaptureQueriesContext(connection) as many:
        ada.get("/messages/?action=heartbeat")
    # Session, user, operator; the mark of the tail, how far to look, the rows, their chargers, and what was found about them.
    assert len(many) == len(one) <= 8


def test_a_filter_without_an_index_looks_through_so_many_and_says_how_far(
    ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messagelog, "SCAN", 10)
    station, now = amber.station(), timezone.now()
    for number in range(35):
        rare = {"action": "Reset"} if number in (5, 25) else {}
        entry(station, number, at=now - timedelta(minutes=number), **rare)
    query, found, looks = "action=reset", [], 0
    while query:
        log = ada.get(f"/messages/?{query}").context["log"]
        found += [row.message_id for row in log.rows]
        looks += 1
        query = f"action=reset&{log.next}" if log.next else ""
    assert found == ["m5", "m25"]
    assert looks == 4
    assert b"at a time: so far back to" in ada.get("/messages/?q=nothing").content
    with scope(operator=amber.operator):
        log = messagelog.Log(messagelog.Asked(action="Reset"), station)
        assert [row.message_id for row in messagelog.chunk(log, None, 100)] == ["m5", "m25"]


def test_errors_are_read_from_an_index_of_their_own(amber: Network) -> None:
    now = timezone.now()
    stations = [amber.station() for _ in range(3)]
    MessageLogEntry._base_manager.bulk_create(
        MessageLogEntry(
            operator_id=amber.operator.pk,
            station_id=stations[number % 3].pk,
            direction="in",
            protocol="ocpp1.6",
            message_id=f"m{number}",
            action="Heartbeat",
            outcome="InternalError" if number % 500 == 0 else "result",
            call="[]",
            received_at=now - timedelta(seconds=number),
            handling_us=1,
        )
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE stations_messagelogentry")
    plans = {}
    for name, asked in (("errors", {"errors": True}), ("newest", {})):
        with scope(operator=amber.operator):
            plans[name] = messagelog.Log(messagelog.Asked(**asked)).indexed(None)[:51].explain()
    assert "_errors" in plans["errors"]
    assert "operator_id_received_at_id_idx" in plans["newest"]


def test_the_tail_gives_what_is_newer_and_where_to_ask_on(ada: Client, cleo: Client, amber: Network) -> None:
    station, now = amber.station(), timezone.now()
    entry(station, 1, at=now - timedelta(seconds=30))
    after = ada.get("/messages/").context["log"].newest
    assert newer(ada, after)[0] == []
    fresh = entry(station, 2, at=now)
    # Sent before the other one came, and logged when it was answered.
    late = entry(station, 3, at=now - timedelta(seconds=60), direction="out", action="Reset", event="Reset")
    found, html = newer(ada, after)
    assert found == [fresh.pk, late.pk]
    assert "data-behind" not in html
    assert newer(ada, after, "action=reset")[0] == [late.pk]
    assert newer(ada, after, "errors=1")[0] == []
    assert newer(cleo, after)[0] == []
    # What has settled is not asked for again.
    mark = re.search(r'data-newest="([^"]+)"', html)
    assert mark
    assert mark[1].startswith((now - timedelta(seconds=30)).isoformat())
    with CaptureQueriesContext(connection) as queries:
        newer(ada, after)
    assert len(queries) <= 7


def test_the_tail_is_bounded(ada: Client, amber: Network) -> None:
    station, now = amber.station(), timezone.now()
    made = [entry(station, number, at=now - timedelta(milliseconds=number)).pk for number in range(60)]
    found, html = newer(ada, f"{(now - timedelta(seconds=10)).isoformat()}~0")
    assert found == made[:50]
    assert "data-behind" in html


TAGGED = '[2,"m1","StartTransaction",{"connectorId":1,"idTag":"04A1B2C3D4","meterStart":5,"timestamp":"2026-01-01T00:00:00Z"}]'


def test_who_does_not_look_after_id_tags_sees_only_their_end_and_finds_no_more(ada: Client, ben: Client, amber: Network) -> None:
    known = entry(amber.station(), action="StartTransaction", event="TransactionStarted", call=TAGGED)
    address = f"/stations/{known.station.identity}/messages/{known.pk}/"
    for path in (address, f"{address}test/"):
        page = ben.get(path).content.decode() if path == address else ""
        assert "04A1B2C3D4" not in page
    assert "***C3D4" in ben.get(address).content.decode()
    assert "04A1B2C3D4" in ada.get(address).content.decode()
    assert ids(ada, "q=04a1b2") == ["m1"]
    assert ids(ben, "q=04a1b2") == []
    assert ids(ben, "q=StartTransaction") == ["m1"]
