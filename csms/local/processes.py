"""Starts processes, ends them, and ends those that a killed run left behind.

Signals only set a flag: code that waits looks at it through `pause` and raises `Stopped` there, so that nothing is ever
interrupted between starting a process and writing it down.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Self

_stop = threading.Event()
_parent = os.getppid()


class Stopped(Exception):
    """Somebody pressed Ctrl-C, sent SIGTERM, or killed the `make` that started us."""


class Trouble(Exception):
    """Something a person must put right; the text says what and how."""


def say(text: str) -> None:
    print(text, flush=True)


def listen() -> None:
    """From now on Ctrl-C, SIGTERM and a closed terminal stop us in order."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: _stop.set())


def pause(seconds: float) -> None:
    """Wait. Raises Stopped as soon as we are asked to stop, or when whoever started us is gone (kill -9 of make)."""
    if _stop.wait(seconds) or os.getppid() != _parent:
        raise Stopped


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds; False when it did not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause(0.05)
    return True


def call(argv: list[str], **options: Any) -> int:
    """Run a command in the foreground and return its exit code; when we are asked to stop, it is interrupted first."""
    process = subprocess.Popen(argv, **options)  # noqa: S603  (our own command lines)
    try:
        while process.poll() is None:
            pause(0.05)
    except Stopped:
        # A terminal's Ctrl-C has reached it already; a second one would cut its own tidying short.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
        for number, grace in ((signal.SIGINT, 5), (signal.SIGTERM, 3), (signal.SIGKILL, 3)):
            if process.poll() is not None:
                break
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace)
        raise
    return process.returncode


def birth(pid: int) -> str:
    """What tells this process from a later one with the same number; empty when there is no such process (any more)."""
    if Path("/proc/self/stat").exists():
        try:
            # The name, in parentheses, may hold spaces; after it come the state and, 20th, the start in ticks since boot.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)  # noqa: S603, S607
    return done.stdout.strip()


def group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class Claim:
    """A locked file: while it is held, its holder lives. In it stand the processes started under it.

    The lock dies with its holder however that ends, and the next holder ends what is written in the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None
        self._entries: list[dict[str, Any]] = []
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def take(self) -> bool:
        """Try to take it and end leftovers of an earlier holder. False when another process holds it."""
        file = self.path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        file.seek(0)
        for line in file:
            with contextlib.suppress(ValueError):  # its writer was killed in the middle of it
                entry = json.loads(line)
                # A copied checkout brings a copy of the original's list: those processes are not ours to end.
                if entry["path"] == str(self.path):
                    self._entries.append(entry)
        self.end()
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        if self._file:
            self._file.close()
            self._file = None

    def start(self, argv: list[str], *, stop_with: signal.Signals = signal.SIGTERM, **options: Any) -> subprocess.Popen[bytes]:
        """Start a process at the head of a group of its own, out of reach of the terminal's Ctrl-C, and write it down."""
        process = subprocess.Popen(argv, start_new_session=True, stdin=subprocess.DEVNULL, **options)  # noqa: S603
        self._children[process.pid] = process
        entry = {"path": str(self.path), "pid": process.pid, "birth": birth(process.pid), "stop_with": int(stop_with)}
        self._entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
        return process

    def end(self, grace_s: float = 8) -> None:
        """End all of it: ask each to stop, and after `grace_s` seconds kill its whole group."""
        for entry in reversed(self._entries):
            if self._alive(entry):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(entry["pid"], entry["stop_with"])
        deadline = time.monotonic() + grace_s
        while any(map(self._alive, self._entries)) and time.monotonic() < deadline:
            time.sleep(0.02)
        for entry in self._entries:
            # What a process left behind in its group goes with it. A number cannot be reused while a group bears it.
            if birth(entry["pid"]) in (entry["birth"], "") and group_lives(entry["pid"]):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(entry["pid"], signal.SIGKILL)
        for child in self._children.values():
            child.wait()
        self._entries, self._children = [], {}
        if self._file:
            self._file.truncate(0)

    def _alive(self, entry: dict[str, Any]) -> bool:
        child = self._children.get(entry["pid"])
        if child:
            return child.poll() is None
        return birth(entry["pid"]) == str(entry["birth"]) != ""


def sweep(folder: Path) -> None:
    """End what earlier, killed runs left behind: the processes of every claim nobody holds, programs before their servers."""
    for path in sorted(folder.glob("*.claim"), key=lambda path: (not path.name.startswith("run-"), path.name)):
        with Claim(path) as claim:
            claim.take()
