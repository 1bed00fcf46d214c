"""The event loop's side of the OCPP endpoint, one a process: its sockets, and what goes to and from the batch thread."""

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog

from csms.hub import Message, hub
from csms.metrics.meters import Gauge
from csms.ocpp import meters
from csms.ocpp.batching import BatchThread, Item, LastErrands, Look, Unsent
from csms.ocpp.doors import Arrival, Departure, SignsOfLife, Turned, Verdict
from csms.ocpp.errands import Answered, Errand
from csms.ocpp.exchange import Inbound
from csms.ocpp.garbage import Garbage
from csms.ocpp.results import Results
from stations.services.connections import Admitted, Knock, Refused

log = structlog.get_logger(__name__)

#: How often what a missed bell left is looked for, in seconds.
LOOK_INTERVAL_S = 5.0
#: How often sockets are looked after, in seconds.
WATCH_INTERVAL_S = 1.0
#: A sign of life is written this often at most, in seconds; the lease holds for three heartbeat intervals.
SEEN_INTERVAL_S = 30.0
#: A socket of which nothing at all came for this many heartbeat intervals is closed, but never sooner than `SILENCE_S`.
SILENT_INTERVALS = 3
SILENCE_S = 180.0
#: How long a knock waits for its verdict.
VERDICT_TIMEOUT_S = 15.0
#: Sockets are kept this long while the database is away; then they are closed (1013), spread over `SPREAD_S`.
PATIENCE_S = 60.0
SPREAD_S = 20.0
#: Draining: sockets closed together, and the pause between such groups (seconds, with jitter).
DRAIN_GROUP = 200
DRAIN_PAUSE_S = 0.2
#: Draining: how long commands that are being claimed, and the answers of stations that were asked, are waited for.
LAST_ERRANDS_S, LAST_ANSWERS_S = 5.0, 10.0
#: Refusals a minute after which the same peer and identity, or the same peer, are turned away unheard.
REFUSALS_SAME, REFUSALS_PEER = 10, 600
MOST_COUNTED = 50_000
BUSY = Refused(429, "too_many_attempts", "Too many refused attempts; try again in a minute.")
AWAY = Refused(503, "database_away", "The system could not reach its database.")
DRAINING = Refused(503, "restarting", "The server is being restarted.")


class Link(Protocol):
    """What the gateway needs of a socket."""

    admitted: Admitted
    #: When anything last came, pongs included (monotonic seconds).
    heard: float
    #: Calls of the station that are not answered yet.
    in_hand: int
    #: The command it carries out.
    errand: Errand | None

    def answer(self, text: str) -> None: ...
    def run(self, errand: Errand) -> bool: ...
    def close(self, code: int, reason: str) -> None: ...
    def tick(self, now: float) -> None: ...


class Throttle:
    """Counts refusals in windows of a minute. Bounded: what it remembers is forgotten with the window."""

    def __init__(self) -> None:
        self.window = 0
        #: By address and identity; without one (None) all of an address. An identity may be empty.
        self.counts: defaultdict[tuple[str, str | None], int] = defaultdict(int)

    def refused(self, knock: Knock, now: float) -> None:
        counts = self._counts(now)
        if len(counts) < MOST_COUNTED:
            counts[knock.address, knock.identity] += 1
            counts[knock.address, None] += 1

    def allows(self, knock: Knock, now: float) -> bool:
        counts = self._counts(now)
        every = counts.get((knock.address, None), 0)
        return counts.get((knock.address, knock.identity), 0) < REFUSALS_SAME and every < REFUSALS_PEER

    def _counts(self, now: float) -> defaultdict[tuple[str, str | None], int]:
        if int(now / 60) != self.window:
            self.window = int(now / 60)
            self.counts.clear()
        return self.counts


class Gateway:
    def __init__(self) -> None:
        self.links: dict[int, Link] = {}
        self.thread: BatchThread | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.watcher: asyncio.Task[None] | None = None
        self.draining = False
        self.written: dict[int, float] = {}
        self.throttle = Throttle()
        self.garbage: Garbage | None = None

    # Coming and going

    async def admit(self, knock: Knock) -> Verdict:
        """May this station come in? Waits for the batch thread, which judges all that knock in the same moment together."""
        self._start()
        assert self.thread is not None
        if self.draining:
            return DRAINING
        if not self.throttle.allows(knock, time.monotonic()):
            return BUSY
        if self.degraded:
            return AWAY
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self.thread.items.put(Arrival(knock, verdict))
        try:
            answer = await asyncio.wait_for(verdict, VERDICT_TIMEOUT_S)
        except TimeoutError:
            return AWAY
        if isinstance(answer, Refused) and answer.status in (401, 404):
            self.throttle.refused(knock, time.monotonic())
        return answer

    def turned_away(self, knock: Knock, refused: Refused) -> None:
        """Somebody was turned away before the question came up: a plain HTTP request, say."""
        self._start()
        meters.REFUSED.add(refused.reason)
        if self.throttle.allows(knock, time.monotonic()):
            self.throttle.refused(knock, time.monotonic())
            self._put(Turned(knock, refused))

    def open(self, link: Link) -> None:
        """A socket is open. An older one of the same station is closed: the newest wins."""
        station_id = link.admitted.station_id
        older = self.links.get(station_id)
        if older is not None and older.admitted.fence > link.admitted.fence:
            link.close(1012, "replaced by a newer connection")
            return
        self.links[station_id] = link
        self.written[station_id] = link.heard
        self._put(Look((station_id,)))
        if older is not None:
            older.close(1012, "replaced by a newer connection")
        if self.draining:
            link.close(1012, "the server restarts")

    def shut(self, link: Link, code: int, reason: str) -> None:
        """A socket has ended."""
        admitted = link.admitted
        if self.links.get(admitted.station_id) is link:
            del self.links[admitted.station_id]
            self.written.pop(admitted.station_id, None)
        self._put(Departure(admitted.station_id, admitted.fence, code, reason))

    # Messages

    @property
    def degraded(self) -> bool:
        """Whether the database is away."""
        return self.thread is not None and self.thread.away_since is not None

    def submit(self, message: Inbound | Answered) -> None:
        self._put(message)

    def _deliver(self, results: Results) -> None:
        """Called on the batch thread."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._land, results)

    def _land(self, results: Results) -> None:
        for inbound, text in results.answers:
            link = self.links.get(inbound.station_id)
            if link is None or link.admitted.fence != inbound.fence:
                continue  # its socket is gone; the answer is in the log
            if text is None:
                link.close(1012, "replaced by a newer connection")
            else:
                link.answer(text)
        for errand in results.errands:
            link = self.links.get(errand.claimed.station_id)
            if link is not None and link.admitted.fence == errand.claimed.fence and link.run(errand):
                continue
            self._put(Unsent(errand.claimed.id, errand.claimed.station_id))
        for token, verdict in results.verdicts:
            if not token.done():
                token.set_result(verdict)
            elif isinstance(verdict, Admitted):
                # Whoever asked has given up waiting: the socket never was.
                self._put(Departure(verdict.station_id, verdict.fence, 1006, "gave up during the handshake"))

    # Looking after

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        if self.loop is loop:
            return
        self.loop = loop
        self.links.clear()
        self.draining = False
        self.thread = BatchThread(self._deliver)
        self.thread.start()
        self.garbage = Garbage(time.monotonic())
        self.watcher = loop.create_task(self._watch(), name="gateway watch")
        hub.listen("fenced", self._fenced)
        hub.listen("command", self._command)

    def _put(self, item: Item) -> None:
        if self.thread is not None:
            self.thread.items.put(item)

    def _fenced(self, message: Message) -> None:
        """Another process (or a page) says that a newer socket, or none, speaks for a station."""
        link = self.links.get(message["station"])
        if link is not None and link.admitted.fence < message["fence"]:
            link.close(1012, "replaced by a newer connection")

    def _command(self, message: Message) -> None:
        """A command is queued for a station, perhaps one of ours."""
        if message["station"] in self.links:
            self._put(Look((message["station"],)))

    async def _watch(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            try:
                now = time.monotonic()
                self._look_after(now, datetime.now(UTC))
                if now - looked >= LOOK_INTERVAL_S and self.links and not self.degraded:
                    looked = now
                    self._put(Look(None))
            except Exception:
                log.exception("looking after the sockets failed")

    def _look_after(self, now: float, wall: datetime) -> None:
        signs = []
        for station_id, link in list(self.links.items()):
            link.tick(now)
            if now - link.heard > max(SILENT_INTERVALS * link.admitted.heartbeat_interval_s, SILENCE_S):
                link.close(1001, "nothing was heard for three heartbeat intervals")
            elif link.heard > self.written[station_id] and now - self.written[station_id] >= SEEN_INTERVAL_S:
                self.written[station_id] = now
                signs.append((station_id, link.admitted.fence, wall))
        if signs:
            self._put(SignsOfLife(signs))
        if self.garbage is not None:
            self.garbage.look(now, len(self.links))
        if self.thread is not None:
            self.thread.watch(now)
        since = self.thread.away_since if self.thread is not None else None
        if since is not None and (left := since + PATIENCE_S + SPREAD_S - now) < SPREAD_S:
            for link in list(self.links.values()):
                # An even share of those that are left, and all of them at the end.
                if random.random() * left < WATCH_INTERVAL_S:  # noqa: S311  (spreads load; no secret)
                    link.close(1013, "the database is away; try again later")

    async def drain(self) -> None:
        """End gracefully: admit nobody, finish what is in hand, close all sockets (1012) in groups with jitter."""
        self.draining = True
        if self.thread is None:
            return
        claimed = asyncio.get_running_loop().create_future()
        self._put(LastErrands(claimed))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(claimed, LAST_ERRANDS_S)
        links = list(self.links.values())
        random.shuffle(links)
        for start in range(0, len(links), DRAIN_GROUP):
            group = links[start : start + DRAIN_GROUP]
            await self._finish(group)
            for link in group:
                link.close(1012, "the server restarts")
            if start + DRAIN_GROUP < len(links):
                await asyncio.sleep(DRAIN_PAUSE_S * random.uniform(0.5, 1.5))  # noqa: S311  (jitter; no secret)
        while self.links:
            await asyncio.sleep(0.02)
        if self.watcher is not None:
            self.watcher.cancel()
        hub.unlisten("fenced", self._fenced)
        hub.unlisten("command", self._command)
        self.thread.stop()
        await asyncio.to_thread(self.thread.join)

    async def _finish(self, links: Sequence[Link]) -> None:
        deadline = time.monotonic() + LAST_ANSWERS_S
        while any(link.in_hand or (link.errand is not None and time.monotonic() < deadline) for link in links):
            await asyncio.sleep(0.01)


gateway = Gateway()


def _waiting() -> int:
    return gateway.thread.items.qsize() if gateway.thread is not None else 0


def _away_s() -> float:
    since = gateway.thread.degraded_since if gateway.thread is not None else None
    return 0.0 if since is None else time.monotonic() - since


Gauge("csms_inbox_messages", "What waits for the next batch: calls, arrivals, departures.", _waiting)
Gauge("csms_database_away_seconds", "How long this process has been without its database; 0 while it answers.", _away_s)
Gauge("csms_draining", "1 while the process ends and admits nobody.", lambda: int(gateway.draining))
