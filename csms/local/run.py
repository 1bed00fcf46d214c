"""`make run`: the whole system in the foreground, from nothing."""

import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from itertools import cycle
from pathlib import Path
from typing import Any

from csms.local import services
from csms.local.ports import is_free
from csms.local.processes import Claim, Stopped, Trouble, call, pause, say, sweep

COLOURS = cycle(("36", "33", "32", "35"))
START_S = 120


def run(checkout: Path, *, port: int, demo: bool) -> int:
    """Start everything, say where it is, and wait.

    1. End what a killed run left behind, and see whether the port is free.
    2. Start the servers, migrate, load the demo network.
    3. Start the processes of the Procfile (the simulated stations only with the demo), and print where they are once they answer.
    4. At Ctrl-C, SIGTERM, or when one of them ends, stop all.
    """
    place = services.folder(checkout)
    sweep(place)
    if not is_free(port):
        raise Trouble(f"Port {port} of 127.0.0.1 is taken by another program. Choose another: make run PORT={port + 1}")
    say("Starting PostgreSQL and Redis ...")
    with services.for_running(checkout) as urls, Claim(place / f"run-{port}.claim") as claim:
        if not claim.take():
            raise Trouble(
                f"Another make run of this checkout is about to use port {port}. Choose another: make run PORT={port + 1}"
            )
        # The programs of the virtual environment come first for the Procfile's lines.
        path = os.pathsep.join((str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)))
        environment = os.environ | urls | {"CSMS_MODE": "run", "PORT": str(port), "PATH": path, "PYTHONUNBUFFERED": "1"}
        say("Preparing the database ...")
        manage(checkout, environment, "migrate", "--verbosity", "0")
        logins = manage(checkout, environment, "demo", quiet=True) if demo else ""
        lines = {name: line for name, line in procfile(checkout).items() if demo or name != "simulator"}
        width = max(map(len, lines))
        processes = {}
        for name, line in lines.items():
            options: dict[str, Any] = {"cwd": checkout, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            processes[name] = claim.start(["/bin/sh", "-c", f"exec {line}"], **options)
            threading.Thread(target=relay, args=(processes[name], name.ljust(width), next(COLOURS)), daemon=True).start()
        try:
            watch(processes, port, welcome(port, logins))
        except Stopped:
            say("\nStopping ...")
        else:
            return 1
    return 0


def manage(checkout: Path, environment: dict[str, str], *argv: str, quiet: bool = False) -> str:
    """Run a `manage.py` command; returns what it printed, if `quiet`."""
    output = checkout / ".services" / "output.txt"
    with output.open("wb") as out:
        code = call([sys.executable, "manage.py", *argv], cwd=checkout, env=environment, stdout=out if quiet else None)
    printed = output.read_text()
    output.unlink()
    if code != 0:
        raise Trouble(f"{printed}manage.py {argv[0]} failed (see above).")
    return printed


def procfile(checkout: Path) -> dict[str, str]:
    """Name to command line of each process."""
    return dict(re.findall(r"^(\w+):\s*(.+)$", (checkout / "Procfile").read_text(), re.MULTILINE))


def relay(process: subprocess.Popen[bytes], name: str, colour: str) -> None:
    """Print what a process says, with its name before each line."""
    label = f"\x1b[{colour}m{name} |\x1b[0m" if sys.stdout.isatty() else f"{name} |"
    for line in process.stdout or ():
        say(f"{label} {line.decode(errors='replace').rstrip()}")


def watch(processes: dict[str, subprocess.Popen[bytes]], port: int, greeting: str) -> None:
    """Print the greeting once the web process answers, then wait until a process ends (a failure) or we are stopped."""
    waited, greeted = 0.0, False
    while True:
        for name, process in processes.items():
            if process.poll() is not None:
                say(f"The {name} process ended by itself (code {process.returncode}); see its last lines. Stopping ...")
                return
        if not greeted and (greeted := healthy(port)):
            say(greeting)
        waited += 0.2
        if not greeted and waited > START_S:
            say(f"http://127.0.0.1:{port}/healthz does not answer after {START_S} s. Stopping ...")
            return
        pause(0.2)


def healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def welcome(port: int, logins: str) -> str:
    """The box with the address, the logins and the OCPP URL."""
    lines = [f"The charging network is running:  http://127.0.0.1:{port}", ""]
    lines += [*logins.strip().splitlines(), ""] if logins.strip() else []
    lines += [f"Stations dial in at ws://127.0.0.1:{port}/ocpp/<identity>", "Ctrl-C stops all of it."]
    width = max(map(len, lines))
    bar = "─" * (width + 2)
    return "\n".join(("", f"┌{bar}┐", *(f"│ {line.ljust(width)} │" for line in lines), f"└{bar}┘", ""))
