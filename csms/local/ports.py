"""TCP ports of 127.0.0.1, and starting a server on one."""

import signal
import socket
import subprocess
from collections.abc import Callable
from functools import partial

from csms.local.homes import Home
from csms.local.processes import Claim, Trouble, until

PATIENCE_S = 60  # recovery after a crash takes its time


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _settled(process: subprocess.Popen[bytes], answers: Callable[[int], bool], port: int) -> bool:
    return process.poll() is not None or answers(port)


def start_on_a_port(
    claim: Claim,
    home: Home,
    name: str,
    command: Callable[[int], list[str]],
    answers: Callable[[int], bool],
    *,
    port: int | None,
    stop_with: signal.Signals = signal.SIGTERM,
) -> int:
    """Start a server and wait until it answers; on `port` if that is free, else, or if somebody is quicker, on another."""
    log = home.folder / f"{name}.log"
    for _ in range(3):
        if port is None or not is_free(port):
            port = free_port()
        chosen = port
        with log.open("wb") as out:
            process = claim.start(command(chosen), stop_with=stop_with, stdout=out, stderr=out, **home.popen())
        if until(partial(_settled, process, answers, chosen), PATIENCE_S) and process.poll() is None:
            return chosen
        if process.poll() is None:
            break  # it runs and does not let us in: another port changes nothing
        port = None
    raise Trouble(f"{name} does not start. It said (in {log}):\n{log.read_text(errors='replace')[-2000:]}")
