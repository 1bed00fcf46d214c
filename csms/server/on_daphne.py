"""Daphne, mended: its protocols for HTTP and websockets on a server of our own.

Stock Daphne refuses every handshake with 403, knows no compression, cannot send most close codes, buffers without bound in
both directions and cancels every application on shutdown. Importing this module installs Twisted's reactor.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from csms.server.reactor import loop  # isort: split

from daphne.ws_protocol import WebSocketFactory
from twisted.internet import reactor as installed
from twisted.logger import FilteringLogObserver, LogLevel, LogLevelFilterPredicate, STDLibLogObserver, globalLogBeginner

from csms.server.accepting import Acceptor
from csms.server.common import Application, Disconnected, Limits, Message, nobody, tls_scope
from csms.server.daphne_request import Request, Requests, Stream
from csms.server.daphne_websocket import WebSocket
from csms.server.ending import Ending

logger = logging.getLogger("csms.server")
reactor: Any = installed  # its interface says less than it can


class DaphneServer:
    """What Daphne's protocols ask of their server.

    Without the walks that stock Daphne makes over all connections each second, and so without what hangs on them: the cut
    after 24 hours (channels#999), the killing of applications that still store what they were told (channels#1119).
    """

    root_path = server_name = ""
    proxy_forwarded_address_header = http_timeout = None
    request_buffer_size = 64 * 1024

    def __init__(self, application: Application, limits: Limits) -> None:
        self.application, self.limits = application, limits
        self.open_sockets: set[WebSocket] = set()
        self.socket_tasks: set[asyncio.Task[None]] = set()
        self.request_tasks: set[asyncio.Task[None]] = set()
        self.ws_factory = WebSocketFactory(self, server="")
        self.ws_factory.setProtocolOptions(
            allowNullOrigin=True, maxMessagePayloadSize=limits.message_bytes, maxFramePayloadSize=limits.message_bytes
        )
        # Autobahn copies 25 options from the factory to every socket, and pretty-prints them for its debug log. Here they
        # are the class's.
        options = {name: getattr(self.ws_factory, name) for name in WebSocket.CONFIG_ATTRS if name not in vars(WebSocket)}
        self.ws_factory.protocol = type("WebSocket", (WebSocket,), {**options, "CONFIG_ATTRS": ()})

    def run(self, sock: socket.socket, ending: Ending, ready: Callable[[], None]) -> None:
        errors: Any = LogLevelFilterPredicate(defaultLogLevel=LogLevel.error)
        logs: Any = STDLibLogObserver("twisted")
        observer: Any = FilteringLogObserver(logs, [errors])
        globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=True)
        asyncio.set_event_loop(loop)
        self.requests_factory = Requests(self)
        self.requests_factory.doStart()
        self.acceptor = Acceptor(loop, sock, self.adopt)
        ending.listen(loop)
        loop.call_soon(ready)
        reactor.run(installSignalHandlers=False)

    def adopt(self, connection: socket.socket) -> None:
        try:
            reactor.adoptStreamConnection(connection.fileno(), connection.family, self.requests_factory)
        except OSError as error:
            logger.debug("a connection went before it was taken: %s", error)
        connection.close()  # Twisted has a duplicate

    # For Daphne's protocols

    def protocol_connected(self, protocol: WebSocket | Request) -> None:
        if isinstance(protocol, WebSocket):
            self.open_sockets.add(protocol)

    def protocol_disconnected(self, protocol: WebSocket | Request) -> None:
        self.open_sockets.discard(protocol)

    def create_application(self, protocol: WebSocket | Request, scope: dict[str, Any]) -> "asyncio.Queue[Message] | Stream | None":
        scope["asgi"] = {"version": "3.0", "spec_version": "2.4"}
        if isinstance(protocol, WebSocket):
            protocol.scope = scope
            scope.update(scheme="ws", extensions={"websocket.http.response": {}})
            self.start(self.socket_tasks, protocol, self.application(scope, protocol.receive, protocol.send))
            return None
        inbox: asyncio.Queue[Message] | Stream = protocol.stream or asyncio.Queue()
        self.start(self.request_tasks, protocol, self.application(scope, inbox.get, protocol.send))
        return inbox

    def tell_of_tls(self, client: list[Any]) -> None:
        task = loop.create_task(self.application(tls_scope(client), nobody, nobody))  # type: ignore[arg-type]  # a coroutine
        self.request_tasks.add(task)
        task.add_done_callback(self.request_tasks.discard)

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
        self.acceptor.stop()

    def requests(self) -> int:
        return len(self.request_tasks)

    def sockets(self) -> set[WebSocket]:
        return self.open_sockets

    def tasks(self) -> set["asyncio.Task[None]"]:
        return self.socket_tasks | self.request_tasks

    def stop(self) -> None:
        reactor.stop()
