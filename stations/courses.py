"""How the energy of sessions rose over time, for prices that depend on when it flowed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

#: A moment, the register (Wh) then, and the current (A) of all phases together, where it is known.
Point = tuple[datetime, Decimal, Decimal | None]

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
    """A session, and where its samples lie. `evse`: its number; None: not known, so that the quarters of none are its own.

    `every`: as many of its readings as are kept, not only those of the last hour.
    """

    transaction: int
    station: int
    evse: int | None
    since: datetime
    every: bool = False


# Two points a quarter of an hour say what most prices need: by its first and its last reading it is known what flowed within.
RUNNING = """
SELECT n.id, p.at, p.register, p.current_a
FROM unnest(%(ids)s::bigint[], %(stations)s::bigint[], %(evses)s::int[], %(since)s::timestamptz[], %(every)s::boolean[])
    AS n(id, station, evse, since, every)
CROSS JOIN LATERAL (SELECT CASE WHEN n.every THEN COALESCE((
    SELECT s.at FROM stations_metersample s
    WHERE s.station_id = n.station AND s.at > n.since AND s.at <= %(now)s AND s.transaction_id = n.id AND s.energy_wh IS NOT NULL
    ORDER BY s.at DESC OFFSET %(most)s LIMIT 1
), n.since) ELSE GREATEST(n.since, %(fresh)s) END AS at) f
CROSS JOIN LATERAL (
    SELECT u.at, u.register, NULL::numeric AS current_a FROM stations_meterquarter q
    CROSS JOIN LATERAL (VALUES (q.first_at, q.energy_first_wh), (q.last_at, q.energy_last_wh)) AS u(at, register)
    WHERE q.station_id = n.station AND q.evse_number = n.evse AND q.start > n.since - interval '15 minutes'
        AND q.start <= f.at AND u.at > n.since AND u.at <= f.at AND u.register IS NOT NULL
    UNION ALL
    SELECT s.at, s.energy_wh, COALESCE(s.current_sum_a, s.current_a) FROM stations_metersample s
    WHERE s.station_id = n.station AND s.at > f.at AND s.at <= %(now)s
        AND s.transaction_id = n.id AND s.energy_wh IS NOT NULL
) p
ORDER BY n.id, p.at
"""
WHOLE = """
SELECT at, energy_wh, COALESCE(current_sum_a, current_a) FROM stations_metersample
WHERE station_id = %s AND at > %s AND at < %s AND transaction_id = %s AND energy_wh IS NOT NULL ORDER BY at
"""


def point(at: datetime, register: Decimal, current_a: Decimal | None, current_sum_a: Decimal | None) -> Point:
    """A reading as the statements have it: a current without phases is taken for that of all of them (OCPI 2.2.1 min_current)."""
    return at, register, current_a if current_sum_a is None else current_sum_a


def running(cursor: Runs, sessions: Iterable[Running], *, now: datetime) -> dict[int, list[Point]]:
    """The course of running sessions by their primary key: two points a quarter of an hour, or every reading up to MOST and two
    points a quarter before those. One statement, however many."""
    asked = list(sessions)
    found: dict[int, list[Point]] = {one.transaction: [] for one in asked}
    if not asked:
        return found
    cursor.execute(
        RUNNING,
        {
            "ids": [one.transaction for one in asked],
            "stations": [one.station for one in asked],
            "evses": [one.evse for one in asked],
            "since": [one.since for one in asked],
            "every": [one.every for one in asked],
            "most": MOST,
            "fresh": now - FRESH,
            "now": now,
        },
    )
    for pk, at, register, current_a in cursor.fetchall():
        found[pk].append((at, register, current_a))
    return found


def whole(cursor: Runs, *, transaction: int, station: int, since: datetime, until: datetime) -> list[Point]:
    """Every reading of a session between its start and its end. One statement."""
    cursor.execute(WHOLE, [station, since, until, transaction])
    return [(at, register, current_a) for at, register, current_a in cursor.fetchall()]


@dataclass(slots=True)
class Course:
    """That of a running session, in memory. `every`: each reading counts, not only the first and the last of a quarter."""

    points: list[Point]
    every: bool = False

    def go_on(self, point: Point) -> None:
        """Add a newer reading. One too long loses some of its past: what lies between the quarters first."""
        if self.points and point[0] <= self.points[-1][0]:
            return
        if self.every:
            self.points.append(point)
        else:
            _add(self.points, point)
        if len(self.points) > MOST:
            past: list[Point] = []
            for one in self.points[:-NEWEST]:
                _add(past, one)
            self.points[:-NEWEST] = past
        if len(self.points) > MOST:
            del self.points[1:-NEWEST:2]


def _add(points: list[Point], point: Point) -> None:
    """Of each quarter of an hour the first and the last are kept."""
    if len(points) > 1 and _quarter(points[-2]) == _quarter(points[-1]) == _quarter(point):
        points[-1] = point
    else:
        points.append(point)


def _quarter(point: Point) -> int:
    return (point[0] - EPOCH) // QUARTER


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
