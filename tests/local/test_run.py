"""`make run` up to the point where the product begins; all of it, in a fresh clone, is in test_fresh_clone.py."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from csms.local import run
from csms.local.__main__ import port_number
from csms.local.processes import Trouble
from tests.local.conftest import Launcher

Launch = Callable[..., Launcher]


def test_a_port_that_is_taken_is_named_with_the_way_out(checkout: Path, launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        launcher = launch(checkout, "run", "--port", str(port))
        assert launcher.process.wait(30) == 1
    assert f"Port {port} of 127.0.0.1 is taken by another program. Choose another: make run PORT={port + 1}" in launcher.output


@pytest.mark.parametrize("port", ["http", "0", "70000", ""])
def test_a_port_that_is_none_is_named(port: str) -> None:
    with pytest.raises(Trouble, match=f'PORT is "{port}". It must be a number from 1 to 65535'):
        port_number(port)


def test_what_is_wrong_is_said_in_a_sentence(checkout: Path, launch: Launch) -> None:
    launcher = launch(checkout, "run", "--port", "http")
    assert launcher.process.wait(30) == 1
    assert launcher.output.strip() == 'PORT is "http". It must be a number from 1 to 65535, such as 8000.'


def test_the_procfile_names_the_processes() -> None:
    assert list(run.procfile(settings.BASE_DIR)) == ["web", "worker", "beat", "forward", "simulator"]


@pytest.mark.long
def test_a_process_that_ends_by_itself_ends_the_run_and_is_named(checkout: Path, launch: Launch) -> None:
    (checkout / "manage.py").write_text("")  # migrates at once
    (checkout / "Procfile").write_text("web: sleep 600\nworker: sh -c 'echo out of paper; exit 3'\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    launcher = launch(checkout, "run", "--port", str(port), "--demo", "0")
    assert launcher.process.wait(60) == 1
    assert "worker | out of paper" in launcher.output
    assert "The worker process ended by itself (code 3)" in launcher.output


@pytest.mark.long
def test_a_command_that_fails_stops_the_start_with_its_words(checkout: Path, launch: Launch) -> None:
    (checkout / "manage.py").write_text("import sys; sys.exit('the disk is full')")
    shutil.copy(settings.BASE_DIR / "Procfile", checkout)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    launcher = launch(checkout, "run", "--port", str(port))
    assert launcher.process.wait(60) == 1
    assert "the disk is full" in launcher.output
    assert "manage.py migrate failed" in launcher.output


def test_the_box_shows_the_address_the_logins_and_the_ocpp_url() -> None:
    box = run.welcome(8123, "Ada (owner): ada@amber.example / secret\n")
    assert "http://127.0.0.1:8123 " in box
    assert "Ada (owner): ada@amber.example / secret" in box
    assert "ws://127.0.0.1:8123/ocpp/<identity>" in box
    assert len({len(line) for line in box.strip().splitlines()}) == 1
