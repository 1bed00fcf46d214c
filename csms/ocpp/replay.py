"""A recorded message log fed through the same exchange and batches as when it came, at the times and with the ids of then.

Everything happens in one transaction of the database: a replay that fails or is broken off leaves nothing. What a message does
depends on what stood in the tables, so each is handled as its answer says it was: a charger accepted then is accepted, an id
tag that was good then is enrolled. Nobody is told of anything: no bell, no webhook, no command; and nothing is sent.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django_scopes import scopes_disabled

from accounts.models import Operator
from csms.ocpp import exchange, fixtures, frames, registry
from csms.ocpp.asthen import AsThen, Known
from csms.ocpp.batching import MAX_BATCH, BatchThread
from csms.ocpp.errands import Answered, Errand, Exchanged
from csms.ocpp.exchange import Inbound, Message
from csms.ocpp.masking import masked
from csms.ocpp.recording import Line, Recording
from csms.ocpp.session import Handle, Oddity, Session
from csms.ocpp.times import PATTERN
from stations import state
from stations.batch import Batch
from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.domain.events import StationBooted, TransactionStartAnswered
from stations.models import Command, CommandStatus, MessageLogEntry
from stations.services import restoring
from stations.services.commands import Claimed

#: Differences that are told.
MOST_DIFFERENCES = 50
#: Between two signs of progress, in seconds.
EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Difference:
    """A message is answered otherwise than it was."""

    line: int
    station: str
    action: str
    then: Any
    now: Any


@dataclass(slots=True)
class Done:
    """What a replay did. `unread`: calls of ours that are masked or odd beyond being read again. `differing` counts the messages
    that are answered otherwise, of which `differences` are the first.
    """

    messages: int = 0
    calls: int = 0
    unread: int = 0
    stations: int = 0
    tags: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)


class RecordedBatch(Batch):
    """The present is when a message came, and the short ids are those that were given then. Nobody is told of anything.

    `given`: by station, message and time.
    """

    given: dict[tuple[int, str, datetime], int]
    prices: bool

    @property
    def now(self) -> datetime:
        return self.frame.received_at if self.frame is not None else self._now

    @now.setter
    def now(self, at: datetime) -> None:
        self._now = at

    def preamble(self, station_ids: Iterable[int], *, begin: bool = False) -> None:
        self.cursor.execute("SAVEPOINT replayed")
        super().preamble(station_ids)

    def next_id(self, kind: str) -> int:
        frame = self.frame
        if kind == "short_transaction_id" and frame is not None:
            given = self.given.get((frame.station.id, frame.message_id, frame.received_at))
            if given is not None:
                return given
        return super().next_id(kind)

    def add(self, model: type[models.Model], /, **row: Any) -> None:
        # What would be asked of the charger next was asked then, and stands in the recording.
        if model is not Command:
            super().add(model, **row)

    def publish(self, topic: str, object_id: int) -> None:
        if self.prices:
            super().publish(topic, object_id)

    def tell(self, *_: Any, **__: Any) -> None:
        """Whoever wanted to know was told then."""


class Replay(BatchThread):
    """`prices`: sessions that ended are priced by the tariffs of this database, once a worker runs."""

    def __init__(self, operator: Operator, *, prices: bool = False, tell: Callable[[str], None] = lambda line: None) -> None:
        super().__init__(lambda results: None)
        self.operator, self.prices, self.tell_progress = operator, prices, tell
        self.done = Done()
        self.given: dict[tuple[int, str, datetime], int] = {}
        self.highest_id = 0
        self.known: dict[str, Known] = {}
        self.as_then = AsThen(operator)
        self.heard: dict[int, restoring.LastHeard] = {}
        self.pending: list[tuple[Line | None, Message]] = []
        self.busy: set[int] = set()
        self.parts: dict[tuple[str, int], list[Line]] = defaultdict(list)

    def play(self, recording: Recording) -> Done:
        """All of it or, if anything is in the way (ValidationError), nothing."""
        with scopes_disabled(), transaction.atomic():
            restoring.make_room(recording.months)
            self._play(recording)
        return self.done

    def _play(self, recording: Recording) -> None:
        begun = told = time.monotonic()
        for count, line in enumerate(recording, start=1):
            try:
                if line.incoming:
                    self._heard(line)
                else:
                    self._asked(line, recording)
            except ValidationError as error:
                raise ValidationError([f"Line {line.number}: {text}" for text in error.messages]) from error
            if (now := time.monotonic()) > told + EVERY_S:
                told = now
                speed = round(count / (now - begun))
                self.tell_progress(f"{count} of {len(recording)}, {speed} a second; {line.received_at:%Y-%m-%d %H:%M:%S}")
        self._commit_pending()
        self.done.stations, self.done.tags = len(self.known), self.as_then.made
        after = {"stations": self.done.stations, "messages": self.done.messages, "calls": self.done.calls}
        restoring.finish(operator=self.operator, heard=self.heard, highest_id=self.highest_id, after=after)

    def _station(self, line: Line) -> Known:
        known = self.known.get(line.station)
        if known is None:
            known = self.known[line.station] = Known.of(restoring.take_in(operator=self.operator, identity=line.station))
        self.heard[known.pk] = restoring.LastHeard(line.protocol, line.counts_at)
        return known

    # What a station said

    def _heard(self, line: Line) -> None:
        known = self._station(line)
        inbound = self._inbound(line, known)
        if inbound.call is not None:
            exchange.read(inbound, self._state(known.pk))
            answer = payload_of(line.answer)
            if self.as_then.differs(inbound, line, known):
                # The messages before it were handled as it was until then.
                if known.pk in self.busy or self.as_then.in_use(inbound):
                    self._commit_pending()
                self.as_then.apply(inbound, line, known)
            started = fixtures.reply_of(TransactionStartAnswered, answer)
            if isinstance(started, TransactionStartAnswered):
                number = int(started.transaction_id)
                self.given[known.pk, inbound.call.message_id, line.received_at] = number
                self.highest_id = max(self.highest_id, number)
            self.as_then.uses(inbound)
        self.done.messages += 1
        self._add(known, line, inbound)
        if isinstance(inbound.event, StationBooted):
            # What it said of itself decides how the next ones are read.
            self._commit_pending()

    def _inbound(self, line: Line, known: Known) -> Inbound:
        inbound = Inbound(
            station_id=known.pk,
            fence=known.fence,
            protocol=line.protocol,
            call=None,
            text=line.text,
            received_at=line.received_at,
            received=line.handling_us / 1e6,
        )
        for action in Session(line.protocol).receive(line.text, 0.0):
            if isinstance(action, Handle):
                inbound.call = action.call
            elif isinstance(action, Oddity):
                inbound.notes, inbound.answered = [action.note], action.answer
        return inbound

    def _state(self, station_id: int) -> state.StationState:
        if station_id not in self.states:
            self.states.update(state.load(self._cursor(), [station_id]))
        return self.states[station_id]

    # What a station was asked

    def _asked(self, line: Line, recording: Recording) -> None:
        if line.command is None:
            self.done.unread += 1
            return
        key = line.station, line.command
        self.parts[key].append(line)
        if len(self.parts[key]) < recording.calls[key]:
            return
        lines = sorted(self.parts.pop(key), key=lambda part: part.received_at)
        known = self._station(line)
        answered = self._answered(lines, line.command, known)
        if answered is None:
            self.done.unread += len(lines)
            return
        self.done.calls += len(lines)
        self._add(known, None, answered)

    def _answered(self, lines: list[Line], number: int, known: Known) -> Answered | None:
        """The errand that these calls were, one after the other. None: they cannot be read again."""
        first, last = lines[0], lines[-1]
        asked, exchanged = [], []
        try:
            for line in lines:
                call = frames.parse(line.text)
                assert isinstance(call, frames.Call)
                translator = registry.BY_ACTION[line.protocol][call.action].reading(call.payload)
                asked.append((translator, call.payload, translator.parse(call.payload)))
                answer = frames.parse(orjson.dumps(line.answer).decode()) if line.answer else None
                assert not isinstance(answer, frames.Call)
                # The time from the sending to the flush, as `_flush` reads it.
                exchanged.append(Exchanged(line.text, answer, line.received_at, -line.handling_us / 1e6))
        except (frames.FrameError, BadCommand, AssertionError, LookupError, TypeError, ValueError, AttributeError):
            return None
        command = joined([one for _, _, one in asked])
        row = Command(
            pk=number,
            operator_id=self.operator.pk,
            station_id=known.pk,
            kind=command.kind,
            params=command.without_secrets(),
            status=CommandStatus.SENT,
            created_at=first.received_at,
            expires_at=last.counts_at,
            sent_at=first.received_at,
        )
        restoring.asked(command=row)
        claimed = Claimed(
            number, known.pk, known.fence, first.protocol, command.kind, row.params, {}, self.operator.pk, first.received_at
        )
        errand = Errand(claimed, command, asked[0][0], tuple(payload for _, payload, _ in asked))
        return Answered(known.pk, known.fence, first.protocol, errand, exchanged, last.counts_at, 0.0)

    # Batches

    def _add(self, known: Known, line: Line | None, message: Message) -> None:
        self.pending.append((line, message))
        self.busy.add(known.pk)
        if len(self.pending) >= MAX_BATCH:
            self._commit_pending()

    def _commit_pending(self) -> None:
        if not self.pending:
            return
        lines = {id(message): line for line, message in self.pending}
        for message, text in self._committed([message for _, message in self.pending]):
            line = lines[id(message)]
            if line is not None and isinstance(message, Inbound):
                self._compare(line, message, text or "")
        self.pending.clear()
        self.busy.clear()
        self.given.clear()
        self.as_then.used.clear()

    def _compare(self, line: Line, inbound: Inbound, text: str) -> None:
        answered = text or inbound.answered
        now = orjson.loads(masked(answered)) if answered else None
        if timeless(line.answer) == timeless(now):
            return
        self.done.differing += 1
        if len(self.done.differences) < MOST_DIFFERENCES:
            action = inbound.call.action if inbound.call else ""
            self.done.differences.append(Difference(line.number, line.station, action, line.answer, now))

    # In one transaction

    def _be_brief(self, cursor: Any) -> None:
        """It has all the time there is, and is whole or not at all."""

    def _batch(self, cursor: Any) -> Batch:
        batch = RecordedBatch(cursor, self.states, self.ids, datetime.now(UTC))
        batch.given, batch.prices = self.given, self.prices
        return batch

    def _roll_back(self, cursor: Any) -> None:
        cursor.execute("ROLLBACK TO SAVEPOINT replayed")
        cursor.execute("RELEASE SAVEPOINT replayed")

    def _commit(self, cursor: Any, batch: Batch, answers: Any) -> None:
        cursor.execute("RELEASE SAVEPOINT replayed")

    def _wait_for_database(self, error: BaseException | None) -> bool:
        """Without its connection the transaction is gone."""
        raise ValidationError(f"The database failed, and nothing was kept: {str(error).strip()[:200]}")

    def _after(self, batch: Batch) -> None:
        """Nobody is waiting for a bell."""

    def _flush(self, batch: Batch) -> None:
        for row in batch.added[MessageLogEntry].values():
            row["handling_us"] = round(row["handling_us"] * 1e6)
        batch.flush()


def joined(asked: list[commands.Command]) -> commands.Command:
    """One command of the parts that its calls were: lists go on from one to the next."""
    whole = asked[0]
    for part in asked[1:]:
        lists = {name: value for name, value in part.params().items() if isinstance(value, list)}
        whole = replace(whole, **{name: getattr(whole, name) + value for name, value in lists.items()})
    return whole


def payload_of(answer: Any) -> Any:
    """None: it is no result."""
    return answer[2] if isinstance(answer, list) and len(answer) == 3 and answer[0] == 3 else None


def timeless(value: Any) -> Any:
    """An answer without the times in it, which are those of the answering."""
    if isinstance(value, dict):
        return {name: timeless(item) for name, item in value.items()}
    if isinstance(value, list):
        return [timeless(item) for item in value]
    return "<time>" if isinstance(value, str) and PATTERN.match(value) else value
