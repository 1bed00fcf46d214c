"""A station's line to the CSMS: connecting, sending CALLs, the ledger of what was acknowledged, and the tasks that hang on it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, NamedTuple, Self

from websockets.asyncio.client import ClientConnection

from csms.simulator.configuration import Configuration
from csms.simulator.errors import SimulatorError, StationOffline, Unreachable
from csms.simulator.link import Link, as_wire, dial
from csms.simulator.outbox import Outbox

logger = logging.getLogger("csms.simulator")


class Acknowledged(NamedTuple):
    """A CALL of ours that the CSMS has answered; payload and response as they stood on the wire."""

    action: str
    payload: dict[str, Any]
    response: dict[str, Any]


class Client:
    """Base of SimulatedStation, which adds what it says, how it answers (`make_link`) and what it does on return (`returned`)."""

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        password: str | None,
        protocol: str,
        compression: str | None,
        configuration: Configuration,
        tell: Callable[[str], None] | None,
        keep_ledger: bool,
    ) -> None:
        self.url, self.identity, self.protocol, self.password = url, identity, protocol, password
        self.compression = compression
        self.configuration = configuration
        self.registration = ""
        self.accepted_event = asyncio.Event()
        self.ledger: list[Acknowledged] = []
        self.lost = asyncio.Event()
        self.lost.set()
        self.lost_because = ""
        #: It does not come back, whoever tries.
        self.gone = False
        self._keep_ledger = keep_ledger
        self._tell = tell or (lambda line: None)
        self._link: Link | None = None
        self._connecting = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._outbox = Outbox(configuration, self.call, self.tell)

    def make_link(self, socket: ClientConnection) -> Link:
        raise NotImplementedError

    async def returned(self) -> None:
        """Connected again, and accepted before."""

    async def __aenter__(self) -> Self:
        await self.reconnect()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        return self._link is not None

    @property
    def accepted(self) -> bool:
        return self.registration == "Accepted"

    @property
    def queued(self) -> int:
        return len(self._outbox)

    async def reconnect(self) -> None:
        """Connect. A station that was accepted before goes on where it was, delivers what waits and says what has changed."""
        if self.gone:
            raise Unreachable(f"{self.identity} does not come back")
        async with self._connecting:
            if self.connected:
                return
            socket = await dial(
                self.url,
                identity=self.identity,
                password=self.password,
                protocol=self.protocol,
                compression=self.compression,
                ping_interval_s=self.configuration.number("WebSocketPingInterval"),
            )
            link = self._link = self.make_link(socket)
            self.lost.clear()
            waiting = f"; {self.queued} messages to deliver" if self.queued else ""
            self.tell(f"connected{waiting}")
            self.spawn(self._listen(link))
            if not any(task.get_name() == "outbox" for task in self._tasks):
                self.spawn(self._outbox.run(), name="outbox")
        if self.accepted:
            self._outbox.open()
            await self.returned()
            await self._outbox.settled()

    async def disconnect(self, *, abrupt: bool = False) -> None:
        """End the connection: with a close frame (1001, going away), or as a cut cable does, with nothing."""
        if link := self._link:
            if abrupt:
                link.socket.transport.abort()
            else:
                await link.socket.close(1001)
            await link.lost.wait()
            self._gone(link, "disconnected")

    async def close(self, *, abrupt: bool = False) -> None:
        """Disconnect and end every task of the station."""
        await self.disconnect(abrupt=abrupt)
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, link: Link) -> None:
        because = "the read loop broke"
        try:
            because = await link.listen()
        finally:
            self._gone(link, because)

    def _gone(self, link: Link, because: str) -> None:
        if self._link is link:
            self._link = None
            self._outbox.close()
            self.lost_because = because
            self.lost.set()

    def tell(self, line: str) -> None:
        self._tell(f"{self.identity}: {line}")

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str | None = None) -> None:
        """Run a task that belongs to the station; what it fails with is told, never raised."""

        async def guarded() -> None:
            try:
                await work
            except SimulatorError as error:
                self.tell(str(error))
            except Exception:
                logger.exception("%s: a step of the simulator failed", self.identity)

        task = asyncio.get_running_loop().create_task(guarded(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def call(self, payload: Any) -> Any:
        """Send any CALL of the `ocpp` package and return its answer. Raises StationOffline, NoAnswer, CallRefused, BadAnswer."""
        link = self._link
        if link is None:
            raise StationOffline(f"{self.identity} is offline")
        wire = as_wire(payload)
        answer = await link.ask(payload)
        if self._keep_ledger:
            self.ledger.append(Acknowledged(type(payload).__name__, wire, as_wire(answer)))
        return answer

    async def raw(self, text: str) -> None:
        """Send any text as a frame."""
        if self._link is None:
            raise StationOffline(f"{self.identity} is offline")
        await self._link.socket.send(text)

    async def received(self, timeout_s: float = 10) -> str:
        """The next frame that answers `raw`, as it came: whatever is neither a CALL nor the answer to one of the steps."""
        if self._link is None:
            raise StationOffline(f"{self.identity} is offline")
        return await asyncio.wait_for(self._link.received.get(), timeout_s)
