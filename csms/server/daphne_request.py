"""Daphne's HTTP request, mended."""

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from csms.server.reactor import loop  # isort: split

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.web.http import datetimeToString

from csms.server.common import HTTP_IDLE_S, MAX_WAITING_BYTES, STREAMED, TLS, Message, body_limit, is_broken
from csms.server.daphne_websocket import WriteGate

if TYPE_CHECKING:
    from csms.server.on_daphne import DaphneServer


class Stream:
    """A body on its way to the application as it comes. Reading pauses while much of it waits."""

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self.pause, self.resume = pause, resume
        self.waiting = bytearray()
        self.whole = self.told = self.gone = self.paused = False
        self.news = asyncio.Event()

    def feed(self, data: bytes) -> None:
        self.waiting += data
        if len(self.waiting) > MAX_WAITING_BYTES and not self.paused:
            self.paused = True
            self.pause()
        self.news.set()

    def end(self) -> None:
        self.whole = True
        self.news.set()

    def put_nowait(self, message: Message) -> None:
        """Daphne's way to say that the peer has gone; what it would say of the body we say ourselves."""
        if message["type"] == "http.disconnect":
            self.gone = True
            self.news.set()

    async def get(self) -> Message:
        while not (self.waiting or self.gone or (self.whole and not self.told)):
            self.news.clear()
            await self.news.wait()
        if not self.waiting and (self.told or not self.whole):
            return {"type": "http.disconnect"}
        body = bytes(self.waiting)
        self.waiting.clear()
        self.told = self.whole
        if self.paused:
            self.paused = False
            self.resume()
        return {"type": "http.request", "body": body, "more_body": not self.whole}


class Request(WriteGate, WebRequest):  # type: ignore[misc]  # untyped
    """One HTTP request."""

    channel: Any
    too_large = False
    stream: Stream | None = None

    def gotLength(self, length: int | None) -> None:
        """The headers are complete; `length` of the body, None if it is not said."""
        path: bytes = self.channel._path
        streamed = length != 0 and path.startswith(tuple(prefix.encode() for prefix in STREAMED))
        super().gotLength(0 if streamed else length)
        if streamed:
            network = self.channel._networkProducer
            self.stream = Stream(network.pauseProducing, lambda: None if self.finished else network.resumeProducing())
            # Not from in here: the channel is in the middle of what it has read.
            loop.call_soon(self.begin, self.channel._command, path, self.channel._version)
        self.check_length(length or 0)

    def begin(self, command: bytes, path: bytes, version: bytes) -> None:
        """Hand a request to the application whose body is still to come."""
        if self.channel is not None:
            self.requestHeaders.removeHeader(b"upgrade")
            super().requestReceived(command, path, version)

    def handleContentChunk(self, data: bytes) -> None:
        if self.stream is not None:
            self.stream.feed(data)
            return
        self.check_length(self.content.tell() + len(data))
        if not self.too_large:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self.stream is not None:
            self.stream.end()
        else:
            super().requestReceived(command, path, version)

    def check_length(self, length: int) -> None:
        """Daphne would take any number of bytes onto the disk before the application hears of the request."""
        if self.stream is not None or self.too_large:
            return
        most = body_limit(self.channel._path.decode("latin-1"))
        if most is not None and length > most:
            self.too_large = True
            self.channel.write(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.channel.loseConnection()

    def process(self) -> Any:
        if self.too_large:
            return None
        # Two slashes at the beginning would be taken for the name of a host.
        for name in ("uri", "path"):
            setattr(self, name, re.sub(rb"\A//+", b"/", getattr(self, name)))
        headers = self.requestHeaders
        headers.removeHeader(b"daphne-root-path")  # nobody outside may say where we are mounted
        tokens = b",".join(headers.getRawHeaders(b"connection", [])).lower().split(b",")
        if b"upgrade" not in [token.strip() for token in tokens]:
            # RFC 9110, 7.8: without it `Upgrade` asks for nothing, and the application says what the station did wrong.
            headers.removeHeader(b"upgrade")
        if headers.hasHeader(b"upgrade"):
            every = [(name, value) for name, values in headers.getAllRawHeaders() for value in values]
            if is_broken(self.method.decode("latin-1"), self.path.decode("latin-1"), every):
                headers.removeHeader(b"upgrade")
        if headers.hasHeader(b"upgrade") and not all(map(bytes.isascii, headers.getRawHeaders(b"sec-websocket-protocol", []))):
            return self.basic_error(400, b"Bad Request", "The sub-protocol is not ASCII")
        if not headers.hasHeader(b"upgrade"):
            self.registerProducer(self, True)
        processing = super().process()
        if self.transport is None:  # it is a websocket's now, and nobody else's
            self.channel.requests.clear()
            self.channel = None
        return processing

    async def send(self, message: Message) -> None:
        while self.full is not None:
            await self.full.wait()
        if message["type"] == "http.response.start":
            self.setHeader(b"date", datetimeToString())  # type: ignore[no-untyped-call]
            if self.channel is not None and (b"connection", b"close") in message.get("headers", ()):
                self.channel.persistent = False
        self.handle_reply(message)

    def finish(self) -> None:
        if self.producer is not None:
            self.unregisterProducer()
        if self.stream is not None and not self.stream.whole and self.channel is not None:
            self.channel.persistent = False  # what still comes is no next request
        super().finish()

    def application_ended(self) -> None:
        if not self.finished and self.channel is not None:
            if self._response_started:
                self.channel.forceAbortClient()  # half a response must not look like a whole one
            else:
                self.basic_error(500, b"Internal Server Error", "The application failed.")


class Requests(HTTPFactory):  # type: ignore[misc]  # untyped
    def __init__(self, server: "DaphneServer") -> None:
        super().__init__(server)
        self.timeOut = HTTP_IDLE_S

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request

        def first(data: bytes) -> None:
            del protocol.dataReceived  # not `= receive`: it would hold itself
            if data.startswith(TLS):
                self.server.tell_of_tls([addr.host, addr.port])
                data += b"\r\n"  # Twisted would wait for the end of the line
            protocol.dataReceived(data)

        protocol.dataReceived = first
        return protocol

    def log(self, request: Any) -> None:
        """No access log: Django logs what went wrong, the proxy the rest."""
