"""Real server processes on both servers, and what a test wants of them."""

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 20


def until(condition: Callable[[], Any]) -> Any:
    """Polls until the condition holds, and returns what it gave."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
    return value


async def settled(value: Callable[[], Any]) -> Any:
    """The value once it has stopped changing: how one sees that somebody is held up."""
    before, now = None, value()
    while now != before or not now:
        await asyncio.sleep(0.3)
        before, now = now, value()
    return now


class Running:
    """A server process and its address."""

    def __init__(self, name: str, errors: Path, *options: str, module: str = "tests.server.serve", **environment: str) -> None:
        self.name, self.errors = name, errors
        command = [sys.executable, "-m", module, "--server", name, "--port", "0", *options]
        with errors.open("w") as stderr:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        assert self.process.stdout
        self.line = self.process.stdout.readline().strip()
        found = re.fullmatch(rf"csms: {name} listening on http://127\.0\.0\.1:(\d+) \(pid {self.process.pid}\)", self.line)
        assert found, f"{self.line!r} {errors.read_text()}"
        self.port = int(found[1])

    def connect(self, path: str, **options: Any) -> connect:
        options.setdefault("compression", None)
        return connect(f"ws://127.0.0.1:{self.port}{path}", proxy=None, **options)

    def get(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("POST" if body is not None else "GET", path, body, headers)
            response = connection.getresponse()
            content = response.read()
            is_json = response.headers.get("content-type") == "application/json"
            return response.status, json.loads(content) if is_json else content
        finally:
            connection.close()

    def seen(self, key: str) -> Any:
        return self.get("/seen")[1][key]

    def raw(self, request: str) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        sock.sendall(request.replace("\n", "\r\n").encode())
        return sock

    def upgraded(self, path: str, *, receive_buffer: int | None = None, extension: str = "") -> socket.socket:
        """A raw socket that has shaken hands, for peers that behave badly from there on."""
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(PATIENCE_S)
        sock.connect(("127.0.0.1", self.port))
        request = HANDSHAKE.format(path=path)
        if extension:
            request = request.replace("Upgrade\n", f"Upgrade\nSec-WebSocket-Extensions: {extension}\n", 1)
        sock.sendall(request.replace("\n", "\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        assert head.startswith(b"HTTP/1.1 101"), head
        return sock

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


HANDSHAKE = """GET {path} HTTP/1.1
Host: 127.0.0.1
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

"""


@pytest.fixture(params=["daphne", "uvicorn"], scope="session")
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def shared(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all tests that leave it as they found it; at the end it must have logged no traceback but the planned ones."""
    running = Running(name, tmp_path_factory.mktemp(name) / "errors")
    yield running
    running.signal()
    code = running.ended()
    running.kill()
    errors = running.errors.read_text()
    assert code == 0, errors
    assert errors.count("Traceback") == errors.count("RuntimeError: a bug in a"), errors


@pytest.fixture
def start(name: str, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts a server of the test's own."""
    all_running: list[Running] = []

    def start(*options: str, **environment: str) -> Running:
        all_running.append(Running(name, tmp_path / f"errors{len(all_running)}", *options, **environment))
        return all_running[-1]

    yield start
    for running in all_running:
        running.kill()


async def ended_by_peer(peer: ClientConnection) -> tuple[int | None, str | None]:
    await peer.wait_closed()
    return peer.close_code, peer.close_reason
