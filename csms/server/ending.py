"""How a server ends: nothing new, what is in flight finished, every socket closed with a code, then out."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable

from csms.server.common import Drain, Server

logger = logging.getLogger("csms.server")

#: Seconds that sockets still open after the drain (browsers' pages) get for their goodbye, whatever the drain left of its time.
GOODBYE_S = 3.0


class Ending:
    """Obeys SIGTERM and SIGINT once; a second signal ends the process at once.

    Both servers would cut every application first and ask questions later: Daphne cancels them all (channels#2095), uvicorn
    closes their sockets before they hear of it. Hence this one order for both.
    """

    def __init__(self, server: Server, drain: Drain, timeout: float, parent: socket.socket | None = None) -> None:
        self.server, self.drain, self.timeout, self.parent = server, drain, timeout, parent
        self.task: asyncio.Task[None] | None = None

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.signalled)
        if self.parent is not None:
            loop.add_reader(self.parent, self.orphaned)

    def orphaned(self) -> None:
        assert self.parent is not None
        self.loop.remove_reader(self.parent)
        if self.task is None:
            self.signalled()

    def signalled(self) -> None:
        if self.task is not None:
            logger.warning("second signal: stopping at once")
            leave(1)
        self.task = self.loop.create_task(self.run())

    async def run(self) -> None:
        """1. no new connections  2. `drain`, then requests in flight  3. 1012 to whoever is left  4. the rest is cancelled."""
        server = self.server
        server.stop_listening()
        deadline = self.loop.time() + self.timeout
        clean = await self.bounded("draining the stations", self.drain(), deadline)
        clean &= await self.bounded("finishing the requests in flight", until(lambda: not server.requests()), deadline)
        for peer in list(server.sockets()):
            peer.go_away()
        gone = until(lambda: not server.sockets() and not server.tasks())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(gone, GOODBYE_S)
        for task in server.tasks():
            task.cancel()
        if not clean:
            # A thread that hangs (why else did the time run out) would keep the interpreter from ending.
            leave(0)
        server.stop()

    async def bounded(self, what: str, step: Awaitable[None], deadline: float) -> bool:
        try:
            await asyncio.wait_for(step, max(0.0, deadline - self.loop.time()))
        except TimeoutError:
            logger.warning("%s took longer than %.0f s and was cut", what, self.timeout)
            return False
        except Exception:
            logger.exception("%s failed", what)
        return True


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


def leave(code: int) -> None:
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)
