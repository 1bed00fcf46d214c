"""The batch thread: takes what has come in, handles it as one database transaction, and releases the answers after the commit.

One thread a process, with its own database connection: several CPU-bound threads beside an event loop cost it its latency
(docs/architecture.md). It knows no socket: items come in, results go out through `deliver`.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import connection
from django_scopes import scopes_disabled

from csms import logs
from csms.ocpp import errands, exchange, faults, meters
from csms.ocpp.database import SETBACKS
from csms.ocpp.doorkeeping import Doorkeeper
from csms.ocpp.doors import Door, Verdict
from csms.ocpp.errands import Answered
from csms.ocpp.exchange import Inbound, Message
from csms.ocpp.faults import AWAY, PASSING, RETRIES
from csms.ocpp.lanes import Lanes
from csms.ocpp.results import Results
from csms.ocpp.translator import Unsayable
from stations.batch import Batch, Ids
from stations.domain.commands import BadCommand
from stations.services import commandends, commands
from stations.state import StationState

log = structlog.get_logger(__name__)

#: Messages in one transaction at most: beyond it latency grows and nothing is gained.
MAX_BATCH = 256
#: While several messages come at once, a round begins no sooner after the one before: one of two messages costs nearly as much as
#: one of ten, and rounds that follow each other without rest keep a machine busy which has little to do.
GATHER_S = 0.005
#: Comings and goings attended to in one round at most: when a whole network goes or comes back, messages of those who are in have
#: their turn in between.
MAX_DOORS = 32
#: What waits because somebody has the rows of its station locked is tried again after so long, or with the next round.
HELD_PAUSE_S = 0.02
#: A thread that is to end tries so long.
LAST_TRIES_S = 5.0
#: If more stations of a batch than these are in the way one by one, it is the database that is.
MOST_HELD = 8
#: Of a command that failed on its way into words, which is nobody's fault but ours.
UNWORDED = "It could not be put into words; the log of the server says why."


@dataclass(frozen=True, slots=True)
class Look:
    """Look what the stations of this process are to be asked: these, or (None) all, for what a missed bell left."""

    station_ids: Sequence[int] | None


@dataclass(frozen=True, slots=True)
class LastErrands:
    """No command is claimed any more; whoever waits for `token` knows that those claimed before are on their way."""

    token: Any


@dataclass(frozen=True, slots=True)
class Unsent:
    """A command was claimed for a socket that had ended: it waits for the next one."""

    command_id: int
    station_id: int


#: Frames to send, "" for none; None: the socket is to be closed.
Answers = list[tuple[Message, str | None]]
Item = Message | Look | LastErrands | Unsent | Door


class BatchThread(Doorkeeper, threading.Thread):
    def __init__(self, deliver: Callable[[Results], None]) -> None:
        threading.Thread.__init__(self, name="batch", daemon=True)
        Doorkeeper.__init__(self)
        self.deliver = deliver
        self.items: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self.states: dict[int, StationState] = {}
        self.ids = Ids(block=500)
        self.lanes = Lanes()
        self.claiming = True
        self.at_the_doors: deque[Door] = deque()
        #: By when (monotonic seconds) it ends, if it is to end.
        self.ends_by: float | None = None
        #: Before this (monotonic seconds) no round begins.
        self.next_round = 0.0

    # The round

    def stop(self) -> None:
        """End when what has come in is done."""
        self.stopping.set()
        self.items.put(None)

    def run(self) -> None:
        faults.own_connection()
        with scopes_disabled():
            while self._round():
                pass
        connection.close()

    def _round(self) -> bool:
        items = [] if self.at_the_doors else self._next()
        begun = time.monotonic()
        if begun < self.next_round and self.items.qsize() < MAX_BATCH:
            time.sleep(self.next_round - begun)
            begun = self.next_round
        while len(items) < MAX_BATCH:
            try:
                items.append(self.items.get_nowait())
            except queue.Empty:
                break
        self.next_round = begun + GATHER_S if len(items) > 1 else 0.0
        if None in items:
            self.ends_by = begun + LAST_TRIES_S
        try:
            self._handle([item for item in items if item is not None])
            self._look_for_frozen({one.station_id for one in self.lanes.held} | {station_id for station_id, _ in self.held_doors})
        except Exception:
            # The thread is the only one there is: whatever happens, it goes on with the next round, on a connection without a past.
            log.exception("a round of the batch thread failed")
            connection.close()
        self.busy_since = None
        if self.ends_by is None or self.at_the_doors or not self.items.empty():
            return True
        return bool(self.held_since) and time.monotonic() < self.ends_by

    def _next(self) -> list[Item | None]:
        try:
            return [self.items.get(timeout=HELD_PAUSE_S if self.held_since else None)]
        except queue.Empty:
            return []

    def _handle(self, items: Sequence[Item]) -> None:
        inbound = [item for item in items if isinstance(item, Inbound | Answered)]
        if inbound or self.lanes.held:
            self._messages(inbound)
        # After the messages: an arrival may take over from a socket whose messages are among them.
        self.at_the_doors.extend(item for item in items if isinstance(item, Door))
        if self.at_the_doors or self.held_doors:
            waiting, self.held_doors = [door for _, door in self.held_doors], []
            self._doors(waiting + [self.at_the_doors.popleft() for _ in range(min(len(self.at_the_doors), MAX_DOORS))])
        unsent = [item for item in items if isinstance(item, Unsent)]
        if unsent:
            self._unsent(unsent)
        looks = [item for item in items if isinstance(item, Look)]
        if looks and self.claiming:
            everywhere = any(look.station_ids is None for look in looks)
            self._errands({pk for look in looks for pk in look.station_ids or ()}, everywhere=everywhere)
        last: list[tuple[Any, Verdict | None]] = [(item.token, None) for item in items if isinstance(item, LastErrands)]
        if last:
            self.claiming = False
            self.deliver(Results(verdicts=last))

    # Messages

    def _messages(self, inbound: Sequence[Message]) -> None:
        together, apart = self.lanes.sorted(inbound)
        if together:
            self.deliver(Results(self._committed(together)))
        self._alone(apart, lambda answers: self.deliver(Results(answers)))

    def _alone(self, inbound: Sequence[Message], answered: Callable[[Answers], None]) -> None:
        """Handle messages one by one. Once too many are held up the others wait, too: it is the database that is in the way."""
        held_up = 0
        for one in inbound:
            if held_up >= MOST_HELD or self.lanes.holds(one):
                self.lanes.held.append(one)
            elif answers := self._committed([one], alone=True):
                answered(answers)
            else:
                held_up += 1
        if held_up >= MOST_HELD and self.setbacks > SETBACKS:
            self._degraded()

    def _committed(self, inbound: Sequence[Message], *, alone: bool = False) -> Answers:
        """Handle messages as one transaction; if that fails, each alone; if that fails, as a failure. Those of stations whose rows
        somebody has locked have no answer yet: they are held."""
        attempts = 0
        while True:
            begun = time.monotonic()
            try:
                batch, answers = self._attempt(inbound, alone=alone)
            except tuple(PASSING) as error:
                self._forget(inbound)
                meters.TROUBLES.add(PASSING[type(error)])
                attempts += 1
                if attempts <= RETRIES:
                    continue
                if len(inbound) == 1:
                    return self._failed(inbound[0], error)
            except Exception as error:
                self._forget(inbound)
                if isinstance(error, _CommitUnknown):
                    meters.TROUBLES.add("commit_unknown")
                    if self._was_committed(error.xid):
                        return self._done(inbound, error.batch, error.answers, begun)
                    continue
                if isinstance(error, psycopg.errors.LockNotAvailable):
                    self.setbacks += 1
                    if alone:
                        return self._hold(inbound[0])
                elif isinstance(error, AWAY) and not faults.message_at_fault(error):
                    meters.TROUBLES.add("database_away")
                    if not self._wait_for_database(error):
                        return []
                    continue
                elif len(inbound) == 1:
                    return self._failed(inbound[0], error)
                meters.TROUBLES.add("one_by_one")
                log.warning("a batch failed and is handled one by one", messages=len(inbound), error=str(error)[:200])
            else:
                return self._done(inbound, batch, answers, begun)
            answers = []
            self._alone(inbound, answers.extend)
            return answers

    def _done(self, inbound: Sequence[Message], batch: Batch, answers: Answers, begun: float) -> Answers:
        """Committed: whatever goes wrong from here on must not handle the messages again."""
        self.lanes.held += [one for one in inbound if one.station_id in batch.held]
        self.lanes.went_well(one for one, _ in answers)
        self._after(batch)
        if answers:
            meters.committed(answers, batch, begun)
        return answers

    def _hold(self, one: Message) -> Answers:
        """Somebody has a row locked that it needs: it is tried again, apart from the others."""
        self.lanes.in_the_way(one)
        return []

    def _attempt(self, inbound: Sequence[Message], *, alone: bool = False) -> tuple[Batch, Answers]:
        cursor = self._cursor()
        try:
            batch = self._batch(cursor)
            batch.preamble({one.station_id for one in inbound}, begin=True)
            if alone:
                self._be_brief(cursor)
            current = [one for one in inbound if batch.fences.get(one.station_id) == one.fence and one.station_id in self.states]
            batch.look_up([need for one in current for need in exchange.read(one, self.states[one.station_id])])
            with logs.About(batch):
                by_id = {id(one): exchange.answer(one, batch) for one in current}
            self._flush(batch)
        except BaseException:
            self._roll_back(cursor)
            raise
        answers = [(one, by_id.get(id(one))) for one in inbound if one.station_id not in batch.held]
        self._commit(cursor, batch, answers)
        return batch, answers

    def _batch(self, cursor: Any) -> Batch:
        return Batch(cursor, self.states, self.ids, datetime.now(UTC))

    def _failed(self, one: Message, error: Exception) -> Answers:
        """The message failed alone: it is kept as a failure, and answered so that the station is not stuck on it."""
        self.lanes.failed(one)
        meters.TROUBLES.add("message_failed")
        begun = time.monotonic()
        try:
            cursor = self._cursor()
            try:
                batch = self._batch(cursor)
                batch.preamble([one.station_id], begin=True)
                if batch.held:
                    self._roll_back(cursor)
                    return self._hold(one)
                self._be_brief(cursor)
                if batch.fences.get(one.station_id) != one.fence:
                    self._roll_back(cursor)
                    return [(one, None)]
                with logs.About(batch):
                    answers: Answers = [(one, exchange.fail(one, batch, error))]
                self._flush(batch)
            except BaseException:
                self._roll_back(cursor)
                raise
            self._commit(cursor, batch, answers)
            self._after(batch)
            meters.committed(answers, batch, begun)
            return answers
        except Exception as second:
            known = self.states.get(one.station_id)
            self._forget([one])
            if isinstance(second, psycopg.errors.LockNotAvailable):
                return self._hold(one)
            if isinstance(second, _CommitUnknown) and self._was_committed(second.xid):
                self._after(second.batch)
                meters.committed(second.answers, second.batch, begun)
                return second.answers
            if isinstance(second, (_CommitUnknown, *AWAY)) and not faults.message_at_fault(second):
                return self._committed([one]) if self._wait_for_database(second) else []
            about = {"station": known.identity if known else one.station_id, "message_id": exchange.message_id(one)}
            log.exception("a failed message could not be kept either", **about)
            return [(one, exchange.last_resort(one))]

    def _after(self, batch: Batch) -> None:
        """After the commit: bells, and whatever the stations are to be asked next."""
        batch.ring()
        if batch.errands:
            self.items.put(Look(tuple(batch.errands)))

    def _flush(self, batch: Batch) -> None:
        exchange.stamp(batch)
        batch.flush()

    def _commit(self, cursor: Any, batch: Batch, answers: Answers) -> None:
        try:
            cursor.execute("COMMIT", prepare=False)  # there is no plan to keep of it
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise _CommitUnknown(batch, answers) from error
        self._worked()

    def _forget(self, inbound: Sequence[Message]) -> None:
        """What a failed batch did to the states never happened: they are loaded anew."""
        for one in inbound:
            self.states.pop(one.station_id, None)

    # Commands

    def _errands(self, station_ids: set[int], *, everywhere: bool) -> None:
        """Claim what waits for these stations and hand it to their sockets. If the database fails, the next look finds it."""
        now = datetime.now(UTC)
        try:
            cursor = self._cursor()
            if everywhere:
                station_ids = station_ids | {row[0] for row in cursor.execute(commands.WAITING, (settings.NODE,)).fetchall()}
            if not station_ids:
                return
            claimed = commands.claim(cursor, sorted(station_ids), node=settings.NODE, now=now)
            limits, odd = errands.limits(cursor, claimed), errands.quirks_of(cursor, claimed)
            ready = []
            for one in claimed:
                try:
                    ready.append(errands.prepare(one, limits.get(one.station_id, {}), odd.get(one.station_id, "")))
                except (Unsayable, BadCommand) as error:
                    commandends.unsendable(cursor, one, str(error), now=now)
                    self.items.put(Look((one.station_id,)))
                except AWAY:
                    raise
                except Exception:
                    # The others were claimed with it, and wait for nobody else.
                    log.exception("a command could not be put into words", command=one.id)
                    commandends.unsendable(cursor, one, UNWORDED, now=now)
                    self.items.put(Look((one.station_id,)))
        except AWAY as error:
            log.warning("commands could not be claimed", error=str(error).strip()[:200])
            connection.close()
            return
        if ready:
            self.deliver(Results(errands=ready))

    def _unsent(self, items: Sequence[Unsent]) -> None:
        try:
            commands.unsent(self._cursor(), [item.command_id for item in items])
        except AWAY as error:
            log.warning("commands could not be put back", error=str(error).strip()[:200])
            connection.close()
            return
        self.items.put(Look(tuple(item.station_id for item in items)))


class _CommitUnknown(Exception):
    """The connection was lost while it committed."""

    def __init__(self, batch: Batch, answers: Answers) -> None:
        super().__init__("commit unknown")
        self.batch = batch
        self.answers = answers
        self.xid = batch.xid
