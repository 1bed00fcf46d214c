"""One WebSocket to a CSMS: the `ocpp` package's client side, with what it lacks put in.

Those lacks (2.1.0): a CALL awaited in a handler deadlocks (handlers here only start tasks); late and unasked-for answers pile
up or delay the next CALL (here they are kept apart, in `received`); NotSupported and NotImplemented are swapped; a frame it
cannot read may raise out of its read loop; a CALL goes on waiting after the socket has gone.
"""

import asyncio
import base64
import ipaddress
import json
import logging
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from ocpp import v16, v201
from ocpp.charge_point import ChargePoint, remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.exceptions import NotImplementedError as ActionUnknown
from ocpp.exceptions import NotSupportedError as ActionNotSupported
from ocpp.exceptions import OCPPError, UnknownCallErrorCodeError
from ocpp.v16.enums import Action as Action16
from ocpp.v201.enums import Action as Action201
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from csms.simulator.errors import BadAnswer, CallRefused, HandshakeRefused, NoAnswer, StationOffline, Unreachable

logger = logging.getLogger("csms.simulator.link")
#: Frames that answer nothing of ours which are kept for `received`, at most.
KEPT_FRAMES = 100


def endpoint(url: str, identity: str) -> str:
    """The station's address: the CSMS's URL and the identity, percent-encoded (OCPP-J 3.1.1)."""
    return f"{url.rstrip('/')}/{quote(identity, safe='')}"


def as_wire(payload: Any) -> dict[str, Any]:
    """A payload of the package as it stands on the wire."""
    wire: dict[str, Any] = snake_to_camel_case(remove_nones(serialize_as_dict(payload)))
    return wire


async def dial(
    url: str,
    *,
    identity: str,
    password: str | None,
    protocol: str,
    ping_interval_s: int,
    compression: str | None = None,
    timeout_s: float = 20,
) -> ClientConnection:
    """Open the socket. Raises HandshakeRefused or Unreachable."""
    headers = {}
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()
    try:
        socket = await connect(
            endpoint(url, identity),
            subprotocols=[protocol],  # type: ignore[list-item]  # a NewType of str that the package wants
            additional_headers=headers,
            compression=compression,
            # A proxy of the environment is for the world outside, never for this machine.
            proxy=None if _is_loopback(url) else True,
            open_timeout=timeout_s,
            close_timeout=2,
            ping_interval=ping_interval_s or None,
            ping_timeout=max(20, ping_interval_s),
        )
    except InvalidStatus as error:
        body = (error.response.body or b"").decode(errors="replace").strip()
        reason = error.response.reason_phrase
        raise HandshakeRefused(
            error.response.status_code, f"{reason} ({body[:200]})" if body and body != reason else reason
        ) from error
    except (WebSocketException, OSError, TimeoutError, EOFError) as error:
        raise Unreachable(str(error) or type(error).__name__) from error
    if socket.subprotocol != protocol:
        await socket.close(1002, "no common sub-protocol")
        raise HandshakeRefused(101, f"the CSMS does not speak {protocol}")
    return socket


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Wording:
    """What the package knows of an OCPP version."""

    version: str
    calls: Any
    results: Any
    actions: frozenset[str]


class Package:
    V16 = Wording("1.6", v16.call, v16.call_result, frozenset(Action16))
    V201 = Wording("2.0.1", v201.call, v201.call_result, frozenset(Action201))


class Link(ChargePoint):  # type: ignore[misc]  # the package has no types
    """`ask` sends a CALL and gives the answer; `received` holds frames that were no answer to it and no CALL.

    The version and the handlers for the CSMS's CALLs come from a subclass.
    """

    package: Wording

    def __init__(self, identity: str, socket: ClientConnection, *, answer_timeout_s: float = 30) -> None:
        # Under the names by which the package asks for them.
        self._ocpp_version, self._call, self._call_result = self.package.version, self.package.calls, self.package.results
        super().__init__(identity, socket, response_timeout=answer_timeout_s, logger=logger)
        self.socket = socket
        self.lost = asyncio.Event()
        self.received: asyncio.Queue[str] = asyncio.Queue(KEPT_FRAMES)
        self._asking = asyncio.Lock()
        self._asked = ""
        self._refusal: tuple[str, str] | None = None

    async def listen(self) -> str:
        """Read until the socket ends; return why it ended."""
        try:
            await self.start()
        except ConnectionClosed as closed:
            frame = closed.rcvd
            return f"{frame.code} {frame.reason}".strip() if frame else "the connection broke"
        finally:
            self.lost.set()
        return ""

    async def ask(self, payload: Any) -> Any:
        """Send a CALL, wait for its answer. Raises StationOffline, NoAnswer, CallRefused or BadAnswer."""
        async with self._asking:
            if self.lost.is_set():
                raise StationOffline(f"{self.id} is offline")
            # Unique over the whole life of the identity, whatever process or connection it comes from.
            self._asked, self._refusal = str(uuid.uuid4()), None
            asking = asyncio.ensure_future(self.call(payload, suppress=False, unique_id=self._asked))
            losing = asyncio.ensure_future(self.lost.wait())
            try:
                await asyncio.wait({asking, losing}, return_when=asyncio.FIRST_COMPLETED)
                if not asking.done():
                    raise StationOffline(f"{self.id}: the connection ended before the answer came")
                return asking.result()
            except ConnectionClosed as error:
                raise StationOffline(f"{self.id}: the connection ended before the message was sent") from error
            except TimeoutError as error:
                raise NoAnswer(f"{type(payload).__name__} got no answer in {self._response_timeout} s") from error
            except (OCPPError, UnknownCallErrorCodeError, TypeError, ValueError, AttributeError) as error:
                if self._refusal:
                    raise CallRefused(*self._refusal) from error
                raise BadAnswer(f"{type(payload).__name__} got an answer that OCPP does not allow: {error}") from error
            finally:
                self._asked = ""
                asking.cancel()
                losing.cancel()

    async def route_message(self, raw: str | bytes) -> None:
        try:
            frame = json.loads(raw)
        except (ValueError, RecursionError):
            frame = None
        kind, ident = (frame[0], frame[1]) if isinstance(frame, list) and len(frame) > 1 else (None, None)
        if kind == 2:
            try:
                await super().route_message(raw)
            except ConnectionClosed:
                raise
            except Exception as error:
                logger.warning("%s: cannot handle %.200r: %r", self.id, raw, error)
        elif kind in (3, 4) and self._asked and ident == self._asked:
            if kind == 4:
                self._refusal = (str(frame[2]) if len(frame) > 2 else "", str(frame[3]) if len(frame) > 3 else "")
                frame = (*frame[:2], *self._refusal, {})
                raw = json.dumps(frame)
            await super().route_message(raw)
        else:
            if self.received.full():
                self.received.get_nowait()
            self.received.put_nowait(raw if isinstance(raw, str) else raw.decode(errors="replace"))

    async def _handle_call(self, msg: Any) -> Any:
        if not isinstance(msg.action, str) or msg.action not in self.route_map:
            known = isinstance(msg.action, str) and msg.action in self.package.actions
            raise ActionNotSupported() if known else ActionUnknown()
        return await super()._handle_call(msg)
