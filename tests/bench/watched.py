"""What it costs the stations that people look on: 2,000 stations in motion, with and without 20 open walls."""

import contextlib
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator

from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts.models import User
from tests.bench.bench import Bench, Figure, csms
from tests.bench.subjects import Subject

STATIONS, PAGES = 2_000, 20


def measure(bench: Bench) -> None:
    fleet = bench.fleet("WATCHED", STATIONS)
    for server in ("uvicorn", "daphne"):
        alone, watched = [], []
        with bench.running(csms(server)) as subject:
            for _ in range(max(bench.options.rounds, 2)):
                alone.append(bench.drive(subject, fleet))
                with watching(bench, subject, pages=PAGES):
                    watched.append(bench.drive(subject, fleet))
        rates = [statistics.median(one.messages / one.seconds for one in rounds) for rounds in (alone, watched)]
        bench.details.setdefault("watched", {})[server] = {"messages_per_s": [round(rate) for rate in rates]}
        cost = round(100 * (1 - rates[1] / rates[0]), 1)
        bench.figures.append(Figure(f"{server}: {PAGES} open walls cost the stations", cost, "%", "<=", 15, 5))


@contextlib.contextmanager
def watching(bench: Bench, subject: Subject, *, pages: int) -> Iterator[None]:
    """That many people of the operator look at the wall meanwhile."""
    plan = {"url": f"ws://127.0.0.1:{subject.port}/live/", "cookies": [_log_in(bench) for _ in range(pages)]}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.browsers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(plan) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "open\n":
            raise SystemExit("The pages that were to watch could not be opened; what they said stands above.")
        yield
    finally:
        process.stdin.close()
        process.wait(30)


def _log_in(bench: Bench) -> str:
    number = User.objects.count()
    user = User.objects.create(
        email=f"watcher-{number}@amber.example", operator=bench.operator, role="viewer", password=make_password(None)
    )
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value
