"""Daphne, mended: its protocols for HTTP and websockets on a server of our own.

Stock Daphne refuses every handshake with 403, knows no compression, cannot send most close codes, buffers without bound in
both directions and cancels every application on shutdown. Importing this module installs Twisted's reactor (on uvloop).
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import uvloop
from twisted.internet import asyncioreactor

loop = uvloop.new_event_loop()
asyncioreactor.install(loop)  # before anything else of Twisted asks for a reactor

from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept  # noqa: E402
from daphne.http_protocol import HTTPFactory, WebRequest  # noqa: E402
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol  # noqa: E402
from twisted.internet import reactor  # noqa: E402
from twisted.logger import (  # noqa: E402
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    STDLibLogObserver,
    globalLogBeginner,
)

from csms.server.common import (  # noqa: E402
    HTTP_IDLE_S,
    MAX_BODY_BYTES,
    MAX_WAITING,
    MAX_WAITING_BYTES,
    MEMORY_LEVEL,
    WINDOW_BITS,
    Application,
    Disconnected,
    Limits,
    Message,
    shorten,
)
from csms.server.ending import Ending  # noqa: E402

logger = logging.getLogger("csms.server")


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


class WebSocket(WriteGate, WebSocketProtocol):
    """One websocket, from the upgrade to the end of its connection."""

    echoCloseCodeReason = True
    # One timer a socket, ours, for what it waits for: the application, the next ping, the peer's close.
    openHandshakeTimeout = closeHandshakeTimeout = 0
    timer: asyncio.TimerHandle | None = None
    waiter: asyncio.Future[None] | None = None
    denial: tuple[int, list[tuple[bytes, bytes]], bytes] | None = None
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
            self.onMessage(b"".join(self.message_data), self.message_is_binary)
        self.message_data = None

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not self.ended:
            self.waiting_bytes += len(payload)
            key, value = ("bytes", payload) if isBinary else ("text", payload.decode())
            self.deliver({"type": "websocket.receive", key: value})

    def _fail_connection(self, code: int = 1001, reason: str = "") -> None:
        """The peer broke the protocol or a limit. Autobahn would drop the connection without a word."""
        if self.ended:  # it answered our close with rubbish
            self.dropConnection(abort=True)
            return
        self.failedByMe = True
        self.data = b""
        self.close(code, reason)
        # Whatever is still under way is read and thrown away: closing now would reset the connection, and the peer would
        # never see why.
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
        return PerMessageDeflateOfferAccept(
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
        PerMessageDeflateOffer.parse(parameters)
    except Exception:  # it raises nothing more specific
        return False
    return name == PerMessageDeflateOffer.EXTENSION_NAME


class Request(WriteGate, WebRequest):
    """One HTTP request."""

    too_large = False

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        self.check_length(length or 0)

    def handleContentChunk(self, data: bytes) -> None:
        self.check_length(self.content.tell() + len(data))
        if not self.too_large:
            super().handleContentChunk(data)

    def check_length(self, length: int) -> None:
        """Daphne would take any number of bytes onto the disk before the application hears of the request."""
        if length > MAX_BODY_BYTES and not self.too_large:
            self.too_large = True
            self.channel.write(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.channel.loseConnection()

    def process(self) -> Any:
        if self.too_large:
            return None
        headers = self.requestHeaders
        headers.removeHeader(b"daphne-root-path")  # nobody outside may say where we are mounted
        tokens = b",".join(headers.getRawHeaders(b"connection", [])).lower().split(b",")
        if b"upgrade" not in [token.strip() for token in tokens]:
            # RFC 9110, 7.8: without it `Upgrade` asks for nothing, and the view says what the station did wrong.
            headers.removeHeader(b"upgrade")
        if headers.hasHeader(b"upgrade") and not all(map(bytes.isascii, headers.getRawHeaders(b"sec-websocket-protocol", []))):
            return self.basic_error(400, b"Bad Request", "The sub-protocol is not ASCII")
        if not headers.hasHeader(b"upgrade"):
            self.registerProducer(self, True)
        return super().process()

    async def send(self, message: Message) -> None:
        while self.full is not None:
            await self.full.wait()
        self.handle_reply(message)

    def finish(self) -> None:
        if self.producer is not None:
            self.unregisterProducer()
        super().finish()

    def application_ended(self) -> None:
        if not self.finished and self.channel is not None:
            if self._response_started:
                self.channel.forceAbortClient()  # half a response must not look like a whole one
            else:
                self.basic_error(500, b"Internal Server Error", "The application failed.")


class Requests(HTTPFactory):
    def __init__(self, server: "DaphneServer") -> None:
        super().__init__(server)
        self.timeOut = HTTP_IDLE_S

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol

    def log(self, request: Any) -> None:
        """No access log: Django logs what went wrong, the proxy the rest."""


class DaphneServer:
    """What Daphne's protocols ask of their server, without the walks over all connections that stock Daphne makes each second."""

    root_path = server_name = ""
    proxy_forwarded_address_header = http_timeout = None
    request_buffer_size = 64 * 1024

    def __init__(self, application: Application, limits: Limits) -> None:
        self.application, self.limits = application, limits
        self.open_sockets: set[WebSocket] = set()
        self.socket_tasks: set[asyncio.Task[None]] = set()
        self.request_tasks: set[asyncio.Task[None]] = set()
        self.ws_factory = WebSocketFactory(self, server="")
        self.ws_factory.protocol = WebSocket
        self.ws_factory.setProtocolOptions(
            allowNullOrigin=True, maxMessagePayloadSize=limits.message_bytes, maxFramePayloadSize=limits.message_bytes
        )

    def run(self, sock: socket.socket, ending: Ending, ready: Callable[[], None]) -> None:
        errors = LogLevelFilterPredicate(defaultLogLevel=LogLevel.error)
        observer = FilteringLogObserver(STDLibLogObserver("twisted"), [errors])
        globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=True)
        asyncio.set_event_loop(loop)
        self.port = reactor.adoptStreamPort(sock.fileno(), sock.family, Requests(self))  # type: ignore[attr-defined]
        sock.close()  # the port has a duplicate
        ending.listen(loop)
        loop.call_soon(ready)
        reactor.run(installSignalHandlers=False)  # type: ignore[attr-defined]

    # For Daphne's protocols

    def protocol_connected(self, protocol: WebSocket | Request) -> None:
        if isinstance(protocol, WebSocket):
            self.open_sockets.add(protocol)

    def protocol_disconnected(self, protocol: WebSocket | Request) -> None:
        self.open_sockets.discard(protocol)  # type: ignore[arg-type]

    def create_application(self, protocol: WebSocket | Request, scope: dict[str, Any]) -> "asyncio.Queue[Message] | None":
        scope["asgi"] = {"version": "3.0", "spec_version": "2.4"}
        if isinstance(protocol, WebSocket):
            scope.update(scheme="ws", extensions={"websocket.http.response": {}})
            self.start(self.socket_tasks, protocol, self.application(scope, protocol.receive, protocol.send))
            return None
        inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.start(self.request_tasks, protocol, self.application(scope, inbox.get, protocol.send))
        return inbox

    def log_action(self, *_: Any) -> None: ...

    def start(self, tasks: set["asyncio.Task[None]"], protocol: WebSocket | Request, application: Any) -> None:
        def done(task: "asyncio.Task[None]") -> None:
            tasks.discard(task)
            if not task.cancelled() and (error := task.exception()) and not isinstance(error, Disconnected):
                logger.error("exception in the application", exc_info=error)
            protocol.application_ended()

        task = loop.create_task(application)
        tasks.add(task)
        task.add_done_callback(done)

    # For the ending

    def stop_listening(self) -> None:
        self.port.stopListening()

    def requests(self) -> int:
        return len(self.request_tasks)

    def sockets(self) -> set[WebSocket]:
        return self.open_sockets

    def tasks(self) -> set["asyncio.Task[None]"]:
        return self.socket_tasks | self.request_tasks

    def stop(self) -> None:
        reactor.stop()  # type: ignore[attr-defined]
