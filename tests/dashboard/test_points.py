"""The points of the charts: binned by the database, bounded, never of another's charger, never a zero for what is not known."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.dashboard import points
from stations.models import ConnectionHistory, MeterSample, Station, StatusHistory, Transaction
from tests.dashboard.rows import bill, finished, plug, sample, session
from tests.network import Network


def many(transaction: Transaction, number: int, every: timedelta, **fields: Any) -> None:
    """So many samples, the last of them just now."""
    now = timezone.now()
    with scopes_disabled():
        MeterSample.objects.bulk_create(
            MeterSample(
                operator=transaction.operator,
                station=transaction.station,
                transaction=transaction,
                at=now - every * (number - index),
                **{"context": "Sample.Periodic", "evse_number": 1, "power_w": Decimal(index), "energy_wh": Decimal(1000 + index)}
                | fields,
            )
            for index in range(number)
        )


def of(browser: Client, station: Station, **query: object) -> dict[str, Any]:
    answer = browser.get(reverse("station_points", args=[station.identity]), query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_day_is_a_bounded_number_of_points_however_often_a_charger_samples(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    many(running, 1250, timedelta(minutes=1))
    found = of(ada, running.station)
    (series,) = found["panels"][0]["series"]
    assert series["label"] == "Plug 1"
    assert found["step"] == 300
    assert 240 < len(series["points"]) <= points.MOST
    mean = next(value for at, value in series["points"] if at == series["points"][100][0])
    assert 0 < mean < 5
    assert found["to"] - found["from"] <= 86400 + 2 * 300


def test_a_closer_look_has_finer_points(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    many(running, 400, timedelta(seconds=15))
    now = int(timezone.now().timestamp())
    found = of(ada, running.station, **{"from": now - 1800, "to": now})
    assert found["step"] == 10
    assert 110 <= len(found["panels"][0]["series"][0]["points"]) <= 122


def test_only_the_points_since_the_last_one_are_sent_and_that_one_anew(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    many(running, 100, timedelta(minutes=5))
    everything = of(ada, running.station)["panels"][0]["series"][0]["points"]
    newer = of(ada, running.station, since=everything[-2][0])["panels"][0]["series"][0]["points"]
    assert newer == everything[-2:]
    assert of(ada, running.station, since=int(timezone.now().timestamp()) + 999)["panels"][0]["series"] == []


def test_what_is_not_known_is_no_point_and_the_main_meter_is_no_plug(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    many(running, 3, timedelta(hours=2), power_w=None)
    many(running, 3, timedelta(hours=3), evse_number=0)
    assert of(ada, running.station)["panels"][0]["series"] == []
    many(running, 2, timedelta(hours=4), power_w=Decimal(0))
    assert [value for _at, value in of(ada, running.station)["panels"][0]["series"][0]["points"]] == [0, 0]


@pytest.mark.parametrize(
    "query", [{"from": "yesterday"}, {"since": "-1"}, {"to": "9" * 11}, {"from": "1800000000", "to": "1700000000"}]
)
def test_a_time_that_makes_no_sense_is_refused_with_the_reason(ada: Client, amber: Network, query: dict[str, str]) -> None:
    running = session(plug(amber, "Charging"))
    for address in (reverse("station_points", args=[running.station.identity]), reverse("session_points", args=[running.pk])):
        sample(running, timezone.now(), 1)
        answer = ada.get(address, query)
        assert answer.status_code == 400
        assert "time" in answer.json()["error"]


def test_points_of_others_are_not_there(ben: Client, cleo: Client, client: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    for address in (reverse("station_points", args=[running.station.identity]), reverse("session_points", args=[running.pk])):
        assert ben.get(address).status_code == 200
        assert cleo.get(address).status_code == 404
        assert client.get(address)["Location"].startswith("/login/")
        assert ben.post(address).status_code == 405


def test_what_happened_stands_beside_the_points(ada: Client, amber: Network) -> None:
    connector = plug(amber)
    station, now = connector.evse.station, timezone.now()
    finished(connector, started_at=now - timedelta(hours=30), stopped_at=now - timedelta(hours=20))
    finished(connector, started_at=now - timedelta(hours=50), stopped_at=now - timedelta(hours=40))
    with scopes_disabled():
        StatusHistory.objects.create(
            operator=amber.operator,
            station=station,
            evse_number=1,
            connector_number=1,
            status="Faulted",
            error_code="GroundFailure",
            at=now - timedelta(hours=2),
            received_at=now,
        )
        ConnectionHistory.objects.create(
            operator=amber.operator,
            station=station,
            fence=1,
            opened_at=now - timedelta(hours=10),
            closed_at=now - timedelta(hours=5),
        )
        Station.objects.filter(pk=station.pk).update(booted_at=now - timedelta(hours=9))
    marks = of(ada, station)["marks"]
    assert [(mark["slug"], mark["word"]) for mark in marks] == [
        ("finishing", "Session ended"),
        ("available", "Connected"),
        ("preparing", "Booted"),
        ("offline", "Connection ended"),
        ("faulted", "Plug 1 faulted"),
    ]
    assert marks[-1]["detail"] == "GroundFailure"
    assert marks[0]["detail"] == "plug 1, DEE-CARD"


def test_a_session_has_its_power_energy_and_battery(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    address = reverse("session_points", args=[running.pk])
    assert ada.get(address).json()["panels"] == []
    many(running, 10, timedelta(minutes=1))
    found = ada.get(address).json()
    assert [panel["slug"] for panel in found["panels"]] == ["power", "energy"]
    assert found["panels"][1]["series"][0]["points"][-1][1] == 0.009
    assert found["step"] == 10
    many(running, 3, timedelta(minutes=2), context="Trigger", soc_percent=Decimal(40))
    assert [panel["slug"] for panel in ada.get(address).json()["panels"]] == ["power", "energy", "battery"]


def test_a_register_that_drops_out_is_no_energy(amber: Network) -> None:
    done = finished(plug(amber), meter_start_wh=1000)
    many(done, 2, timedelta(minutes=5), energy_wh=Decimal(0))
    with scope(operator=amber.operator):
        window = points.session(done, None, None)
        assert window is not None
        assert [panel.slug for panel in points.of_session(done, window).panels] == ["power"]


def test_points_far_apart_are_not_joined() -> None:
    series = points.Series("1", "Plug 1", [(0, 1.0), (900, 2.0), (5000, 3.0)])
    assert list(series.pieces(timedelta(minutes=16))) == [[(0, 1.0), (900, 2.0)], [(5000, 3.0)]]


def test_more_chargers_sessions_and_samples_cost_no_more_questions(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    sample(running, timezone.now(), 1)
    with CaptureQueriesContext(connection) as few:
        of(ada, running.station)
    many(running, 500, timedelta(minutes=1))
    for _ in range(3):
        finished(plug(amber, station=running.station))
    with CaptureQueriesContext(connection) as more:
        of(ada, running.station)
    assert len(more) == len(few) <= 8


def test_indexes_lead_to_what_a_chart_shows(amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    many(running, 300, timedelta(minutes=1))
    with scope(operator=amber.operator), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = [
            points._samples(running).explain(),
            Transaction.objects.filter(station=running.station, started_at__gte=timezone.now() - timedelta(days=8))
            .order_by("-started_at")[:5]
            .explain(),
        ]
    assert "station_id" in plans[0]
    assert "Index" in plans[0]
    assert "transaction_station_started" in plans[1]


def test_the_page_of_a_session_reads_its_curves_once_not_at_every_refresh(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    many(running, 5, timedelta(minutes=1))
    address = reverse("transaction", args=[running.pk])

    def bins(**headers: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert ada.get(address, headers=headers).status_code == 200
        return sum("date_bin" in one["sql"] for one in asked)

    assert bins() == 1
    assert bins(**{"X-Requested-With": "refresh"}) == 0


def test_a_session_that_has_just_ended_is_watched_until_it_is_priced(ada: Client, amber: Network) -> None:
    connector = plug(amber)
    just, long_ago = finished(connector), finished(connector, stopped_at=timezone.now() - timedelta(minutes=10))
    assert 'id="session-price" data-refresh' in ada.get(reverse("transaction", args=[just.pk])).content.decode()
    assert "data-refresh" not in ada.get(reverse("transaction", args=[long_ago.pk])).content.decode()
    bill(just, amber.tariff())
    assert "data-refresh" not in ada.get(reverse("transaction", args=[just.pk])).content.decode()


def test_the_library_that_draws_is_the_one_that_is_pinned_and_has_its_licence() -> None:
    pinned = json.loads((settings.BASE_DIR / "package.json").read_text())["dependencies"]["uplot"]
    vendored = settings.BASE_DIR / "static/vendor/uplot"
    assert f"(v{pinned})" in (vendored / "uPlot.iife.min.js").read_text()
    assert (vendored / "uPlot.min.css").exists()
    assert "MIT" in (vendored / "LICENSE").read_text()
