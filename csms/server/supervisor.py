"""Several server processes behind one listening socket: a parent that starts, restarts and ends them, and serves nothing."""

import asyncio
import contextlib
import logging
import logging.config
import signal
import socket
from collections.abc import Callable, Sequence

from django.conf import settings

from csms.metrics import board

logger = logging.getLogger("csms.server")

#: A process that lived this long may be restarted at once; one that dies sooner waits, twice as long each time.
STEADY_S, FIRST_WAIT_S, LONGEST_WAIT_S = 10.0, 0.5, 30.0
#: Beyond the drain's time, before a process that does not end is killed.
PATIENCE_S = 10.0


def supervise(command: Sequence[str], sock: socket.socket, count: int, drain_timeout: float, ready: Callable[[], None]) -> int:
    """Runs `count` processes of `command` until SIGTERM or SIGINT.

    `ready` is called once all of them serve. Returns the exit code.
    """
    logging.config.dictConfig(settings.LOGGING)
    return asyncio.run(Supervisor(command, sock, count, drain_timeout, ready).run())


class Supervisor:
    def __init__(
        self, command: Sequence[str], sock: socket.socket, count: int, drain_timeout: float, ready: Callable[[], None]
    ) -> None:
        self.command, self.sock, self.count, self.drain_timeout, self.ready = command, sock, count, drain_timeout, ready
        self.running: set[asyncio.subprocess.Process] = set()
        self.serving: set[int] = set()  # numbers of those that have served
        self.stopping = asyncio.Event()
        self.code = 0
        self.board_file, self.board = board.create(count)

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, number)
        keepers = [loop.create_task(self.keep(number)) for number in range(self.count)]
        await self.stopping.wait()
        # Whoever dials now is refused by the kernel, instead of waiting for a process that will not come.
        self.sock.close()
        _, late = await asyncio.wait(keepers, timeout=self.drain_timeout + PATIENCE_S)
        if late:
            logger.error("%d processes did not end in time and are killed", len(late))
            self.signal_all(signal.SIGKILL)
            await asyncio.wait(late)
        return self.code

    def stop(self, number: int) -> None:
        """The first signal lets them drain, another ends them at once, as they see it themselves."""
        self.stopping.set()
        self.signal_all(number)

    def signal_all(self, number: int) -> None:
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    async def keep(self, number: int) -> None:
        loop, wait = asyncio.get_running_loop(), FIRST_WAIT_S
        while not self.stopping.is_set():
            started = loop.time()
            code = await self.run_one(number)
            if self.stopping.is_set():
                return
            if number not in self.serving:
                # It never served: its own words say why, and the next try would fail as well.
                self.code = code or 1
                self.stop(signal.SIGTERM)
                return
            wait = FIRST_WAIT_S if loop.time() - started > STEADY_S else min(wait * 2, LONGEST_WAIT_S)
            logger.error("process %d ended with code %s; another starts in %.1f s", number, code, wait)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), wait)

    async def run_one(self, number: int) -> int:
        """One process, from start to end. It writes to `theirs` when it serves, and reads end-of-file there when we die."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with ours, theirs:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                *("--fd", str(self.sock.fileno()), "--parent-fd", str(theirs.fileno())),
                *("--board-fd", str(self.board_file.fileno()), "--number", str(number)),
                pass_fds=(self.sock.fileno(), theirs.fileno(), self.board_file.fileno()),
                # Ctrl-C reaches a whole process group: they must hear it once, from us, not twice.
                start_new_session=True,
            )
            theirs.close()
            self.running.add(process)
            if self.stopping.is_set():
                process.terminate()
            with contextlib.suppress(OSError):
                if await asyncio.get_running_loop().sock_recv(ours, 1):
                    self.served(number)
            try:
                return await process.wait()
            finally:
                self.running.discard(process)
                self.board.clear(number)

    def served(self, number: int) -> None:
        before = len(self.serving)
        self.serving.add(number)
        if before < len(self.serving) == self.count and not self.stopping.is_set():
            self.ready()
