"""Stations that charge while something breaks, and what they say afterwards."""

import asyncio
import uuid
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import InvalidStatus, WebSocketException

from stations.models import Station
from tests.charger import Charger, NewerCharger, compare
from tests.network import Network
from tests.peer import station


class Fleet:
    """Chargers at work inside `async with`, every other one of 2.0.1; `finish` ends their sessions and holds their ledgers
    against the tables."""

    def __init__(self, network: Network, url: str, count: int = 12, **options: Any) -> None:
        token = f"CARD-{uuid.uuid4().hex[:8]}"
        network.token(token)
        kinds = [(Charger, NewerCharger)[number % 2] for number in range(count)]
        self.chargers = [kind(url, network.station(accepted=True), token, **options) for kind in kinds]
        self.finished = asyncio.Event()
        self.running: list[asyncio.Task[None]] = []

    def __iter__(self) -> Iterator[Charger]:
        return iter(self.chargers)

    async def __aenter__(self) -> Self:
        self.running = [asyncio.create_task(charger.run(self.finished)) for charger in self]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        await asyncio.gather(*(charger.close() for charger in self), return_exceptions=True)

    @property
    def acknowledged(self) -> int:
        return sum(charger.acknowledged for charger in self)

    @property
    def sockets(self) -> int:
        """How many they have opened so far."""
        return sum(charger.sockets for charger in self)

    async def more(self, count: int = 200, *, each: int = 0, within_s: float = 60) -> None:
        """Wait until so many more messages have been acknowledged, and of every station so many."""
        before, those = self.acknowledged, {id(charger): charger.acknowledged for charger in self}
        async with asyncio.timeout(within_s):
            while self.acknowledged < before + count or any(c.acknowledged < those[id(c)] + each for c in self):
                for task in self.running:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.01)

    async def finish(self, *, within_s: float = 60) -> None:
        """They end what they charge; then nothing acknowledged is missing or doubled, and none ever heard an error."""
        self.finished.set()
        async with asyncio.timeout(within_s):
            await asyncio.gather(*self.running)
        compare(self)
        assert [charger.errors for charger in self if charger.errors] == []


async def turned_away(url: str, who: Station, *, within_s: float = 60) -> None:
    """Wait until whoever knocks hears 503. Before it is noticed that nothing works, knocks are let in, or wait."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                async with station(url, who, open_timeout=20):
                    pass
            except InvalidStatus as error:
                if error.response.status_code == 503:
                    return
            except (OSError, TimeoutError, WebSocketException):
                pass
            await asyncio.sleep(0.1)
