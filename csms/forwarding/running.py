"""The process that mirrors: one at work in the whole system, others stand by. `manage.py forward` starts it.

It follows the tables: which forwards there are, which stations are here. Each link is a task of its own; what one other back end
does or leaves undone holds up nobody but itself.
"""

import asyncio
import contextlib
import time
from contextlib import ExitStack
from typing import Any

import psycopg
import structlog
from django.db import DatabaseError
from django_scopes import scopes_disabled

from csms.db import briefly, run_in_db
from csms.forwarding import keeping
from csms.forwarding.feed import Feed
from csms.forwarding.keeping import Keeper, Route, Wanted
from csms.forwarding.link import Link, Pace
from csms.forwarding.models import LinkState
from csms.hub import hub

log = structlog.get_logger(__name__)

#: Who holds it is at work; it goes with the connection, and so with the process.
LOCK = "csms.forwarding"
#: Seconds between two looks: at the forwards, at all stations, and of who stands by.
LOOK_S, MATCH_S, STAND_BY_S = 1.0, 5.0, 2.0
#: Handshakes at once with one back end, and the seconds between two of all.
HANDSHAKES, SPACING_S = 10, 0.01
#: Seconds for goodbyes and for what is still to be written down when the process ends.
STOP_S, GOODBYE_S = 8.0, 3.0


async def run(stop: asyncio.Event) -> None:
    """Mirror until told to stop; what fails is begun anew."""
    with scopes_disabled():
        while not stop.is_set():
            try:
                await _once(stop)
            except (psycopg.Error, DatabaseError) as error:
                log.warning("forwarding stands still: the database is away", error=str(error)[:200])
            except Exception:
                log.exception("forwarding failed and begins anew")
            await _until(stop, STAND_BY_S)


async def _once(stop: asyncio.Event) -> None:
    with ExitStack() as stack:
        alone = await asyncio.to_thread(stack.enter_context, briefly())
        while not await asyncio.to_thread(_take, alone):
            if await _until(stop, STAND_BY_S):
                return
        await Runner(alone).work(stop)


def _take(connection: "psycopg.Connection[Any]") -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [LOCK]).fetchone()
    return bool(row and row[0])


async def _until(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()


class Spacing:
    """One after the other, with some time between."""

    def __init__(self) -> None:
        self.next = 0.0

    async def __call__(self) -> None:
        now = time.monotonic()
        self.next = max(self.next + SPACING_S, now)
        await asyncio.sleep(self.next - now)


class Runner:
    def __init__(self, alone: "psycopg.Connection[Any]") -> None:
        self.alone = alone
        self.feed, self.keeper, self.spacing = Feed(), Keeper(), Spacing()
        self.routes: dict[int, Route] = {}
        self.slots: dict[int, asyncio.Semaphore] = {}
        self.links: dict[int, Link] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.by_station: dict[int, set[int]] = {}

    async def work(self, stop: asyncio.Event) -> None:
        helpers = [asyncio.create_task(self.feed.run(), name="feed"), asyncio.create_task(self.keeper.run(), name="keeper")]
        hub.listen("changed", self._bell, missed=self.feed.everything)
        matched = 0.0
        try:
            while not stop.is_set():
                if await self._look() or time.monotonic() - matched > MATCH_S:
                    await asyncio.to_thread(self.alone.execute, "SELECT 1")  # whether the lock is still ours
                    await self._match(await run_in_db(keeping.match))
                    matched = time.monotonic()
                await _until(stop, LOOK_S)
        finally:
            hub.unlisten("changed", self._bell)
            await self._end(list(self.tasks))
            for task in helpers:
                task.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _look(self) -> bool:
        """Whether a forward came, went or was changed. What belongs to one that is not as it was ends, to begin anew."""
        routes = await run_in_db(keeping.routes)
        before, self.routes = self.routes, routes
        changed = {pk for pk in before.keys() | routes.keys() if _version(before.get(pk)) != _version(routes.get(pk))}
        if changed:
            await self._end([pk for pk, link in self.links.items() if link.route.id in changed])
        for link in self.links.values():
            old = before.get(link.route.id)
            if old is not None and old.tried_at != routes[link.route.id].tried_at:
                link.retry.set()
        return bool(changed)

    async def _match(self, wanted: list[Wanted]) -> None:
        known = {one.link: one for one in wanted if one.forward in self.routes}
        await self._end([pk for pk in self.links if pk not in known])
        new = [pk for pk in known if pk not in self.links]
        rows = await run_in_db(keeping.rows_of, new) if new else {}
        for pk, one in known.items():
            link = self.links.get(pk)
            if link is None:
                if pk not in rows:
                    continue  # gone meanwhile
                slots = self.slots.setdefault(one.forward, asyncio.Semaphore(HANDSHAKES))
                link = Link(rows[pk], one.identity, self.routes[one.forward], self.feed, self.keeper, Pace(slots, self.spacing))
                self.links[pk] = link
                self.by_station.setdefault(one.station, set()).add(pk)
                begins = True
            else:
                begins = one.online
            link.online, link.protocol, link.identity = one.online, one.protocol, one.identity
            if begins:
                self._begin(pk)

    def _begin(self, pk: int) -> None:
        """At the first look it may have something to tell though its station is away."""
        task = self.tasks.get(pk)
        if task is None or task.done():
            self.tasks[pk] = asyncio.create_task(self.links[pk].run(), name=f"link {pk}")

    async def _end(self, links: list[int]) -> None:
        ending = [task for pk in links if (task := self.tasks.pop(pk, None)) is not None]
        until = time.monotonic() + STOP_S
        while ending and time.monotonic() < until:
            for task in ending:
                task.cancel()
            # Long enough for a goodbye.
            _done, left = await asyncio.wait(ending, timeout=GOODBYE_S)
            ending = list(left)
        for pk in links:
            if (link := self.links.pop(pk, None)) is not None:
                self.by_station.get(link.row.station_id, set()).discard(pk)
                self.feed.forget(pk)
                if link.row.state != LinkState.IDLE:
                    link.row.state, link.row.connected_at = LinkState.IDLE, None
                    self.keeper.note(link.row)
        if links:
            # Whoever begins anew reads where it was.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await self.keeper.flush()

    def _bell(self, message: dict[str, Any]) -> None:
        if message.get("all"):
            self.feed.everything()
            return
        stations = [pk for pk in message["stations"] if pk in self.by_station]
        for station in stations:
            for pk in self.by_station[station]:
                self._begin(pk)
        self.feed.heard(stations)


def _version(route: Route | None) -> int | None:
    return route.version if route is not None else None
