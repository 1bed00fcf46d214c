"""What both servers share: the limits, and what the ending needs of a server."""

import asyncio
import base64
import binascii
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from csms.server.ending import Ending

# The servers put into a websocket's scope, as "csms.pong", the monotonic time of the last pong: a sign of life that is no message.
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]

#: Accept queue of the listening socket: a whole fleet may redial within a second.
BACKLOG = 4096
#: Seconds an HTTP connection may be silent, before its first request as well.
HTTP_IDLE_S = 60
#: A firmware image is the largest thing anybody uploads to a page or the API, which get a body when it is whole.
MAX_BODY_BYTES = 64 * 1024 * 1024
#: What begins so goes to the application as it comes, which knows its own limit and is not sent more than it reads.
STREAMED = ("/files/logs/",)
#: At what begins so, a broken handshake goes to the application as a plain request: it says what is wrong, and to whom.
TOLD = "/ocpp"
#: How a TLS handshake begins.
TLS = b"\x16\x03"
#: Deflate's window and memory level: 32 KB to compress and 11 KB to expand a socket, a seventh of the defaults (uvicorn#1862).
WINDOW_BITS, MEMORY_LEVEL = 12, 5
#: Messages that wait for the application, or bytes of them, before reading pauses.
MAX_WAITING, MAX_WAITING_BYTES = 8, 64 * 1024


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes a websocket is held to."""

    #: For the application to accept or refuse: a slow database in a storm of reconnects must not turn stations away.
    handshake_s: float = 20.0
    #: For the peer to answer our close; then the connection is cut.
    close_s: float = 10.0
    #: Between our pings. A missing pong closes nothing: slow mobile links are alive, the application judges by silence.
    ping_s: float = 50.0
    message_bytes: int = 1024 * 1024


class Socket(Protocol):
    def go_away(self) -> None:
        """Closes with 1012, telling the application too."""


class Server(Protocol):
    """What `Ending` asks of a server."""

    def run(self, sock: socket.socket, ending: "Ending", ready: Callable[[], None]) -> None: ...
    def stop_listening(self) -> None: ...
    def requests(self) -> int:
        """HTTP requests whose response is not complete."""

    def sockets(self) -> Collection[Socket]: ...
    def tasks(self) -> set["asyncio.Task[None]"]: ...
    def stop(self) -> None:
        """Makes `run` return."""


def tls_scope(client: Any) -> Message:
    """What the application is told of somebody who begins with TLS at a port that speaks none, for which it has no answer."""
    scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
    scope |= {"path": f"{TOLD}/", "raw_path": f"{TOLD}/".encode(), "query_string": b"", "root_path": "", "headers": []}
    return scope | {"client": client, "extensions": {"csms.tls": {}}}


async def nobody(message: Any = None) -> Message:
    """Neither asks nor hears."""
    return {"type": "http.disconnect"}


class Disconnected(OSError):
    """Raised by `send` when the socket has ended, as ASGI 2.4 wants it on every server."""


def body_limit(path: str) -> int | None:
    """The bytes that the body of a request may have; None: the application sees to it itself."""
    return None if path.startswith(STREAMED) else MAX_BODY_BYTES


def is_key(value: str) -> bool:
    """Whether it may be a Sec-WebSocket-Key: 16 bytes in base64 (RFC 6455, 4.1)."""
    try:
        return len(base64.b64decode(value.strip(), validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def is_broken(method: str, path: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request to upgrade is one that no server could accept, at an address where somebody must hear of it."""
    if not path.lstrip("/").startswith(TOLD[1:]):
        return False
    told = {name.lower(): value.decode("latin-1") for name, value in headers}
    version, key = told.get(b"sec-websocket-version", ""), told.get(b"sec-websocket-key", "")
    return method != "GET" or version.strip() != "13" or not is_key(key)


def shorten(reason: str | None) -> str:
    """A close reason cut to the 123 bytes that a control frame holds."""
    return (reason or "").encode()[:123].decode(errors="ignore")
