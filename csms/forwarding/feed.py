"""What came since: the message log read for many stations at once, each from where it is.

A station's rows are numbered in the order of their commits, since one batch after the other has them: so a key says what is done.
Only calls of ours stand earlier than they were written, at the time when they were sent; hence `LATE`.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection

from csms.db import run_in_db
from csms.forwarding.frames import Entry

log = structlog.get_logger(__name__)

#: How far back of what was read last a row may turn up.
LATE = timedelta(minutes=5)
#: Rows for one station, and stations in one look.
ROWS, STATIONS = 10, 500
#: Seconds between two looks for a station of which no bell told, between looks at all, and after a failed one.
POLL_S, LOOK_S, AGAIN_S = 4.0, 0.1, 2.0

#: The next rows of each in the order of their keys, found in the index of the station's times. However far behind a station is,
#: only some minutes from its first row on are looked at: what has a lower key than a row of the first `LATE` of them is within
#: twice that.
NEXT = """
SELECT w.link, f.received_at,
    l.id, l.direction = 'in', l.protocol, l.message_id, l.action, l.outcome, l.call, l.answer, l.received_at
FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::bigint[]) AS w(link, station, since, position)
CROSS JOIN LATERAL (
    SELECT m.received_at FROM stations_messagelogentry m
    WHERE m.station_id = w.station AND m.received_at >= w.since AND m.id > w.position ORDER BY m.received_at, m.id LIMIT 1
) AS f
CROSS JOIN LATERAL (
    SELECT m.id, m.received_at FROM stations_messagelogentry m
    WHERE m.station_id = w.station AND m.received_at >= w.since AND m.received_at <= f.received_at + 2 * %s AND m.id > w.position
    ORDER BY m.id LIMIT %s
) AS k
JOIN stations_messagelogentry l ON l.station_id = w.station AND l.received_at = k.received_at AND l.id = k.id
ORDER BY w.link, l.id
"""


@dataclass(frozen=True, slots=True)
class Place:
    """How far one link is."""

    link: int
    station: int
    since: datetime
    position: int


def read(places: Sequence[Place], rows: int = ROWS) -> dict[int, list[Entry]]:
    """The next rows of each place, by link."""
    found: dict[int, list[Entry]] = {}
    with connection.cursor() as cursor:
        columns = ([p.link for p in places], [p.station for p in places], [p.since for p in places], [p.position for p in places])
        arguments: Any = (*columns, LATE, rows)
        cursor.execute(NEXT, arguments)
        full: set[int] = set()
        for link, first, *row in cursor.fetchall():
            entry = Entry(*row)
            if entry.received_at > first + LATE:
                full.add(link)
            if link not in full:
                found.setdefault(link, []).append(entry)
    return found


@dataclass(slots=True)
class _Asking:
    place: Place
    due: float
    answer: "asyncio.Future[list[Entry]]"


@dataclass(slots=True)
class Feed:
    """Answers many who wait for news with few looks. `heard` makes a look at a station due at once."""

    asking: dict[int, _Asking] = field(default_factory=dict)
    rung: set[int] = field(default_factory=set)
    due: dict[int, float] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def more(self, place: Place) -> list[Entry]:
        """The next rows of a link; none if there were none for a while."""
        due = self.due.get(place.link, 0.0)
        one = _Asking(place, due, asyncio.get_running_loop().create_future())
        self.asking[place.link] = one
        if due <= time.monotonic() or place.station in self.rung:
            self.wake.set()
        try:
            return await one.answer
        finally:
            if self.asking.get(place.link) is one:
                del self.asking[place.link]

    def heard(self, stations: Any) -> None:
        """A bell: something of these stations has changed."""
        self.rung.update(stations)
        self.wake.set()

    def everything(self) -> None:
        """Bells may have been missed."""
        self.heard(one.place.station for one in self.asking.values())

    def forget(self, link: int) -> None:
        self.due.pop(link, None)

    async def run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.wake.wait()
            self.wake.clear()
            now = time.monotonic()
            rung, self.rung = self.rung, set()
            due = [one for one in self.asking.values() if one.due <= now or one.place.station in rung]
            for start in range(0, len(due), STATIONS):
                await self._look(due[start : start + STATIONS])
            await asyncio.sleep(LOOK_S)

    async def _look(self, some: Sequence[_Asking]) -> None:
        try:
            found = await run_in_db(read, [one.place for one in some])
        except Exception:
            log.exception("the message log could not be read for forwarding")
            await asyncio.sleep(AGAIN_S)
            return
        # A fifth more or less, so that stations do not fall due together.
        next_look = time.monotonic() + POLL_S
        for number, one in enumerate(some):
            rows = found.get(one.place.link, [])
            self.due[one.place.link] = 0.0 if rows else next_look + POLL_S * 0.2 * (number / len(some))
            if not one.answer.done():
                one.answer.set_result(rows)
