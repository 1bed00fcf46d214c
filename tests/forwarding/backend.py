"""A second back end on a socket of its own: a good one, or as a test wants it."""

import asyncio
import base64
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.servers import until

#: What it does with a frame it was sent: the frame, and the socket it came on.
Behaviour = Callable[["BackEnd", ServerConnection, Any], Awaitable[None]]


async def polite(them: "BackEnd", socket: ServerConnection, frame: Any) -> None:
    """Answers every call as a charging system would, numbering sessions from 7001."""
    if frame[0] == 2:
        await socket.send(json.dumps([3, frame[1], them.answer(frame[2])]))


async def silent(them: "BackEnd", socket: ServerConnection, frame: Any) -> None:
    """Answers nothing."""


@dataclass
class BackEnd:
    """`calls`: what was called, with the name of the station; `frames`: everything that came."""

    behaviour: Behaviour = polite
    password: str = ""
    status: int = 0
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    frames: list[tuple[str, Any]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    protocols: list[str | None] = field(default_factory=list)
    subprotocols: tuple[str, ...] = ("ocpp1.6", "ocpp2.0.1", "csms.mirror.1")
    boot: str = "Accepted"
    greeting: Behaviour | None = None
    sessions: int = 7000
    port: int = 0
    open: set[ServerConnection] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp"

    def answer(self, action: str) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        if action == "StartTransaction":
            self.sessions += 1
            return {"transactionId": self.sessions, "idTagInfo": {"status": "Accepted"}}
        known = {
            "BootNotification": {"status": self.boot, "currentTime": now, "interval": 300},
            "Heartbeat": {"currentTime": now},
            "DataTransfer": {"status": "UnknownVendorId"},
        }
        return known.get(action, {})

    def actions(self, station: str = "") -> list[str]:
        """What was called, in its order; of one station."""
        return [action for name, action, _ in self.calls if not station or name == station]

    def payloads(self, action: str) -> list[Any]:
        return [payload for _, called, payload in self.calls if called == action]

    def wait(self, count: int) -> list[str]:
        """Until so many calls have come."""
        until(lambda: len(self.calls) >= count)
        return self.actions()

    async def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.status:
            return Response(self.status, "No", Headers({"Location": "ws://127.0.0.1:1/", "Content-Length": "0"}))
        name = request.path.rpartition("/")[2]
        right = "Basic " + base64.b64encode(f"{name}:{self.password}".encode()).decode()
        if self.password and request.headers.get("Authorization") != right:
            return Response(401, "Unauthorized", Headers({"Content-Length": "0"}))
        return None

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        name = socket.request.path.rpartition("/")[2]
        self.names.append(name)
        self.protocols.append(socket.subprotocol)
        self.open.add(socket)
        try:
            if self.greeting is not None:
                await self.greeting(self, socket, None)
            async for text in socket:
                frame = json.loads(text)
                self.frames.append((name, frame))
                if isinstance(frame, list) and frame[0] == 2:
                    self.calls.append((name, frame[2], frame[3]))
                    await self.behaviour(self, socket, frame)
        except ConnectionClosed:
            pass
        finally:
            self.open.discard(socket)


@contextmanager
def backend(behaviour: Behaviour = polite, **options: Any) -> Iterator[BackEnd]:
    them = BackEnd(behaviour, **options)
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    ended = asyncio.Event()

    async def run() -> None:
        server: Server
        async with serve(
            them.serve, "127.0.0.1", them.port, process_request=them.admit, subprotocols=list(them.subprotocols) or None,  # type: ignore[arg-type]
            select_subprotocol=None if them.subprotocols else (lambda *_: None), compression=None, close_timeout=1,
        ) as server:  # fmt: skip
            them.port = next(iter(server.sockets)).getsockname()[1]
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield them
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
