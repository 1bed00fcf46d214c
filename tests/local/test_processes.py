"""Claims: who holds one lives, and what a killed holder started is ended by the next."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from csms.local.processes import Claim, birth, sweep
from tests.local.conftest import gone, written_down
from tests.servers import until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
#: Ignores SIGTERM, as a stuck process does, and has a child in its group; tells when it is ready.
STUCK = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
HOLDER = """
import sys, time
from pathlib import Path
from csms.local.processes import Claim
claim = Claim(Path(sys.argv[1]))
assert claim.take()
claim.start([sys.executable, "-c", "import time; time.sleep(600)"])
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / ".services").mkdir()
    return tmp_path / ".services"


def test_a_claim_has_one_holder(place: Path) -> None:
    with Claim(place / "data.claim") as first, Claim(place / "data.claim") as second:
        assert first.take()
        assert not second.take()


def test_a_claim_ends_what_was_started_under_it(place: Path) -> None:
    with Claim(place / "data.claim") as claim:
        claim.take()
        process = claim.start(SLEEP)
        assert written_down(place.parent) == [process.pid]
    assert process.returncode == -signal.SIGTERM
    assert written_down(place.parent) == []


def test_a_stuck_process_is_killed_with_its_children(place: Path) -> None:
    with Claim(place / "data.claim") as claim:
        claim.take()
        process = claim.start([sys.executable, "-c", STUCK], stdout=subprocess.PIPE)
        assert process.stdout
        child = int(process.stdout.readline())
        claim.end(grace_s=0.1)
        assert process.returncode == -signal.SIGKILL
        until(lambda: gone([child]))


def test_what_a_killed_holder_left_is_ended_by_the_next(place: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, place / "data.claim"], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"ready\n"
    pids = written_down(place.parent)
    sweep(place)
    assert not gone(pids), "its holder lives: nobody may touch it"
    holder.kill()
    holder.wait()
    assert not gone(pids)
    sweep(place)
    assert gone(pids)


def test_a_number_since_given_to_another_process_is_left_alone(place: Path) -> None:
    with subprocess.Popen(SLEEP) as stranger:
        path = place / "data.claim"
        path.write_text(f'{{"path": "{path}", "pid": {stranger.pid}, "birth": "1", "stop_with": 15}}\n')
        sweep(place)
        assert birth(stranger.pid)
        stranger.kill()


def test_the_list_of_a_copied_checkout_is_left_alone(place: Path) -> None:
    with subprocess.Popen(SLEEP, start_new_session=True) as theirs:
        entry = f'{{"path": "/elsewhere/data.claim", "pid": {theirs.pid}, "birth": "{birth(theirs.pid)}", "stop_with": 15}}\n'
        (place / "data.claim").write_text(entry)
        sweep(place)
        assert birth(theirs.pid)
        theirs.kill()


def test_a_line_cut_short_by_a_kill_is_passed_over(place: Path) -> None:
    (place / "data.claim").write_text('{"path": "/x", "pi')
    with Claim(place / "data.claim") as claim:
        assert claim.take()


def test_a_process_is_told_from_a_later_one_by_its_birth() -> None:
    assert birth(os.getpid()) == birth(os.getpid()) != ""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as brief:
        pass
    assert birth(brief.pid) == ""
