"""What all measurements share: the operator, fleets of stations, servers, and the ledger of what was acknowledged."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from accounts.models import Operator
from tests.bench import database, ledger, load, network, subjects
from tests.bench.network import Fleet
from tests.bench.subjects import Subject

#: What the bare echo does on two cores of the machine that the figures are meant for, in messages a second.
ECHO = 70_000


@dataclass(frozen=True)
class Figure:
    """One measured value beside what it must be and what it aims at; `limit` is "<=" or ">=", or "" where nothing is asked.

    `scaled`: what depends on the machine's speed, as it would be where the bare echo does `ECHO`.
    """

    what: str
    value: float
    unit: str
    limit: str = ""
    must: float | None = None
    aim: float | None = None
    scaled: float | None = None

    @property
    def verdict(self) -> str:
        def holds(bound: float) -> bool:
            value = self.value if self.scaled is None else self.scaled
            return value <= bound if self.limit == "<=" else value >= bound

        if self.must is None or self.aim is None:
            return ""
        return "aim" if holds(self.aim) else "must" if holds(self.must) else "missed"


@dataclass
class Bench:
    """One run. `figures`: what was measured; `details`: all that may be asked for later, by measurement."""

    options: argparse.Namespace
    operator: Operator
    postmaster: int | None
    figures: list[Figure] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    ledger: dict[str, load.Entry] = field(default_factory=dict)
    fleets: dict[str, Fleet] = field(default_factory=dict)
    speed: float | None = None

    @classmethod
    def begin(cls, options: argparse.Namespace) -> "Bench":
        postmaster = database.postmaster(os.environ["DATABASE_URL"])
        if postmaster is None:
            print("PostgreSQL's processes cannot be seen from here: its CPU seconds are not counted.", file=sys.stderr)
        operator = Operator.objects.create(name="Amber Grid")
        network.make_tariff(operator)
        return cls(options, operator, postmaster)

    def fleet(self, name: str, stations: int) -> Fleet:
        if name not in self.fleets:
            self.fleets[name] = network.make_fleet(self.operator, f"BENCH-{name}", stations=stations)
        return self.fleets[name]

    @contextlib.contextmanager
    def running(self, start: Callable[[], Subject]) -> Iterator[Subject]:
        subject = start()
        try:
            yield subject
        finally:
            subject.stop()

    def drive(self, subject: Subject, fleet: Fleet, *, ours: bool = True, **plan: Any) -> load.Outcome:
        """Let the stations of a fleet talk to a server; what `ours` acknowledges goes into the ledger."""
        options = self.options
        known: dict[str, Any] = {
            "port": subject.port,
            "stations": fleet.stations,
            "password": network.PASSWORD,
            "tags": fleet.tags,
            "warm_up_s": options.warm_up,
            "seconds": options.seconds,
            "servers": subject.pids(),
            "postmaster": self.postmaster,
        }
        outcome = load.drive(load.Plan(**known | plan))
        if ours:
            ledger.add(self.ledger, outcome.ledger)
        for what, count in outcome.errors.items():
            print(f"{subject.name}: {count} x {what}", file=sys.stderr)
        return outcome

    def scale(self) -> float:
        """How fast this machine is, as a share of the one that the figures are meant for: by the echo, measured once a run."""
        if self.speed is None:
            with self.running(subjects.echo) as bare:
                outcome = self.drive(bare, self.fleet("ECHO", 500), ours=False, seconds=5.0)
            self.speed = outcome.messages / outcome.seconds
            self.figures.append(Figure("echo, uvicorn", round(self.speed), "msg/s"))
        return self.speed / ECHO

    def took(self, what: str, value: float, unit: str, must: float, aim: float) -> None:
        """A time that was measured: on a faster machine it would be shorter."""
        self.figures.append(Figure(what, value, unit, "<=", must, aim, round(value * self.scale(), 2)))

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def csms(server: str, processes: int = 1) -> Callable[[], Subject]:
    return lambda: subjects.csms(server, processes)
