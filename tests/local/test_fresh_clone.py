"""What a stranger does: clone, `make run`, look at the page, Ctrl-C; as root and as a plain user, on either source of servers."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from ocpp.v16 import ChargePoint, call
from websockets.asyncio.client import connect

from csms.local import homes
from tests.peer import basic
from tests.servers import until

pytestmark = pytest.mark.long

ROOT = os.geteuid() == 0
PATIENCE_S = 600  # downloads are most of it


class Clone:
    """A fresh clone of this repository that belongs to one user, and the commands that user types in it."""

    def __init__(self, user: str) -> None:
        self.account = pwd.getpwnam(user)
        self.folder = Path(tempfile.mkdtemp(prefix="csms-clone-")).resolve()
        subprocess.run(["git", "-c", "safe.directory=*", "clone", "-q", settings.BASE_DIR, self.folder / "csms"], check=True)
        if ROOT:
            subprocess.run(["chown", "-R", f"{self.account.pw_uid}:{self.account.pw_gid}", self.folder], check=True)
        self.checkout = self.folder / "csms"
        self.began = 0

    def make(self, *argv: str, **environment: str) -> "Make":
        self.began += 1
        return Make(self.checkout, self.folder / f"{self.began}.log", argv, self.environment() | environment, self.who())

    def environment(self) -> dict[str, str]:
        """Not the Python, the virtual environment and the secrets of this test run, but what the user would find."""
        path = os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if self._may_use(folder))
        inherited = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LANG", "LC_"))}
        return inherited | {"PATH": path, "HOME": str(self.folder)}

    def who(self) -> dict[str, Any]:
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []} if ROOT else {}

    def _may_use(self, folder: str) -> bool:
        return subprocess.run(["test", "-x", folder], cwd="/", check=False, **self.who()).returncode == 0

    def processes(self) -> list[str]:
        """The command lines of all that runs in, from or on this clone."""
        marks = [str(self.folder), *(str(link.readlink()) for link in self.checkout.glob(".services/*") if link.is_symlink())]
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                where = str(process.joinpath("cwd").readlink())
            except OSError:
                continue
            if any(mark in line or where.startswith(mark) for mark in marks):
                found.append(line)
        return found

    def manage(self, *argv: str) -> list[str]:
        """`manage.py` in the clone, by the clone's own user; the lines it prints."""
        command = [str(self.checkout / ".venv/bin/python"), "manage.py", *argv]
        done = subprocess.run(
            command, cwd=self.checkout, env=self.environment(), check=True, capture_output=True, text=True, timeout=60, **self.who()
        )
        return done.stdout.splitlines()

    def remove(self) -> None:
        for link in self.checkout.glob(".services/*"):
            if link.is_symlink() and link.readlink().is_relative_to(homes.SYSTEM_FOLDER):
                shutil.rmtree(link.readlink())
        shutil.rmtree(self.folder)


class Make:
    """A `make` in a process group of its own, as a terminal has it."""

    def __init__(self, checkout: Path, log: Path, argv: tuple[str, ...], environment: dict[str, str], who: dict[str, Any]) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                ["make", *argv], cwd=checkout, env=environment, stdout=out, stderr=out, start_new_session=True, **who
            )

    def says(self, text: str) -> str:
        until(lambda: text in self.log.read_text() or self.process.poll() is not None, patience_s=PATIENCE_S)
        assert text in self.log.read_text(), self.log.read_text()
        return self.log.read_text()

    def ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)


def python_for(user: str) -> bool:
    """Whether this user finds a Python of 3.11 or newer with venv outside of any virtual environment."""
    account = pwd.getpwnam(user)
    who: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if ROOT else {}
    script = "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))"
    return (
        subprocess.run(["/usr/bin/env", "PATH=/usr/bin:/bin", "python3", "-c", script], cwd="/", check=False, **who).returncode == 0
    )


@pytest.fixture(params=["root", "nobody"] if ROOT else [pwd.getpwuid(os.geteuid()).pw_name])
def clone(request: pytest.FixtureRequest) -> Iterator[Clone]:
    if request.param == "nobody" and not python_for("nobody"):
        pytest.skip("no Python 3.11 or newer that a plain user may run")
    clone = Clone(request.param)
    yield clone
    clone.remove()


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  (a page of our own)
        return str(answer.read().decode())


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.mark.parametrize("source", ["", "package"], ids=["servers of the system if any", "servers of the package index"])
def test_make_run_in_a_fresh_clone_shows_the_page_and_ctrl_c_leaves_nothing(clone: Clone, source: str, port: int) -> None:
    for time_ in ("first", "second"):
        began = time.monotonic()
        make = clone.make("run", f"PORT={port}", CSMS_SERVICES=source)
        said = make.says("Ctrl-C stops all of it.")
        print(
            f"make run, the {time_} time: {time.monotonic() - began:.0f} s (user {clone.account.pw_name}, source {source or 'any'})"
        )
        assert f"http://127.0.0.1:{port}" in said
        assert "<form" in page(f"http://127.0.0.1:{port}/"), "the login"
        make.says("connected")  # a simulated station
        assert len(clone.processes()) > 5
        if time_ == "second":
            a_foreign_client_charges(clone, port)
        make.ctrl_c()
        until(lambda: not clone.processes(), patience_s=20)


def a_foreign_client_charges(clone: Clone, port: int) -> None:
    """As a stranger would: a station, a card and a key from the shell, the `ocpp` package's client, the price from the API."""
    password = clone.manage("station", "add", "STRANGER-1")[-1]
    clone.manage("idtag", "add", "STRANGERS-CARD")
    key = clone.manage("apikey", "create", "--user", "ada@amber.example")[-1]
    asyncio.run(charge(f"ws://127.0.0.1:{port}/ocpp/STRANGER-1", password))

    def priced() -> dict[str, Any] | None:
        address = f"http://127.0.0.1:{port}/api/v1/transactions/?station=STRANGER-1"
        request = urllib.request.Request(address, headers={"Authorization": f"Api-Key {key}"})
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  (our own)
            (transaction,) = json.load(answer)["results"]
        return transaction if transaction["cost"] else None

    transaction = until(priced, patience_s=60)
    assert (transaction["status"], transaction["energy_wh"]) == ("ended", 5000)
    # 5 kWh at 0.39, half an hour at 0.02 a minute, 0.50 a session, and 19 percent tax.
    assert transaction["cost"]["total_incl_tax"] == "3.63"


async def charge(url: str, password: str) -> None:
    identity = url.rpartition("/")[2]
    async with connect(url, subprotocols=["ocpp1.6"], additional_headers=basic(identity, password), proxy=None) as socket:
        client = ChargePoint(identity, socket)
        listening = asyncio.create_task(client.start())
        await client.call(call.BootNotification(charge_point_vendor="Foreign", charge_point_model="Client"))
        await client.call(call.Authorize(id_tag="STRANGERS-CARD"))
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
        at = [(began + timedelta(minutes=15 * step)).isoformat() for step in range(3)]
        started = await client.call(
            call.StartTransaction(connector_id=1, id_tag="STRANGERS-CARD", meter_start=100, timestamp=at[0])
        )
        value = {"timestamp": at[1], "sampled_value": [{"value": "2600", "unit": "Wh"}]}
        await client.call(call.MeterValues(connector_id=1, transaction_id=started.transaction_id, meter_value=[value]))
        await client.call(call.StopTransaction(transaction_id=started.transaction_id, meter_stop=5100, timestamp=at[2]))
        listening.cancel()


def test_a_killed_make_run_is_cleared_up_by_the_next(clone: Clone, port: int) -> None:
    make = clone.make("run", f"PORT={port}")
    make.says("Ctrl-C stops all of it.")
    os.killpg(make.process.pid, signal.SIGKILL)
    make.process.wait()
    assert clone.processes(), "the processes outlive a kill -9"
    again = clone.make("run", f"PORT={port}")
    again.says("Ctrl-C stops all of it.")
    again.ctrl_c()
    until(lambda: not clone.processes(), patience_s=20)


def test_make_test_runs_in_a_fresh_clone(clone: Clone) -> None:
    make = clone.make("test", "ARGS=tests/billing/test_money.py")
    said = make.says("The tests took")
    assert make.process.wait(60) == 0, said
    assert " on PostgreSQL " in said
    assert ", Redis " in said
    assert not clone.processes()
