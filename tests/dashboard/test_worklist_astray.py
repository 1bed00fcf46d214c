"""The work list of the wall: lists of id tags that are refused, and chargers that were led astray."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from stations import problems
from stations.models import LocalList, NetworkMove, Station
from tests.dashboard.rows import seen
from tests.dashboard.test_wall import page, part
from tests.dashboard.test_worklist import ago, keys
from tests.network import Network


def led(station: Station, status: str, **fields: Any) -> NetworkMove:
    given = {"slot": 2, "status": status, "created_at": ago(hours=2), "due_at": ago(hours=2), "finished_at": ago(hours=1)}
    with scopes_disabled():
        return NetworkMove.objects.create(operator=station.operator, station=station, **given | fields)


def test_a_refused_list_says_why_and_leads_to_it(ada: Client, amber: Network) -> None:
    station = amber.station()
    with scopes_disabled():
        of = {"operator": station.operator, "error": "It takes 100 entries at most.", "error_at": ago(minutes=3)}
        one = LocalList.objects.create(station=station, state="failed", **of)
        LocalList.objects.create(operator=station.operator, station=amber.station(), state="in_step")
    assert keys(amber) == [f"list-{one.pk}"]
    html = page(ada)
    assert "Its list of id tags is not in step: It takes 100 entries at most." in part(html, f"task-list-{one.pk}")
    assert f"/stations/{station.identity}/?tab=access#local-list" in html
    with scopes_disabled():
        LocalList.objects.update(state="waiting")
    assert keys(amber) == []


def test_a_charger_that_was_lost_stands_there_until_it_is_led_anew(ada: Client, amber: Network) -> None:
    station = amber.station()
    move = led(station, "lost")
    led(amber.station(), "arrived")
    led(amber.station(), "lost", finished_at=ago(days=20))
    assert keys(amber) == [f"move-{move.pk}"]
    html = page(ada)
    assert "was not heard again" in part(html, f"task-move-{move.pk}")
    assert f"/stations/{station.identity}/?tab=security#network-move-{move.pk}" in html
    seen(station)
    with scopes_disabled():
        type(station.connection).objects.filter(station=station).update(connected_at=timezone.now())
    assert "came back on its old address" in part(page(ada), f"task-move-{move.pk}")
    led(station, "arrived")
    assert keys(amber) == []


def test_one_that_came_back_on_its_old_address_says_so(ada: Client, amber: Network) -> None:
    move = led(amber.station(), "returned")
    assert "came back on its old address" in part(page(ada), f"task-move-{move.pk}")


def test_they_are_found_by_their_indexes_alone(amber: Network) -> None:
    station = amber.station()
    with scopes_disabled():
        NetworkMove.objects.bulk_create(
            NetworkMove(
                operator=station.operator,
                station=station,
                slot=1,
                status="arrived",
                created_at=timezone.now(),
                due_at=timezone.now(),
                finished_at=timezone.now() - timedelta(days=1),
            )
            for _ in range(3000)
        )
    with connection.cursor() as cursor, scope(operator=amber.operator):
        cursor.execute("ANALYZE stations_networkmove")
        assert "networkmove_astray" in problems.astray(timezone.now()).explain()
