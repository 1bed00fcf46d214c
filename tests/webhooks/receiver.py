"""A program that is told: well, slow, dead, or lying, as a test wants it."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Call:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found


Behaviour = Callable[[BaseHTTPRequestHandler, Call], None]


def answer(code: int, body: bytes = b"", **headers: str) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler, call: Call) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hang_up(handler: BaseHTTPRequestHandler, call: Call) -> None:
    """Ends the connection in the middle of the answer's first line."""
    handler.wfile.write(b"HTTP/1.1 2")
    handler.close_connection = True


def huge(handler: BaseHTTPRequestHandler, call: Call) -> None:
    """Takes it, and never stops talking."""
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    while True:
        handler.wfile.write(b"x" * 65_536)


def drip(handler: BaseHTTPRequestHandler, call: Call) -> None:
    """An answer that never comes to its end, though something comes all the time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    handler.close_connection = True
    while True:
        handler.wfile.write(b"X")
        handler.wfile.flush()
        time.sleep(0.05)


@contextmanager
def handshakes_that_drip() -> Iterator[str]:
    """The address of one that speaks TLS, and never comes to the end of its first word."""
    ended = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            line, _ = listener.accept()
            with line:
                line.sendall(b"\x16\x03\x03\x40\x00")
                while not ended.wait(0.05):
                    line.sendall(b"\x02")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/hook"
        ended.set()


@dataclass
class Receiver:
    """`calls` is what came, whatever was answered; `taken` what was answered with 2xx."""

    url: str
    behaviour: Behaviour
    calls: list[Call] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)
    at_once: int = 0
    most_at_once: int = 0

    def slow(self, handler: BaseHTTPRequestHandler, call: Call) -> None:
        """Answers when the test releases it."""
        self.released.wait(60)
        answer(200)(handler, call)

    def ids(self) -> list[str]:
        return [call.headers["Webhook-Id"] for call in list(self.calls)]


@contextmanager
def receiver(behaviour: Behaviour | None = None, port: int = 0) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            call = Call(self.path, dict(self.headers), body)
            with found.lock:
                found.calls.append(call)
                found.at_once += 1
                found.most_at_once = max(found.most_at_once, found.at_once)
            try:
                found.behaviour(self, call)
            except OSError:
                self.close_connection = True
            finally:
                with found.lock:
                    found.at_once -= 1

        def log_message(self, *args: Any) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 100

        def handle_error(self, *args: Any) -> None: ...

    server = Server(("127.0.0.1", port), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_port}/hook", behaviour or answer(200, b"thanks"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.released.set()
        server.shutdown()
        server.server_close()
