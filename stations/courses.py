"""How the energy of sessions rose over time, for prices that depend on when it flowed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

#: A moment, and the register (Wh) then.
Point = tuple[datetime, Decimal]

QUARTER = timedelta(minutes=15)
#: Quarters of an hour are counted by a job, which is late by its turn and by batches that run; what is newer is read as it came.
FRESH = timedelta(hours=1)
#: Points kept of a session in memory, and those of them that are kept whatever happens: the newest.
MOST, NEWEST = 400, 200


class Runs(Protocol):
    """A cursor, psycopg's or Django's."""

    def execute(self, sql: Any, params: Any, /) -> Any: ...

    def fetchall(self) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class Running:
    """A session, and where its samples lie. `evse`: its number; None: not known, so that the quarters of none are its own."""

    transaction: int
    station: int
    evse: int | None
    since: datetime


# Two points a quarter of an hour say what one needs: by its first and its last reading it is known what flowed within.
QUARTERLY = """
SELECT n.id, p.at, p.register
FROM unnest(%(ids)s::bigint[], %(stations)s::bigint[], %(evses)s::int[], %(since)s::timestamptz[]) AS n(id, station, evse, since)
CROSS JOIN LATERAL (
    SELECT u.at, u.register FROM stations_meterquarter q
    CROSS JOIN LATERAL (VALUES (q.first_at, q.energy_first_wh), (q.last_at, q.energy_last_wh)) AS u(at, register)
    WHERE q.station_id = n.station AND q.evse_number = n.evse AND q.start > n.since - interval '15 minutes'
        AND q.start <= %(now)s AND u.at > n.since AND u.register IS NOT NULL
    UNION ALL
    SELECT s.at, s.energy_wh FROM stations_metersample s
    WHERE s.station_id = n.station AND s.at > GREATEST(n.since, %(fresh)s) AND s.at <= %(now)s
        AND s.transaction_id = n.id AND s.energy_wh IS NOT NULL
) p
ORDER BY n.id, p.at
"""
WHOLE = """
SELECT at, energy_wh FROM stations_metersample
WHERE station_id = %s AND at > %s AND at < %s AND transaction_id = %s AND energy_wh IS NOT NULL ORDER BY at
"""


def quarterly(cursor: Runs, sessions: Iterable[Running], *, now: datetime) -> dict[int, list[Point]]:
    """The course of running sessions by their primary key, two points a quarter of an hour. One statement, however many."""
    asked = list(sessions)
    found: dict[int, list[Point]] = {one.transaction: [] for one in asked}
    if not asked:
        return found
    cursor.execute(
        QUARTERLY,
        {
            "ids": [one.transaction for one in asked],
            "stations": [one.station for one in asked],
            "evses": [one.evse for one in asked],
            "since": [one.since for one in asked],
            "fresh": now - FRESH,
            "now": now,
        },
    )
    for pk, at, register in cursor.fetchall():
        found[pk].append((at, register))
    return found


def whole(cursor: Runs, *, transaction: int, station: int, since: datetime, until: datetime) -> list[Point]:
    """Every reading of a session between its start and its end. One statement."""
    cursor.execute(WHOLE, [station, since, until, transaction])
    return [(at, register) for at, register in cursor.fetchall()]


def go_on(course: list[Point], point: Point) -> None:
    """Add a newer reading: of each quarter of an hour the first and the last are kept. One too long loses some of its past."""
    if course and point[0] <= course[-1][0]:
        return
    if len(course) > 1 and _quarter(course[-2]) == _quarter(course[-1]) == _quarter(point):
        course[-1] = point
    else:
        course.append(point)
    if len(course) > MOST:
        del course[1:-NEWEST:2]


def _quarter(point: Point) -> int:
    return (point[0] - EPOCH) // QUARTER


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
