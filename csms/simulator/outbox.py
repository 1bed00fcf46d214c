"""The queue of transaction messages (1.6, 3.7.1; 2.0.1, E04): in order, one by one, kept while offline, retried until answered."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from csms.simulator.configuration import Configuration
from csms.simulator.errors import BadAnswer, CallRefused, NoAnswer, StationOffline


@dataclass(slots=True, eq=False)
class Entry:
    """A message to deliver. It is built when it is sent: the transaction's id may come from the answer to an earlier one."""

    build: Callable[[], Any]
    answered: Callable[[Any], None] = lambda answer: None
    given_up: Callable[[], None] = lambda: None
    refusals: int = 0


class Outbox:
    def __init__(self, configuration: Configuration, send: Callable[[Any], Awaitable[Any]], tell: Callable[[str], None]) -> None:
        self._configuration = configuration
        self._send = send
        self._tell = tell
        self._entries: deque[Entry] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._open = asyncio.Event()
        self._closed = asyncio.Event()
        self._closed.set()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._filled.set()
        self._empty.clear()

    def open(self) -> None:
        """The CSMS is there and has accepted the station."""
        self._open.set()
        self._closed.clear()

    def close(self) -> None:
        self._open.clear()
        self._closed.set()

    async def settled(self) -> None:
        """Wait until all is delivered, or until nothing can be: then the rest waits for the CSMS."""
        waits = {asyncio.ensure_future(self._empty.wait()), asyncio.ensure_future(self._closed.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            await self._open.wait()
            await self._filled.wait()
            if not self._open.is_set():
                continue
            entry = self._entries[0]
            try:
                answer = await self._send(entry.build())
            except StationOffline:
                # Whoever reads the socket closes us in a moment.
                await asyncio.sleep(0.01)
            except NoAnswer as error:
                self._tell(f"{error}; it will be sent again")
                await self._pause(1)
            except (CallRefused, BadAnswer) as error:
                entry.refusals += 1
                attempts = self._configuration.number("TransactionMessageAttempts")
                if entry.refusals >= attempts:
                    self._tell(f"gave up {type(entry.build()).__name__} after {attempts} refusals: {error}")
                    self._entries.popleft()
                    entry.given_up()
                else:
                    await self._pause(entry.refusals)
            else:
                self._entries.popleft()
                entry.answered(answer)
            # Only now: `answered` may have put more.
            if not self._entries:
                self._filled.clear()
                self._empty.set()

    async def _pause(self, times: int) -> None:
        await asyncio.sleep(times * self._configuration.number("TransactionMessageRetryInterval"))
