"""Daphne's websocket, mended."""

import asyncio
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from csms.server.reactor import loop  # isort: split

from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.protocol import connectionDone

from csms.server.common import MAX_WAITING, MAX_WAITING_BYTES, MEMORY_LEVEL, WINDOW_BITS, Disconnected, Message, shorten

if TYPE_CHECKING:
    from csms.server.on_daphne import DaphneServer


class WriteGate:
    """A producer in Twisted's sense: the transport says when its write buffer is full, and `send` then waits."""

    full: asyncio.Event | None = None

    def pauseProducing(self) -> None:
        self.full = self.full or asyncio.Event()

    def resumeProducing(self) -> None:
        if self.full is not None:
            self.full.set()
            self.full = None

    stopProducing = resumeProducing


class WebSocket(WriteGate, WebSocketProtocol):  # type: ignore[misc]  # untyped
    """One websocket, from the upgrade to the end of its connection."""

    echoCloseCodeReason = True
    # One timer a socket, ours, for what it waits for: the application, the next ping, the peer's close.
    openHandshakeTimeout = closeHandshakeTimeout = 0
    timer: asyncio.TimerHandle | None = None
    waiter: asyncio.Future[None] | None = None
    denial: tuple[int, list[tuple[bytes, bytes]], bytes] | None = None
    scope: dict[str, Any]
    message_data: list[bytes] | None
    websocket_extensions: list[tuple[str, dict[str, list[Any]]]]
    handshake_deferred: Any
    ended = False  # the application has been told, or has closed
    paused = False  # reading, because too much waits for the application

    def connectionMade(self) -> None:
        self.server: DaphneServer = self.factory.server_class
        self.inbox: list[Message] = []
        self.waiting_bytes = 0
        # The transport still answers to the HTTP channel that the upgrade came through.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)
        super().connectionMade()

    # From the peer

    def onConnect(self, request: Any) -> Any:
        self.arm(self.server.limits.handshake_s, lambda: self.deny(503, [], b"The server is too busy to answer.\n"))
        return super().onConnect(request)

    def applicationCreateWorked(self, application_queue: Any) -> None:
        self.deliver({"type": "websocket.connect"})

    def dataReceived(self, data: bytes) -> None:
        if not self.failedByMe:
            self._dataReceived(data)

    def processData(self) -> bool:
        # Back-pressure, down to the peer, frame by frame: without it 3,000 unread frames cost 145 MB (daphne#373).
        if not self.ended and (len(self.inbox) >= MAX_WAITING or self.waiting_bytes >= MAX_WAITING_BYTES):
            self.paused = True
            self.transport.pauseProducing()
            return False
        return bool(super().processData())

    def resume_reading(self) -> None:
        self.paused = False
        self.consumeData()
        if not self.paused:
            self.transport.resumeProducing()

    def onMessageEnd(self) -> None:
        # Autobahn would also fire an observers' signal here, which nobody observes and which costs as much as the rest.
        if not self.failedByMe:
            self.onMessage(b"".join(self.message_data or ()), self.message_is_binary)
        self.message_data = None

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not self.ended:
            self.waiting_bytes += len(payload)
            key, value = ("bytes", payload) if isBinary else ("text", payload.decode())
            self.deliver({"type": "websocket.receive", key: value})

    def onPong(self, payload: bytes) -> None:
        self.scope["csms.pong"] = time.monotonic()

    def _fail_connection(self, code: int = 1001, reason: str = "") -> None:
        """The peer broke the protocol or a limit. Autobahn would drop the connection without a word."""
        self.failedByMe = True
        self.data = b""
        if not self.ended:
            self.close(code, reason)
        # Whatever is still under way is read and thrown away: closing now would reset the connection, and the peer would
        # never see why. The timer of `close` ends it.
        self.transport.loseWriteConnection()

    def dropConnection(self, abort: bool = False) -> None:
        if self.wasClean:
            abort = False  # a reset would look like a failure to the peer
            self.end(self.remoteCloseCode or 1005, self.remoteCloseReason or "")
            self.arm(self.server.limits.close_s, self.transport.abortConnection)
        super().dropConnection(abort)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.disarm()
        self.end(code or 1005, reason or "")
        self.server.protocol_disconnected(self)

    def connectionLost(self, reason: Any = connectionDone) -> None:
        super().connectionLost(reason)
        # Each holds this socket in turn: in a circle it would stay until the next full garbage collection.
        self.is_closed = self.handshake_deferred = None

    # To and from the application

    def deliver(self, message: Message) -> None:
        self.inbox.append(message)
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def end(self, code: int, reason: str = "") -> None:
        if not self.ended:
            self.ended = True
            self.resumeProducing()  # who waits to send is told
            self.deliver({"type": "websocket.disconnect", "code": code, "reason": reason})

    async def receive(self) -> Message:
        while not self.inbox:
            self.waiter = loop.create_future()
            await self.waiter
        message = self.inbox.pop(0)
        if not self.inbox:
            self.waiting_bytes = 0
            if self.paused:
                self.resume_reading()
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "websocket.send":
            # Back-pressure again: a peer that reads slowly holds up its application, not our memory.
            while self.full is not None:
                await self.full.wait()
            if self.ended:
                raise Disconnected
            self.transmit(message.get("bytes"), message.get("text"))
        elif kind == "websocket.close":
            if not self.ended:
                self.close(message.get("code") or 1000, message.get("reason"))
        elif self.ended:
            raise Disconnected
        elif kind == "websocket.accept":
            self.accept(message.get("subprotocol"), message.get("headers") or [])
        elif kind == "websocket.http.response.start":
            self.denial = (message["status"], list(message.get("headers") or []), b"")
        elif kind == "websocket.http.response.body" and self.denial:
            status, headers, body = self.denial
            self.denial = (status, headers, body + message.get("body", b""))
            if not message.get("more_body"):
                self.deny(*self.denial)
        else:
            raise ValueError(f"{kind} cannot be sent now")

    def accept(self, subprotocol: str | None, headers: Iterable[tuple[bytes, bytes]]) -> None:
        if subprotocol is not None and subprotocol not in self.websocket_protocols:
            raise ValueError(f"the peer did not offer the sub-protocol {subprotocol}")
        # An offer of compression that cannot be met is declined, as RFC 7692 wants it; Autobahn would refuse the handshake.
        self.websocket_extensions = [offer for offer in self.websocket_extensions if acceptable(*offer)]
        extra: dict[str, list[str]] = {}
        for name, value in headers:
            extra.setdefault(name.decode(), []).append(value.decode("latin-1"))
        self.arm(self.server.limits.ping_s, self.ping)
        handshake, self.handshake_deferred = self.handshake_deferred, None
        handshake.callback((subprotocol, extra))

    def perMessageCompressionAccept(self, offers: list[Any]) -> PerMessageDeflateOfferAccept:
        """OCPP 2.0.1 part 4, 3.3 asks for compression; small windows make it affordable (uvicorn#2540)."""
        offer, asked = offers[0], self.websocket_extensions[0][1]
        hint = asked.get("client_max_window_bits", [True])[0]
        return PerMessageDeflateOfferAccept(  # type: ignore[no-untyped-call]
            offer,
            request_no_context_takeover="client_no_context_takeover" in asked,
            request_max_window_bits=min(WINDOW_BITS, 15 if hint is True else int(hint)) if offer.accept_max_window_bits else 0,
            window_bits=min(WINDOW_BITS, offer.request_max_window_bits or 15),
            mem_level=MEMORY_LEVEL,
        )

    def deny(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Refuses the handshake. Daphne has no such answer but 403 (daphne#486)."""
        lines = [b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode())]
        lines += [name + b": " + value for name, value in headers if name.lower() not in (b"content-length", b"connection")]
        lines += [b"content-length: %d" % len(body), b"connection: close", b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.end(1006)
        self.dropConnection(abort=False)

    def transmit(self, binary: bytes | None, text: str | None) -> None:
        payload = binary if binary is not None else (text or "").encode()
        deflate = self._perMessageCompress
        if deflate is not None:
            deflate.start_compress_message()
            payload = deflate.compress_message_data(payload) + deflate.end_compress_message()
        self.sendFrame(opcode=1 if binary is None else 2, payload=payload, rsv=0 if deflate is None else 4)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        # Autobahn formats three strings for a debug log at every frame, whether anybody listens or not.
        self.transport.write(data)

    def close(self, code: int, reason: str | None) -> None:
        if self.state == self.STATE_CONNECTING:
            self.deny(403, [], b"")
            return
        # `sendClose` knows only 1000 and 3000 to 4999, and Daphne drops the reason; the frame itself carries any.
        self.sendCloseFrame(code, shorten(reason).encode(), isReply=False)
        self.end(code, reason or "")
        self.arm(self.server.limits.close_s, self.transport.abortConnection)
        if self.paused:
            self.resume_reading()  # the peer's answer stands behind what is now thrown away

    def go_away(self) -> None:
        if not self.ended:
            code, body = 1012, b"The server is restarting.\n"
            self.deny(503, [], body) if self.state == self.STATE_CONNECTING else self.close(code, "server restarts")

    def application_ended(self) -> None:
        if not self.ended:
            self.deny(500, [], b"") if self.state == self.STATE_CONNECTING else self.close(1011, "internal error")

    # Time

    def arm(self, seconds: float, then: Callable[[], None]) -> None:
        self.disarm()
        self.timer = loop.call_later(seconds, then)

    def disarm(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def ping(self) -> None:
        # Daphne pings by walking over all sockets every two seconds, all at once; here each has its own rhythm.
        self.sendPing()
        self.arm(self.server.limits.ping_s, self.ping)


def acceptable(name: str, parameters: dict[str, list[Any]]) -> bool:
    try:
        PerMessageDeflateOffer.parse(parameters)  # type: ignore[no-untyped-call]
    except Exception:  # it raises nothing more specific
        return False
    return name == PerMessageDeflateOffer.EXTENSION_NAME
