"""The command line of a server, for whatever application `load` brings."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from csms.metrics import board
from csms.server import serve
from csms.server.common import BACKLOG, Application, Drain, Limits
from csms.server.supervisor import supervise


class Loaded(NamedTuple):
    """`serving` is called on the event loop once connections are accepted."""

    application: Application
    drain: Drain
    limits: Limits
    serving: Callable[[], None] = lambda: None


def main(load: Callable[[], Loaded], module: str, arguments: Sequence[str] | None = None) -> None:
    """Listens, then serves in this process or, with `--processes`, in several that run `module` on the same socket."""
    options = parse(module, arguments)
    sock = socket.socket(fileno=options.fd) if options.fd is not None else listen(options.host, options.port)
    line = f"csms: {options.server} listening on {url(sock)} (pid {os.getpid()})"
    if options.processes > 1:
        command = [sys.executable, "-m", module, "--server", options.server, "--drain-timeout", str(options.drain_timeout)]
        sys.exit(supervise(command, sock, options.processes, options.drain_timeout, lambda: print(line, flush=True)))

    if options.board_fd is not None:
        board.attach(options.board_fd, options.number)
    parent = socket.socket(fileno=options.parent_fd) if options.parent_fd is not None else None
    # A parent may have blocked or ignored what we must obey.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    if options.server == "daphne":
        # First: whatever the application imports may ask Twisted for a reactor, and it must find this one.
        from csms.server import on_daphne  # noqa: F401
    application, drain, limits, serving = load()

    def ready() -> None:
        serving()
        if parent:
            parent.sendall(b".")
        else:
            print(line, flush=True)

    serve(
        application,
        server=options.server,
        sock=sock,
        drain=drain,
        drain_timeout=options.drain_timeout,
        limits=limits,
        ready=ready,
        parent=parent,
    )


def parse(module: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description="Serves web pages, the API and OCPP.")
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one (default: 8000)")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--drain-timeout", type=float, default=25.0, metavar="S", help="seconds to end in (default: 25)")
    parser.add_argument("--fd", type=int, help="serve on this listening socket instead of --host and --port")
    for name in ("--parent-fd", "--board-fd", "--number"):
        parser.add_argument(name, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.processes < 1:
        parser.error("--processes must be at least 1")
    return options


def listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        sys.exit(f"csms: cannot listen on {host} port {port}: {error}. Is another server running? PORT= and HOST= choose others.")
    sock.setblocking(False)
    return sock


def url(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
