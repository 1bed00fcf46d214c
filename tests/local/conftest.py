"""Checkouts of their own for the launcher: real servers, real signals, nothing left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from csms.local import homes, processes
from tests.servers import until


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """No servers from the environment: the launcher finds and starts its own."""
    for name in ("DATABASE_URL", "REDIS_URL", "CSMS_MODE", "CSMS_SERVICES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make_checkout() -> Iterator[Callable[[], Path]]:
    """Makes empty folders to stand for checkouts, where an unprivileged user may go (pytest's own are closed to it)."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="csms-checkout-")).resolve())
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for checkout in made:
        place = checkout / ".services"
        if place.exists():
            processes.sweep(place)
            for link in place.iterdir():
                if link.is_symlink() and link.readlink().is_relative_to(homes.SYSTEM_FOLDER):
                    shutil.rmtree(link.readlink())
        shutil.rmtree(checkout)


@pytest.fixture
def checkout(make_checkout: Callable[[], Path]) -> Path:
    return make_checkout()


class Launcher:
    """`python -m csms.local ...` in a checkout and in a process group of its own, as a terminal runs it."""

    def __init__(self, checkout: Path, *argv: str, **environment: str) -> None:
        self.log = checkout / f"{'-'.join(argv)}-{os.urandom(4).hex()}.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "csms.local", *argv],
                cwd=checkout,
                env=os.environ | {"PYTHONPATH": str(settings.BASE_DIR)} | environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def says(self, text: str) -> str:
        until(lambda: text in self.output or self.process.poll() is not None)
        assert text in self.output, self.output
        return self.output

    def urls(self) -> dict[str, str]:
        """What `services` prints for the shell, once both servers answer."""
        lines = self.says("Ctrl-C stops").splitlines()
        return dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """As Ctrl-C does: to the whole foreground group. Returns the exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(60)


@pytest.fixture
def launch() -> Iterator[Callable[..., Launcher]]:
    started: list[Launcher] = []

    def start(checkout: Path, *argv: str, **environment: str) -> Launcher:
        started.append(Launcher(checkout, *argv, **environment))
        return started[-1]

    yield start
    for launcher in started:
        if launcher.process.poll() is None:
            launcher.stop(signal.SIGTERM)


def written_down(checkout: Path, name: str = "data") -> list[int]:
    """The processes (pids) that stand in a claim of this checkout."""
    lines = (checkout / ".services" / f"{name}.claim").read_text().splitlines()
    return [json.loads(line)["pid"] for line in lines]


def gone(pids: list[int]) -> bool:
    return not any(map(processes.birth, pids))
