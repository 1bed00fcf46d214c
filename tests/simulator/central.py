"""A small foreign CSMS for the simulator's tests: the server side of the `ocpp` package on a real socket."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

NOW = "2026-11-21T12:00:00Z"


class Watching:
    """The CSMS's side of one connection: what it heard is kept, whatever the version."""

    central: "Central"

    async def route_message(self, raw: str) -> None:
        self.central.frames.append(raw)
        await super().route_message(raw)  # type: ignore[misc]  # the package's, in the class it is mixed into

    async def _handle_call(self, msg: Any) -> Any:
        self.central.ids.append(msg.unique_id)
        self.central.calls.append((msg.action, msg.payload))
        self.central.news.set()
        if self.central.answer_nothing:
            return None
        if msg.action in self.central.answer_with:
            return await self._send(self.central.answer_with[msg.action](msg))  # type: ignore[attr-defined]  # as above
        return await super()._handle_call(msg)  # type: ignore[misc]  # as above


class Peer(Watching, ChargePoint):
    @on(Action.boot_notification)
    def boot(self, **_: Any) -> Any:
        status, interval = self.central.boots.pop(0) if self.central.boots else ("Accepted", 300)
        return call_result.BootNotification(NOW, interval, status)

    @on(Action.heartbeat)
    def heartbeat(self) -> Any:
        return call_result.Heartbeat(NOW)

    @on(Action.authorize)
    def authorize(self, id_tag: str) -> Any:
        return call_result.Authorize({"status": self.central.tags.get(id_tag, "Invalid")})

    @on(Action.status_notification)
    def status(self, **_: Any) -> Any:
        return call_result.StatusNotification()

    @on(Action.firmware_status_notification)
    def firmware_status(self, **_: Any) -> Any:
        return call_result.FirmwareStatusNotification()

    @on(Action.meter_values)
    def meter_values(self, **_: Any) -> Any:
        return call_result.MeterValues()

    @on(Action.start_transaction)
    def start_transaction(self, id_tag: str, **_: Any) -> Any:
        self.central.transactions += 1
        return call_result.StartTransaction(self.central.transactions, {"status": self.central.tags.get(id_tag, "Invalid")})

    @on(Action.stop_transaction)
    def stop_transaction(self, **_: Any) -> Any:
        return call_result.StopTransaction()


class Central:
    """Tests set `boots`, `tags`, `password`, `answer_with`, `answer_nothing` and look at `calls`, `frames`, `ids`, `peers`."""

    def __init__(self, kinds: dict[str, Any] | None = None) -> None:
        self.boots: list[tuple[str, int]] = []
        self.tags = {"DEE": "Accepted", "LOST": "Blocked"}
        self.password: str | None = None
        self.identities: set[str] | None = None
        self.kinds = kinds or {"ocpp1.6": Peer}
        self.protocols = list(self.kinds)
        self.answer_with: dict[str, Callable[[Any], str]] = {}
        self.answer_nothing = False
        self.transactions = 100
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.frames: list[str] = []
        self.ids: list[str] = []
        self.peers: list[Any] = []
        self.paths: list[str] = []
        self.close_codes: list[int | None] = []
        self.news = asyncio.Event()
        self.url = ""

    @property
    def peer(self) -> Any:
        return self.peers[-1]

    def actions(self) -> list[str]:
        return [action for action, _ in self.calls]

    def payloads(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.calls if name == action]

    def statuses(self, connector: int) -> list[str]:
        return [p["status"] for p in self.payloads("StatusNotification") if p["connectorId"] == connector]

    def statuses_of(self, status: str) -> list[dict[str, Any]]:
        """The StatusNotifications of any version that tell of this status."""
        return [p for p in self.payloads("StatusNotification") if status in (p.get("status"), p.get("connectorStatus"))]

    async def until(self, true: Callable[[], bool], timeout_s: float = 10) -> None:
        """Wait until something is so, looking after each message."""
        async with asyncio.timeout(timeout_s):
            while not true():
                self.news.clear()
                try:
                    await asyncio.wait_for(self.news.wait(), 0.02)
                except TimeoutError:
                    continue

    def _gate(self, connection: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        identity = request.path.rpartition("/")[2]
        if self.identities is not None and identity not in self.identities:
            return connection.respond(HTTPStatus.NOT_FOUND, "no such station\n")
        if self.password is not None:
            expected = "Basic " + base64.b64encode(f"{identity}:{self.password}".encode()).decode()
            if request.headers.get("Authorization") != expected:
                return connection.respond(HTTPStatus.UNAUTHORIZED, "")
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        if socket.subprotocol is None:
            return
        peer = self.kinds[socket.subprotocol](
            socket.request.path.rpartition("/")[2] if socket.request else "?", socket, response_timeout=5
        )
        peer.central = self
        self.peers.append(peer)
        try:
            await peer.start()
        except ConnectionClosed as closed:
            self.close_codes.append(closed.rcvd.code if closed.rcvd else None)
        self.news.set()


@asynccontextmanager
async def running_central(port: int = 0, *, kinds: dict[str, Any] | None = None) -> AsyncIterator[Central]:
    central = Central(kinds)

    def choose(connection: ServerConnection, offered: Any) -> Any:
        return next((name for name in offered if name in central.protocols), None)

    async with serve(central._serve, "127.0.0.1", port, process_request=central._gate, select_subprotocol=choose) as server:
        central.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        yield central


def call_error(code: str) -> Callable[[Any], str]:
    return lambda msg: json.dumps([4, msg.unique_id, code, "no", {}])


def call_result_of(payload: Any) -> Callable[[Any], str]:
    return lambda msg: json.dumps([3, msg.unique_id, payload])
