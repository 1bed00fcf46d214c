"""The OCPP socket: a thin consumer that owns it, loops on `receive()` itself, and does nothing else.

Channels' own dispatch would await a hop to one thread shared by the whole process before every frame (channels#1203,
asgiref#218), so `__call__` is ours, and no channel layer is opened for a station.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from channels.consumer import AsyncConsumer
from django.conf import settings

from csms.ocpp import frames, meters, session
from csms.ocpp.errands import Answered, Errand, Exchanged
from csms.ocpp.exchange import Inbound
from csms.ocpp.gateway import gateway
from csms.ocpp.handshake import knock_of
from csms.ocpp.registry import INCOMING
from csms.ocpp.session import Handle, Oddity, Outgoing, Resolved, Send, Session
from stations.domain.events import TimeTold
from stations.domain.values import Note, Severity
from stations.services.connections import NO_PROTOCOL, Admitted, Refused

log = structlog.get_logger(__name__)

#: Calls of a station in hand at which reading pauses, and frames waiting to be sent at which the socket is closed.
INBOX, OUTBOX = 32, 256
#: So long what waits may still be sent when a socket is to be closed, in seconds; a station that does not read would keep it open.
FAREWELL_S = 3.0

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
SendMessage = Callable[[Message], Awaitable[None]]


class OCPPConsumer(AsyncConsumer):  # type: ignore[misc]  # channels has no annotations
    """One station's socket. Implements `gateway.Link`."""

    async def __call__(self, scope: Message, receive: Receive, send: SendMessage) -> None:
        self.scope, self.send_message = scope, send
        if (await receive())["type"] != "websocket.connect":
            return
        knock = knock_of(scope, settings.TRUSTED_PROXIES)
        verdict = await gateway.admit(knock)
        if isinstance(verdict, Refused):
            await self._refuse(verdict)
            return
        self.admitted: Admitted = verdict
        self.accepted = verdict.accepted
        self.session = Session(knock.protocol)
        self.last_frame = time.monotonic()
        self.in_hand = 0
        self.room = asyncio.Event()
        self.room.set()
        self.outbox: deque[Message] = deque()
        self.writer: asyncio.Task[None] | None = None
        self.ending: tuple[int, str] | None = None
        self.errand: Errand | None = None
        self.exchanged: list[Exchanged] = []
        code, reason = 1006, ""
        try:
            await send({"type": "websocket.accept", "subprotocol": knock.protocol})
            gateway.open(self)
            meters.opened(knock.protocol)
            code = await self._listen(receive)
        finally:
            self._act(self.session.closed())
            if self.ending is not None:
                code, reason = self.ending
            meters.closed(knock.protocol, code)
            gateway.shut(self, code, reason)

    async def _refuse(self, refused: Refused) -> None:
        meters.REFUSED.add(refused.reason)
        if refused.status == 101:
            # OCPP-J: finish the handshake without a sub-protocol, and close at once.
            await self.send_message({"type": "websocket.accept"})
            await self.send_message({"type": "websocket.close", "code": 1002, "reason": NO_PROTOCOL.detail})
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        if refused.status == 401:
            headers.append((b"www-authenticate", b'Basic realm="OCPP", charset="UTF-8"'))
        if refused.status in (429, 503):
            headers.append((b"retry-after", b"30"))
        await self.send_message({"type": "websocket.http.response.start", "status": refused.status, "headers": headers})
        # The reason is for the operator; to whoever knocks, an unknown station and a wrong password say no more than their status.
        await self.send_message({"type": "websocket.http.response.body", "body": b""})

    async def _listen(self, receive: Receive) -> int:
        """Read until the socket ends. Not calling `receive` is how reading pauses: the servers stop reading from the wire."""
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                code = event.get("code") or 1005
                if code == 1009:
                    self._note(
                        "frame_too_long", f"A frame was longer than {settings.MAX_FRAME_BYTES} bytes; the socket was closed."
                    )
                return int(code)
            if event["type"] != "websocket.receive" or self.ending is not None:
                continue
            text = event.get("text")
            if text is None:
                self._note("frame_binary", "A binary frame came; OCPP-J is spoken in text frames.")
                continue
            self._act(self.session.receive(text, self._now()))
            if self.in_hand >= INBOX:
                self.room.clear()
                await self.room.wait()

    def _now(self) -> float:
        self.last_frame = time.monotonic()
        return self.last_frame

    def _act(self, actions: list[session.Action]) -> None:
        for action in actions:
            if isinstance(action, Handle):
                self._submit(action)
            elif isinstance(action, Send):
                self._queue({"type": "websocket.send", "text": action.text})
            elif isinstance(action, Resolved):
                self._resolved(action)
            elif isinstance(action, Oddity):
                self._odd(action)

    def _submit(self, handle: Handle) -> None:
        if handle.call.action == "Heartbeat" and gateway.degraded and self.accepted:
            self._beat(handle.call)
            return
        self.in_hand += 1
        gateway.submit(self._inbound(handle.call, handle.text))

    def _beat(self, call: frames.Call) -> None:
        """The database is away: a heartbeat needs nothing of it."""
        payload = INCOMING[self.session.protocol]["Heartbeat"].encode(TimeTold(datetime.now(UTC)))
        self._queue({"type": "websocket.send", "text": frames.result(call.message_id, payload)})

    def _odd(self, oddity: Oddity) -> None:
        inbound = self._inbound(None, oddity.text)
        inbound.notes, inbound.answered = [oddity.note], oddity.answer
        self.in_hand += 1
        gateway.submit(inbound)

    def _note(self, code: str, detail: str) -> None:
        self._odd(Oddity(Note(code, "", detail, Severity.WARNING), ""))

    def _inbound(self, call: frames.Call | None, text: str) -> Inbound:
        admitted = self.admitted
        return Inbound(
            station_id=admitted.station_id,
            fence=admitted.fence,
            protocol=self.session.protocol,
            call=call,
            text=text,
            received_at=datetime.now(UTC),
            received=self.last_frame,
        )

    # Commands

    def run(self, errand: Errand) -> bool:
        """Ask the station. False: the socket is ending, nothing was asked."""
        if self.ending is not None:
            return False
        self.errand, self.exchanged = errand, []
        self._ask(errand)
        return True

    def _ask(self, errand: Errand) -> None:
        """Send the errand's next CALL."""
        number = len(self.exchanged)
        self.asked_at, self.asked = datetime.now(UTC), time.monotonic()
        if number == 0:
            meters.sent(errand, self.session.protocol, self.asked_at)
        call = Outgoing(errand.message_id(number + 1), errand.action, errand.calls[number], settings.CALL_TIMEOUT_S)
        self._act(self.session.call(call, self.asked))

    def _resolved(self, resolved: Resolved) -> None:
        """A CALL has its outcome: go on with the errand, or hand it in."""
        errand, now = self.errand, time.monotonic()
        if errand is None:
            return
        call = frames.call(resolved.call.message_id, resolved.call.action, resolved.call.payload)
        self.exchanged.append(Exchanged(call, resolved.outcome, self.asked_at, now - self.asked))
        if errand.goes_on(self.exchanged):
            self._ask(errand)
            return
        self.errand = None
        self.in_hand += 1
        admitted = self.admitted
        gateway.submit(
            Answered(admitted.station_id, admitted.fence, self.session.protocol, errand, self.exchanged, datetime.now(UTC), now)
        )

    # What the gateway calls

    @property
    def heard(self) -> float:
        """Pongs count: the servers put the time of the last one into the scope."""
        return max(self.last_frame, float(self.scope.get("csms.pong", 0.0)))

    def answer(self, text: str) -> None:
        self.in_hand -= 1
        if self.in_hand < INBOX:
            self.room.set()
        if text:
            self._queue({"type": "websocket.send", "text": text})

    def close(self, code: int, reason: str) -> None:
        if self.ending is None:
            self.ending = (code, reason)
            self.room.set()
            goodbye = {"type": "websocket.close", "code": code, "reason": reason}
            if self.writer is not None:
                asyncio.get_running_loop().call_later(FAREWELL_S, self._insist, goodbye)
            self._queue(goodbye)

    def tick(self, now: float) -> None:
        self._act(self.session.tick(now))

    # Writing

    def _insist(self, goodbye: Message) -> None:
        """The goodbye still waits behind what the station does not read: it goes past it. The servers close without a reader."""
        if self.writer is not None:
            self.outbox.clear()
            self.insisting = asyncio.get_running_loop().create_task(self._write_past(goodbye))

    async def _write_past(self, goodbye: Message) -> None:
        with contextlib.suppress(Exception):  # it has ended meanwhile
            await self.send_message(goodbye)

    def _queue(self, message: Message) -> None:
        if self.ending is not None and message["type"] != "websocket.close":
            return
        if len(self.outbox) >= OUTBOX and message["type"] != "websocket.close":
            self.close(1008, "too slow in reading")
            return
        self.outbox.append(message)
        if self.writer is None:
            self.writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        """Sends what waits, in order. Ends when nothing waits: an idle socket costs no task."""
        try:
            while self.outbox:
                await self.send_message(self.outbox.popleft())
        except Exception as error:
            # The socket is gone; the reading side hears of it and ends the connection.
            log.debug("a frame could not be sent", station=self.admitted.identity, error=str(error))
            self.outbox.clear()
        finally:
            self.writer = None
