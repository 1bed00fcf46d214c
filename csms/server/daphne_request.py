"""Daphne's HTTP request, mended."""

from typing import TYPE_CHECKING, Any

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.web.http import datetimeToString

from csms.server.common import HTTP_IDLE_S, MAX_BODY_BYTES, Message
from csms.server.daphne_websocket import WriteGate

if TYPE_CHECKING:
    from csms.server.on_daphne import DaphneServer


class Request(WriteGate, WebRequest):  # type: ignore[misc]  # untyped
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
        if message["type"] == "http.response.start":
            self.setHeader(b"date", datetimeToString())  # type: ignore[no-untyped-call]
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


class Requests(HTTPFactory):  # type: ignore[misc]  # untyped
    def __init__(self, server: "DaphneServer") -> None:
        super().__init__(server)
        self.timeOut = HTTP_IDLE_S

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol

    def log(self, request: Any) -> None:
        """No access log: Django logs what went wrong, the proxy the rest."""
