"""What is measured: server processes, started one after the other and kept for all rounds."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.load import Entry, Outcome
from tests.bench.network import Fleet

PATIENCE_S = 60.0


@dataclass
class Subject:
    """One server process and what came of it. `ours`: its tables are held against the ledger."""

    name: str
    fleet: Fleet
    port: int
    process: subprocess.Popen[bytes]
    ours: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    ledger: dict[str, Entry] = field(default_factory=dict)

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()


def csms(server: str, fleet: Fleet) -> Subject:
    port = free_port()
    return _started(f"csms, {server}", fleet, port, ["-m", "csms.server", "--server", server, "--port", str(port)], ours=True)


def orm(server: str, fleet: Fleet) -> Subject:
    return _reference(f"ORM reference, {server}", server, "tests.bench.reference_orm:application", fleet)


def echo(fleet: Fleet) -> Subject:
    return _reference("echo, uvicorn", "uvicorn", "tests.bench.reference_echo:application", fleet)


def _reference(name: str, server: str, application: str, fleet: Fleet) -> Subject:
    """Stock servers, as they come, but for uvicorn's faster websockets."""
    port = free_port()
    options = ["--port", str(port), application]
    if server == "uvicorn":
        options += ["--ws", "websockets-sansio", "--lifespan", "off", "--no-access-log", "--log-level", "warning"]
    else:
        options += ["--verbosity", "0"]
    return _started(name, fleet, port, ["-m", server, *options])


def _started(name: str, fleet: Fleet, port: int, arguments: Sequence[str], *, ours: bool = False) -> Subject:
    process = subprocess.Popen([sys.executable, *arguments], env=os.environ)
    deadline = time.monotonic() + PATIENCE_S
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise SystemExit(f"{name} did not start; what it said stands above.")
        time.sleep(0.1)
    return Subject(name, fleet, port, process, ours)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
