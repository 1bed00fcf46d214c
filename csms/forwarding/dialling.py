"""The way to a second back end: its address looked at, the handshake as the station, and what is wrong in words."""

import asyncio
import base64
import contextlib
import logging
import socket as sockets
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, NegotiationError, WebSocketException

from csms.webhooks.sending import Forbidden, allowed

#: Seconds for name, connection, TLS and handshake together; for a goodbye; between our pings, and for the pong.
OPEN_S, CLOSE_S, PING_S, PONG_S = 10.0, 2.0, 50.0, 30.0
#: What may come at once: larger frames end the connection, and of smaller ones few are kept unread.
FRAME_BYTES, FRAMES = 64 * 1024, 4
#: How long an answer about a name holds: a fleet asks for the same one.
NAME_S, MOST_NAMES = 30.0, 500
#: Of a host with many addresses, so many are tried.
MOST_ADDRESSES = 2
LONGEST_ERROR = 300

#: Names are asked for here, where a resolver that takes its time holds up nothing else.
_names = ThreadPoolExecutor(max_workers=8, thread_name_prefix="names")
_known: dict[tuple[str, int], tuple[float, list[str]]] = {}
_quiet = logging.getLogger("csms.forwarding.sockets")
_quiet.setLevel(logging.CRITICAL)


class Trouble(Exception):
    """The other back end cannot be spoken to. The text is a sentence for the operator: cause and remedy.

    `rest_s`: how long it asked us to wait.
    """

    def __init__(self, words: str, *, rest_s: float = 0.0) -> None:
        super().__init__(words[:LONGEST_ERROR])
        self.rest_s = rest_s


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception:
        """There is none: it would lead to where nobody looked."""
        return exc


def address_of(url: str, identity: str) -> str:
    """The address of the station there: the identity is the last part of the path, percent-encoded (OCPP-J 3.1.1)."""
    base, asks, query = url.partition("?")
    return f"{base.rstrip('/')}/{quote(identity, safe='')}{asks}{query}"


@asynccontextmanager
async def dialled(
    url: str, *, identity: str, password: str, subprotocol: str, needed: bool = True
) -> AsyncIterator[ClientConnection]:
    """A socket, closed at the end. `needed`: without that sub-protocol it is of no use. Raises Trouble."""
    socket = await dial(url, identity=identity, password=password, subprotocol=subprotocol, needed=needed)
    try:
        yield socket
    finally:
        with contextlib.suppress(WebSocketException, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await socket.close(1000, "the charger has gone")
        socket.transport.abort()


async def dial(url: str, *, identity: str, password: str, subprotocol: str, needed: bool) -> ClientConnection:
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    headers = {}
    if password:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()
    try:
        async with asyncio.timeout(OPEN_S):
            addresses = await _resolved(host, port)
            socket = await _first(addresses, port, address_of(url, identity), subprotocol, headers, secure)
    except (WebSocketException, OSError, TimeoutError, EOFError, ValueError) as error:
        raise Trouble(_words(error, subprotocol)) from error
    if needed and socket.subprotocol != subprotocol:
        socket.transport.abort()
        raise Trouble(f"It accepts the charger but does not speak {_spoken(subprotocol)}.")
    return socket


async def _first(
    addresses: Sequence[str], port: int, uri: str, subprotocol: str, headers: dict[str, str], secure: bool
) -> ClientConnection:
    """What is looked at is what is connected to, so that a name cannot change in between."""
    failed: OSError | None = None
    for address in addresses[:MOST_ADDRESSES]:
        try:
            return await _Connect(
                uri,
                host=address,
                port=port,
                subprotocols=[subprotocol],  # type: ignore[list-item]  # a NewType of str
                additional_headers=headers,
                user_agent_header="csms-forward/1",
                compression=None,
                proxy=None,
                open_timeout=None,
                close_timeout=CLOSE_S,
                ping_interval=PING_S,
                ping_timeout=PONG_S,
                max_size=FRAME_BYTES,
                max_queue=FRAMES,
                logger=_quiet,
                ssl=_tls() if secure else None,
            )
        except ssl.SSLError:
            raise
        except OSError as error:
            failed = error
    raise failed or OSError("no address")


async def _resolved(host: str, port: int) -> list[str]:
    now = time.monotonic()
    until, found = _known.get((host, port), (0.0, []))
    if now < until:
        return found
    found = await asyncio.get_running_loop().run_in_executor(_names, allowed, host, port)
    if len(_known) >= MOST_NAMES:
        _known.clear()
    _known[host, port] = (now + NAME_S, found)
    return found


@cache
def _tls() -> ssl.SSLContext:
    """One for all sockets: each would take memory of its own."""
    return ssl.create_default_context()


def _spoken(subprotocol: str) -> str:
    return f"OCPP {subprotocol.removeprefix('ocpp')}" if subprotocol.startswith("ocpp") else subprotocol


def _words(error: BaseException, subprotocol: str) -> str:
    """Why the handshake came to nothing, and what to do."""
    match error:
        case Forbidden():
            return f"{error} CSMS_WEBHOOK_PRIVATE=1 allows it."
        case InvalidStatus():
            return _refused(error.response.status_code)
        case NegotiationError():
            return f"It does not speak {_spoken(subprotocol)}."
        case InvalidHandshake():
            return f"It answers, but not as a WebSocket: {error}"
        case TimeoutError():
            return f"No connection within {OPEN_S:.0f} seconds. Is it up, and does a firewall let us in?"
        case sockets.gaierror():
            return "Its name could not be resolved. Check the host in the address."
        case ConnectionRefusedError():
            return "The connection was refused: nothing listens there."
        case ssl.SSLError():
            return f"TLS failed: {error.reason or error}"
        case ConnectionClosed():
            return "It closed the connection in the middle of the handshake."
    return f"The connection failed: {error or type(error).__name__}"


def _refused(code: int) -> str:
    if code in (401, 403):
        return f"It answered {code}: it does not take the password for this identity. Set the one it expects."
    if code == 404:
        return "It answered 404: it does not know this identity, or the address is wrong. Register the charger there first."
    if 300 <= code < 400:
        return f"It answered {code}: redirects are not followed. Set the address to the one it redirects to."
    if code in (429, 503):
        return f"It answered {code}: it wants fewer connections now. We come back later."
    return f"It answered {code} instead of opening a WebSocket."
