"""What is measured: servers."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import cpu

PATIENCE_S = 60.0


@dataclass
class Subject:
    """One server, of one process or of several below it."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def pids(self) -> list[int]:
        return [self.process.pid, *cpu.children(self.process.pid)]

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()


def csms(server: str, processes: int = 1) -> Subject:
    port = free_port()
    options = ["--server", server, "--port", str(port), "--processes", str(processes)]
    return _started(f"csms, {server}", port, ["-m", "csms.server", *options])


def orm(server: str) -> Subject:
    return _reference(f"ORM reference, {server}", server, "tests.bench.reference_orm:application")


def echo() -> Subject:
    return _reference("echo, uvicorn", "uvicorn", "tests.bench.reference_echo:application")


def make_reference_tables(tags: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", "tests.bench.reference_orm", *tags], check=True)


def _reference(name: str, server: str, application: str) -> Subject:
    """Stock servers, as they come, but for uvicorn's faster websockets."""
    port = free_port()
    options = ["--port", str(port), application]
    if server == "uvicorn":
        options += ["--ws", "websockets-sansio", "--lifespan", "off", "--no-access-log", "--log-level", "warning"]
    else:
        options += ["--verbosity", "0"]
    return _started(name, port, ["-m", server, *options])


def _started(name: str, port: int, arguments: Sequence[str]) -> Subject:
    process = subprocess.Popen([sys.executable, *arguments], env=os.environ)
    deadline = time.monotonic() + PATIENCE_S
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise SystemExit(f"{name} did not start; what it said stands above.")
        time.sleep(0.1)
    return Subject(name, port, process)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
