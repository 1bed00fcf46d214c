"""One station at one second back end: its socket, what is said on it, and what is heard.

One call at a time; the next one leaves when the one before was answered and that stands in the table, so that whatever ends this
process repeats the message in flight and no other. What the other side sends is bounded: it can only spoil its own connection.

Waiting is bounded by `asyncio.timeout`, since Python 3.11's `wait_for` may swallow a cancellation: a link would never end.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from csms.db import run_in_db
from csms.forwarding import frames as said
from csms.forwarding import keeping
from csms.forwarding.dialling import Trouble, dialled
from csms.forwarding.feed import LATE, Feed, Place
from csms.forwarding.frames import Entry, Said, Unsaid
from csms.forwarding.keeping import Keeper, Route
from csms.forwarding.models import ForwardLink, LinkState, Style
from csms.ocpp import forward, frames
from stations.batch import clean

log = structlog.get_logger(__name__)

#: Seconds that the other back end has to answer.
ANSWER_S = 30.0
#: How often a message is sent that is never answered, before it is let go of so that the others get through.
ATTEMPTS = 5
#: Seconds until the next attempt after the first failure, and at most; a connection that held for so long was none.
REST_S, LONGEST_REST_S, HELD_S = 2.0, 300.0, 60.0
#: Frames of theirs that answer nothing of ours: so many at once, and so many a second; more end the connection.
BURST, RATE = 100, 10.0
NO_SAY = "This connection mirrors what the charger says. The charger is not controlled from here."
BOOTED = "BootNotification"


@dataclass(slots=True)
class Pace:
    """How connections are opened: so many handshakes of one forward at once, and all of them spaced, so that ten thousand
    stations do not knock in the same second."""

    slots: asyncio.Semaphore
    spacing: Callable[[], Any]

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self.slots:
            await self.spacing()
            yield


class Allowance:
    """What the other side may send unasked."""

    def __init__(self) -> None:
        self.left, self.at = float(BURST), time.monotonic()

    def spend(self) -> None:
        now = time.monotonic()
        self.left, self.at = min(BURST, self.left + (now - self.at) * RATE), now
        self.left -= 1
        if self.left < 0:
            raise Trouble(f"It floods the connection: more than {RATE:.0f} frames a second that answer nothing.")


@dataclass(eq=False)
class Link:
    """`online`: whether the station is here, and `protocol` what it speaks; both are kept up to date from outside."""

    row: ForwardLink
    identity: str
    route: Route
    feed: Feed
    keeper: Keeper
    pace: Pace
    online: bool = False
    protocol: str = ""
    failures: int = 0
    attempts: tuple[int, int] = (0, 0)
    retry: asyncio.Event = field(default_factory=asyncio.Event)
    awaited: dict[str, "asyncio.Future[frames.CallResult | frames.CallError]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.numbers = said.Numbers(dict(self.row.numbers))

    async def run(self) -> None:
        """Mirror until the station has gone and all is told."""
        while True:
            entries = await self._wanted()
            if not entries and not self.online:
                if self.row.state != LinkState.IDLE:
                    self._is(LinkState.IDLE)
                return
            began = time.monotonic()
            try:
                await self._connection(entries)
            except Trouble as trouble:
                held = time.monotonic() - began > HELD_S
                self.failures = 1 if held else self.failures + 1
                self._is(LinkState.FAILING, str(trouble))
                await self._rest(trouble.rest_s)
            except Exception:
                log.exception("a link to a second back end failed", link=self.row.pk)
                self.failures += 1
                self._is(LinkState.FAILING, "Something went wrong here: the log of the process that forwards says what.")
                await self._rest(0)

    async def _rest(self, asked_s: float) -> None:
        rest_s = max(asked_s, min(REST_S * 2 ** min(self.failures - 1, 10), LONGEST_REST_S))
        self.retry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(rest_s * random.uniform(0.5, 1.0)):  # noqa: S311  (spreads load)
                await self.retry.wait()

    # What there is to tell

    async def _wanted(self) -> list[Entry]:
        """The next entries that the other back end is to see. What it is not to see, or is too old, is passed over here."""
        row = self.row
        entries = await self.feed.more(Place(row.pk, row.station_id, row.read_from, row.position))
        wanted: list[Entry] = []
        now = datetime.now(UTC)
        for entry in entries:
            if not self.route.filter.wants(entry):
                self._done(entry, last=not wanted)
            elif said.is_stale(entry, now):
                row.dropped += 1
                self._done(entry, last=not wanted)
            else:
                wanted.append(entry)
        if entries and not wanted:
            await self.keeper.keep(row)
        return wanted

    def _done(self, entry: Entry, *, last: bool = True) -> None:
        """The place moves on, unless something before it is still to be told."""
        if last:
            self.row.position = entry.id
            self.row.read_from = max(self.row.read_from, entry.received_at - LATE)

    # The connection

    async def _connection(self, entries: list[Entry]) -> None:
        envelopes = self.route.filter.style == Style.ENVELOPE
        protocol = entries[0].protocol if entries else self.protocol
        if protocol not in forward.WORDINGS:
            # It never came, or spoke what we do not: there will be something to tell when it has.
            self._is(LinkState.IDLE)
            await asyncio.sleep(REST_S)
            return
        self._is(LinkState.CONNECTING, keep_error=True)
        async with self.pace.turn():
            opening = dialled(
                self.route.url,
                identity=self.route.identity_of(self.identity),
                password=self.route.password,
                subprotocol=said.ENVELOPES if envelopes else protocol,
                needed=not envelopes,
            )
            socket = await opening.__aenter__()
        try:
            # Until something was answered it is not known to be well again.
            self._is(LinkState.CONNECTED, protocol=protocol, keep_error=self.failures > 0)
            listening = asyncio.create_task(self._listen(socket), name=f"forward {self.row.pk}")
            speaking = asyncio.create_task(self._speak(socket, protocol, entries), name=f"forward {self.row.pk}")
            try:
                await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
                # Whoever ended first knows why.
                (listening if listening.done() else speaking).result()
            finally:
                for task in (listening, speaking):
                    task.cancel()
                await asyncio.gather(listening, speaking, return_exceptions=True)
                self.awaited.clear()
        finally:
            await opening.__aexit__(None, None, None)

    async def _speak(self, socket: ClientConnection, protocol: str, entries: list[Entry]) -> None:
        """Returns when the station has gone and all is told, or speaks another version now."""
        if self.route.filter.style == Style.OCPP and self.row.introduced_at is None:
            await self._introduce(socket, protocol)
        while True:
            for entry in entries:
                if entry.protocol != protocol:
                    return
                await self._tell(socket, entry)
            entries = await self._wanted()
            if not entries:
                if self.row.failing_since is not None:
                    self._well()
                if not self.online or self.protocol not in ("", protocol):
                    return

    async def _introduce(self, socket: ClientConnection, protocol: str) -> None:
        """A back end that never saw the station boot may hear nothing else from it: tell what it is and how its plugs are."""
        route = self.route.filter
        if BOOTED in route.never or (route.only and BOOTED not in route.only) or not route.from_station:
            return
        known = await run_in_db(keeping.description, self.row.station_id)
        for number, (action, payload) in enumerate(forward.introduction(protocol, *known) if known else ()):
            if action in route.never or (route.only and action not in route.only):
                continue
            name = f"i{number}-{int(time.time() * 1000)}"
            answer = await self._ask(socket, Said(frames.call(name, action, payload), name, action, protocol))
            if action == BOOTED:
                self._admitted(answer)
        await self.keeper.keep(self.row)

    async def _tell(self, socket: ClientConnection, entry: Entry) -> None:
        """Say an entry, learn from the answer, and go on. What is never answered, however often it is sent, is let go of."""
        row = self.row
        message = said.say(entry, self.identity, self.route.filter.style, self.numbers.known)
        tried, count = self.attempts
        if tried == entry.id and count >= ATTEMPTS:
            message = Unsaid("dropped")
        answer = None
        if isinstance(message, Unsaid):
            setattr(row, message.counter, getattr(row, message.counter) + 1)
        else:
            self.attempts = (entry.id, count + 1 if tried == entry.id else 1)
            answer = await self._ask(socket, message)
            if isinstance(answer, frames.CallResult):
                self.numbers.learn(message, answer.payload)
                row.numbers = [[ours, theirs] for ours, theirs in self.numbers.known.items()]
            row.forwarded_at = max(row.forwarded_at or entry.received_at, entry.received_at)
        self._done(entry)
        await self.keeper.keep(row)
        if isinstance(message, Said) and message.action == BOOTED:
            self._admitted(answer)

    async def _ask(self, socket: ClientConnection, message: Said) -> frames.CallResult | frames.CallError | None:
        """Send it and wait for the answer, or in envelopes for the pong, which comes when all before it was read."""
        began = time.monotonic()
        answer: frames.CallResult | frames.CallError | None = None
        try:
            async with asyncio.timeout(ANSWER_S):
                if message.message_id:
                    waited = self.awaited[message.message_id] = asyncio.get_running_loop().create_future()
                    await socket.send(message.text)
                    answer = await waited
                else:
                    await socket.send(message.text)
                    await (await socket.ping())
        except TimeoutError:
            raise Trouble(f"It did not answer within {ANSWER_S:.0f} seconds.") from None
        except ConnectionClosed as closed:
            raise Trouble(_goodbye(closed)) from None
        finally:
            self.awaited.pop(message.message_id, None)
        self.row.sent += 1
        self.row.answer_ms = round((time.monotonic() - began) * 1000)
        if message.action != BOOTED:  # whose answer has more to say
            self._well()
        if isinstance(answer, frames.CallError):
            self.row.refused += 1
            self.row.error = clean(f"It answered {message.action} with {answer.code}: {answer.description}")[:300]
        return answer

    def _admitted(self, answer: frames.CallResult | frames.CallError | None) -> None:
        """Raises Trouble unless the boot was accepted: nothing else would be heard."""
        result = answer.payload if isinstance(answer, frames.CallResult) and isinstance(answer.payload, dict) else {}
        if (status := result.get("status")) == "Accepted":
            self.row.introduced_at = datetime.now(UTC)
            self._well()
            return
        self.row.introduced_at = None
        asked = result.get("interval")
        rest_s = min(max(float(asked), 10.0), LONGEST_REST_S) if isinstance(asked, int | float) else 60.0
        word = str(status)[:20] if status else answer.code if isinstance(answer, frames.CallError) else "nothing"
        raise Trouble(f"It answered the boot of the charger with {word}. Accept the charger there.", rest_s=rest_s)

    # What is heard

    async def _listen(self, socket: ClientConnection) -> None:
        """Read until the socket ends, which is a Trouble."""
        allowance = Allowance()
        try:
            async for text in socket:
                await self._heard(socket, text, allowance)
        except ConnectionClosed as closed:
            raise Trouble(_goodbye(closed)) from None
        raise Trouble("It closed the connection.")

    async def _heard(self, socket: ClientConnection, text: str | bytes, allowance: Allowance) -> None:
        try:
            frame = frames.parse(text) if isinstance(text, str) else None
        except frames.FrameError:
            frame = None
        if isinstance(frame, frames.CallResult | frames.CallError):
            waited = self.awaited.get(frame.message_id)
            if waited is not None and not waited.done():
                waited.set_result(frame)
                return
        allowance.spend()
        if isinstance(frame, frames.Call):
            self.row.asked += 1
            self.keeper.note(self.row)
            try:
                async with asyncio.timeout(ANSWER_S):
                    await socket.send(frames.error(frame.message_id[:255], "NotSupported", NO_SAY))
            except TimeoutError:
                raise Trouble("It does not read what we answer.") from None

    def _is(self, state: LinkState, error: str = "", *, protocol: str = "", keep_error: bool = False) -> None:
        """How it does, for the pages."""
        row, now = self.row, datetime.now(UTC)
        row.state = state
        row.error = row.error if keep_error else clean(error)[:300]
        row.protocol = protocol or row.protocol
        row.connected_at = now if state == LinkState.CONNECTED else None
        if state == LinkState.FAILING:
            row.failing_since = row.failing_since or now
        elif state == LinkState.IDLE:
            row.failing_since = None
        self.keeper.note(row)

    def _well(self) -> None:
        self.failures = 0
        if self.row.failing_since is not None or self.row.error:
            self.row.failing_since, self.row.error = None, ""
            self.keeper.note(self.row)


def _goodbye(closed: ConnectionClosed) -> str:
    """Who ended it, and why."""
    if closed.sent is not None and not closed.rcvd_then_sent:
        return {
            1009: "It sent a frame that is too large.",
            1011: "It does not answer pings any more.",
        }.get(closed.sent.code, f"What it sent broke the protocol ({closed.sent.reason or closed.sent.code}).")
    if closed.rcvd is None:
        return "The connection broke."
    reason = f" ({closed.rcvd.reason})" if closed.rcvd.reason else ""
    return f"It closed the connection with {closed.rcvd.code}{reason}."
