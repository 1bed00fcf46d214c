"""uvicorn, mended: its websockets are right in most things; its shutdown, its failures and its patience are not."""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvloop
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import Server
from websockets.frames import Frame
from websockets.http11 import Request

from csms.server.accepting import Acceptor
from csms.server.common import (
    HTTP_IDLE_S,
    TLS,
    Application,
    Disconnected,
    Limits,
    Message,
    Receive,
    Send,
    body_limit,
    is_broken,
    nobody,
    shorten,
    tls_scope,
)
from csms.server.ending import Ending

logger = logging.getLogger("csms.server")

#: Parsed at once at most.
PIECE_BYTES = 8 * 1024


class WebSocket(WebSocketsSansIOProtocol):
    """One websocket. What is not here (denial, close codes, small windows, back-pressure) uvicorn does as we want it."""

    limits = Limits()
    unread = b""
    handshake_timer: asyncio.TimerHandle | None = None

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        self.close_timeout = self.limits.close_s
        if not self.close_sent:
            self.handshake_timer = self.loop.call_later(self.limits.handshake_s, self.handshake_timed_out)

    def connection_lost(self, exc: Exception | None) -> None:
        # A timer that is pending keeps what it calls: of stations that come and go that is a lot of memory.
        if self.handshake_timer is not None:
            self.handshake_timer.cancel()
        super().connection_lost(exc)
        self.feed()

    def handshake_timed_out(self) -> None:
        if not self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            self.refuse(503, "The server is too busy to answer.\n")

    def refuse(self, status: int, body: str) -> None:
        self.conn.send_response(self.conn.reject(status, body))
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self.handshake_complete = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        # After a failure, whatever is still under way is thrown away (see handle_parser_exception).
        if self.conn.parser_exc is None:
            self.unread += data
            self.feed()

    def feed(self) -> None:
        """Parses what came piece by piece, until something waits for the application: uvloop reads 256 KB at once, and
        compressed they may hold a thousand times as much."""
        while self.unread and not self.read_paused:
            piece, self.unread = self.unread[:PIECE_BYTES], self.unread[PIECE_BYTES:]
            super().data_received(piece)
        if self.disconnected and not self.unread:
            # Nothing more comes. The generator and what it parses for hold each other: in a circle they would stay, with
            # the buffers of compression, until the next full garbage collection.
            self.conn.parser.close()

    async def receive(self) -> Any:
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.resume_reading()
        return message

    def resume_reading(self) -> None:
        self.read_paused = False
        self.feed()
        if not self.read_paused:
            self.transport.resume_reading()

    def handle_parser_exception(self) -> None:
        """The peer broke the protocol or a limit. uvicorn would close at once, with frames of the peer unread: the connection
        is then reset, and the peer never sees our close frame."""
        sent = self.conn.close_sent
        if sent is None:  # the request itself was bad
            self.refuse(400, "Bad request.\n")
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.unread = b""
        if self.close_sent:  # it answered our close with rubbish; the timer ends it
            return
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": sent.code, "reason": sent.reason})
        self.close_timer = self.loop.call_later(self.limits.close_s, self.transport.abort)
        self.writable.set()
        if self.read_paused:
            self.resume_reading()

    def handle_pong(self, event: Frame) -> None:
        cast(dict[str, Any], self.scope)["csms.pong"] = time.monotonic()
        super().handle_pong(event)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                text = b"".join(self.frames).decode()
            except UnicodeDecodeError:
                # uvicorn logs a traceback for each; what a peer sends is no error of ours.
                self.frames = []
                self.conn.fail(1007, "invalid UTF-8")
                self.handle_parser_exception()
                return
            self.frames = []
            self.queue.put_nowait({"type": "websocket.receive", "text": text})
            if not self.read_paused:
                self.read_paused = True
                self.transport.pause_reading()
        else:
            super().send_receive_event_to_app()

    async def send(self, message: Any) -> None:
        if message["type"] != "websocket.close" or not self.handshake_complete:
            await self.writable.wait()
            if self.close_sent or self.disconnected:
                raise ClientDisconnected
            await super().send(message)
        elif not self.close_sent and not self.disconnected:
            self.writable.set()  # a peer that does not read must not keep us from closing
            code, reason = message.get("code") or 1000, shorten(message.get("reason"))
            await super().send({"type": "websocket.close", "code": code, "reason": reason})
            if self.close_timer is not None:
                self.close_timer.cancel()
                # Its `close` would wait for the write buffer, for ever if the peer does not read.
                self.close_timer = self.loop.call_later(self.limits.close_s, self.transport.abort)
            self.feed()

    async def run_asgi(self) -> None:
        try:
            await self.app(self.scope, self.receive, self.send)
        except (ClientDisconnected, Disconnected):
            pass
        except Exception:
            logger.exception("exception in the application")
        if self.handshake_complete:
            # uvicorn would only cut the connection; the peer gets a reason. Nothing happens if it is closed already.
            await self.send({"type": "websocket.close", "code": 1011, "reason": "internal error"})
        elif not self.transport.is_closing():
            self.refuse(500, "")

    def go_away(self) -> None:
        if self.handshake_complete:
            task = self.loop.create_task(self.send({"type": "websocket.close", "code": 1012, "reason": "server restarts"}))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        else:
            self.refuse(503, "The server is restarting.\n")


class Http(HttpToolsProtocol):
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # uvicorn waits for ever for the first request.
        self.silence_timer = self.loop.call_later(HTTP_IDLE_S, self.drop_if_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        self.silence_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.cycle is None and data.startswith(TLS):
            task = self.loop.create_task(self.app(tls_scope(self.client), nobody, nobody))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        if self.url.startswith(b"//"):
            self.url = b"/" + self.url.lstrip(b"/")  # what follows would be taken for the name of a host
        super().on_headers_complete()

    def _should_upgrade(self) -> bool:
        return super()._should_upgrade() and not is_broken(self.scope["method"], self.url.decode("latin-1"), self.headers)

    def _unsupported_upgrade_warning(self) -> None:
        """The application has answered it."""

    def handle_websocket_upgrade(self) -> None:
        self.silence_timer.cancel()
        super().handle_websocket_upgrade()
        # It holds this connection in turn: in a circle both would stay until the next full garbage collection.
        self.parser = None  # type: ignore[assignment]

    def drop_if_silent(self) -> None:
        if self.cycle is None and self.transport.get_protocol() is self:
            self.transport.close()


class BodyTooLarge(Exception):
    pass


def with_body_limit(application: Application) -> Application:
    """Answers 413 to a request whose body is larger than anything we take; Django would spool it all to disk first."""

    def choose(scope: Any, receive: Receive, send: Send) -> Awaitable[None]:
        most = body_limit(scope["path"]) if scope["type"] == "http" else None
        return application(scope, receive, send) if most is None else limited(most, scope, receive, send)

    async def limited(most: int, scope: Any, receive: Receive, send: Send) -> None:
        total, started = 0, False

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > most:
                raise BodyTooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
            if int(declared) > most:
                raise BodyTooLarge
            await application(scope, counted, noted)
        except BodyTooLarge:
            if not started:
                headers = [(b"content-length", b"0"), (b"connection", b"close")]
                await send({"type": "http.response.start", "status": 413, "headers": headers})
                await send({"type": "http.response.body", "body": b""})

    return choose


class UvicornServer(Server):
    def __init__(self, application: Application, limits: Limits) -> None:
        config = Config(
            with_body_limit(application),
            interface="asgi3",
            http=Http,
            ws=type("LimitedWebSocket", (WebSocket,), {"limits": limits}),
            ws_max_size=limits.message_bytes,
            ws_ping_interval=limits.ping_s,
            ws_ping_timeout=None,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # csms.tenancy and csms.ocpp.handshake decide whom to believe
            server_header=False,
            timeout_keep_alive=HTTP_IDLE_S,
        )
        super().__init__(config)
        self.adopting: set[asyncio.Task[Any]] = set()

    def run(self, sock: socket.socket, ending: Ending, ready: Callable[[], None]) -> None:  # type: ignore[override]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self.serve_until_stopped(sock, ending, ready))

    async def serve_until_stopped(self, sock: socket.socket, ending: Ending, ready: Callable[[], None]) -> None:
        """uvicorn's own `serve` sends 1012 to every socket before its application hears of the end."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        loop = asyncio.get_running_loop()
        self.acceptor = Acceptor(loop, sock, self.adopt)
        ending.listen(loop)
        ready()
        await self.main_loop()

    def adopt(self, connection: socket.socket) -> None:
        def protocol() -> Http:
            return Http(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.connect_accepted_socket(protocol, connection))
        self.adopting.add(task)
        task.add_done_callback(self.adopted)

    def adopted(self, task: "asyncio.Task[Any]") -> None:
        self.adopting.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.debug("a connection went before it was taken: %s", error)

    # For the ending

    def stop_listening(self) -> None:
        self.acceptor.stop()

    def requests(self) -> int:
        connections = (c for c in self.server_state.connections if isinstance(c, Http))
        return sum(c.cycle is not None and not c.cycle.response_complete for c in connections)

    def sockets(self) -> list[WebSocket]:
        return [c for c in self.server_state.connections if isinstance(c, WebSocket)]

    def tasks(self) -> set["asyncio.Task[None]"]:
        return set(self.server_state.tasks)

    def stop(self) -> None:
        self.should_exit = True
