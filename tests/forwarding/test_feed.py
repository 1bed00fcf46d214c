"""What came since is read for many stations at once, in the order of its keys, a little at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from csms.forwarding import feed
from csms.forwarding.feed import LATE, Place
from stations.models import MessageLogEntry, Station
from tests.network import Network

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


def logged(station: Station, *seconds: float) -> list[int]:
    """Rows that were received so many seconds ago, in the order in which they were written; their keys."""
    with scopes_disabled():
        rows = [
            MessageLogEntry(
                operator_id=station.operator_id, station=station, direction="in", protocol="ocpp1.6", message_id=str(number),
                action="Heartbeat", call="[]", received_at=NOW - timedelta(seconds=ago), handling_us=1,
            )
            for number, ago in enumerate(seconds)
        ]  # fmt: skip
        return [row.pk for row in MessageLogEntry.objects.bulk_create(rows)]


def all_of(station: Station, *, since: datetime, position: int = 0, rows: int = 10) -> tuple[list[int], int]:
    """Every key, as a link would come by them, and in how many looks."""
    found: list[int] = []
    looks = 0
    while entries := feed.read([Place(1, station.pk, since, position)], rows).get(1, []):
        looks += 1
        for entry in entries:
            found.append(entry.id)
            position, since = entry.id, max(since, entry.received_at - LATE)
    return found, looks


def test_each_station_is_read_from_where_it_is(amber: Network) -> None:
    here, there = amber.station(), amber.station()
    ours, theirs = logged(here, 30, 20, 10), logged(there, 25, 15)
    since = NOW - timedelta(minutes=1)
    places = [Place(1, here.pk, since, ours[0]), Place(2, there.pk, since, 0), Place(3, amber.station().pk, since, 0)]
    found = feed.read(places)
    assert {link: [one.id for one in entries] for link, entries in found.items()} == {1: ours[1:], 2: theirs}


def test_a_call_of_ours_that_is_written_late_is_neither_lost_nor_doubled(amber: Network) -> None:
    here = amber.station()
    # The fourth was sent 280 seconds before the third was received, and written after it.
    keys = logged(here, 900, 600, 320, 600, 310, 300, 10)
    assert all_of(here, since=NOW - timedelta(hours=1), rows=2)[0] == keys
    assert all_of(here, since=NOW - timedelta(seconds=320) - LATE, position=keys[2])[0] == keys[3:]


def test_a_long_backlog_is_read_some_minutes_at_a_time(amber: Network) -> None:
    here = amber.station()
    keys = logged(here, *range(7200, 0, -30))
    found, looks = all_of(here, since=NOW - timedelta(hours=3), rows=100)
    assert found == keys
    assert 120 // 10 <= looks <= 120 // 4


def test_it_is_found_by_the_index_of_the_stations_times(amber: Network) -> None:
    stations = [amber.station() for _ in range(20)]
    for one in stations:
        logged(one, *range(600, 0, -1))
    arguments: list[Any] = [[1], [stations[0].pk], [NOW - timedelta(minutes=1)], [0], LATE, 10]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE stations_messagelogentry")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {feed.NEXT}", arguments)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert plan.count("_station_id_received_at_id_idx") >= 3
