"""Real processes on the test database: web servers and Celery workers."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

PATIENCE_S = 60.0


def until(condition: Callable[[], Any], *, patience_s: float = PATIENCE_S) -> Any:
    """Wait until the condition holds, and return what it gave."""
    deadline = time.monotonic() + patience_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value


def environment(**more: str) -> dict[str, str]:
    """What a process needs to work on the test database."""
    url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    own = {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "CSMS_FILES_DIR": settings.FILES_DIR}
    return os.environ | own | {"CSMS_MODE": "test", "CSMS_DB_POOL": "8"} | more


class Process:
    """A child process in a group of its own, so that it and its children can be signalled together."""

    #: Where a kind of process says what goes wrong; None: where the tests do.
    stderr: IO[bytes] | None = None

    def __init__(self, *arguments: str, pipe: bool = False, **more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env=environment(**more),
            stdout=subprocess.PIPE if pipe else None,
            stderr=self.stderr,
            text=True,
            start_new_session=True,
        )

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """kill -9 for the whole group."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.kill()


class Server(Process):
    """`python -m csms.server`, on a free port unless told otherwise."""

    def __init__(self, kind: str, *options: str, port: int = 0, **more: str) -> None:
        super().__init__("-m", "csms.server", "--server", kind, "--port", str(port), *options, pipe=True, **more)
        self.kind = kind
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "listening on http://" in line, line
        self.port = int(line.split("http://", 1)[1].split(" ", 1)[0].rpartition(":")[2])

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ocpp(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp"


class Worker(Process):
    """A Celery worker for the test database. `include`: modules with tasks of the tests' own; `more`: environment."""

    def __init__(self, *include: str, **more: str) -> None:
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING")
        super().__init__(
            "-m", "celery", "-A", "csms", "worker", "-c", "1", *quiet, *(f"--include={one}" for one in include), **more
        )


class Beat(Process):
    """The beat for the test database; it keeps its file in `folder`."""

    def __init__(self, folder: Path, **more: str) -> None:
        place = ("--pidfile=", f"--schedule={folder}/beat")
        super().__init__("-m", "celery", "-A", "csms", "beat", "-l", "WARNING", *place, **more)


class Servers:
    """The servers that tests share, by kind."""

    def __init__(self) -> None:
        self.running: dict[str, Server] = {}

    def get(self, kind: str) -> Server:
        if kind not in self.running or self.running[kind].process.poll() is not None:
            self.running[kind] = Server(kind)
        return self.running[kind]

    def stop(self) -> None:
        for running in self.running.values():
            running.stop()
