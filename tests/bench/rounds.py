"""A run of the bench.

1. The bench's database gets the migrations, a tariff, id tags and stations.
2. One process of each server is started, and all of them are kept.
3. In each round, one server after the other gets the load: so a slow minute of the machine slows all of them.
4. What was acknowledged is compared with the tables; then the figures.
"""

import argparse
import json
import os
import subprocess
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from accounts.models import Operator  # noqa: E402
from tests.bench import database, ledger, load, network, report, subjects  # noqa: E402
from tests.bench.options import parse  # noqa: E402
from tests.bench.subjects import Subject  # noqa: E402


def run(options: argparse.Namespace) -> int:
    """Returns the exit code: 1 if something acknowledged is missing or doubled."""
    url = os.environ["DATABASE_URL"]
    postmaster = database.postmaster(url)
    if postmaster is None:
        print("PostgreSQL's processes cannot be seen from here: its CPU seconds are not counted.", file=sys.stderr)
    measured: list[Subject] = []
    try:
        measured.extend(start() for start in starts(options))
        for number in range(options.rounds):
            for subject in measured:
                outcome = measure(subject, options, postmaster)
                print(f"round {number + 1}: {subject.name}: {outcome.messages / outcome.seconds:.0f} msg/s", file=sys.stderr)
    finally:
        for subject in measured:
            subject.stop()

    results = [report.figures(subject) for subject in measured]
    ours = [subject for subject in measured if subject.ours]
    wrong = [line for subject in ours for line in ledger.differences(subject.ledger)]
    found: dict[str, Any] = {
        "machine": report.machine(),
        "postgresql": database.settings(url),
        "load": {name: getattr(options, name) for name in ("stations", "rounds", "seconds", "warm_up", "rate")},
        "results": results,
        "ratios": report.ratios(results),
        "acknowledged": sum(sum(entry.acknowledged) for subject in ours for entry in subject.ledger.values()),
        "wrong": wrong,
    }
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    print(report.text(found))
    return 1 if wrong else 0


def starts(options: argparse.Namespace) -> list[Any]:
    """How to start each server that is wanted, on the tables they need."""
    call_command("migrate", verbosity=0)
    operator = Operator.objects.create(name="Amber Grid")
    network.make_tariff(operator)
    fleets = {kind: network.make_fleet(operator, f"BENCH-{kind}", stations=options.stations) for kind in ("uvicorn", "daphne")}
    tags = [tag for fleet in fleets.values() for tag in fleet.tags]
    subprocess.run([sys.executable, "-m", "tests.bench.reference_orm", *tags], check=True)
    known = {
        "csms-uvicorn": lambda: subjects.csms("uvicorn", fleets["uvicorn"]),
        "csms-daphne": lambda: subjects.csms("daphne", fleets["daphne"]),
        "orm-uvicorn": lambda: subjects.orm("uvicorn", fleets["uvicorn"]),
        "orm-daphne": lambda: subjects.orm("daphne", fleets["daphne"]),
        "echo": lambda: subjects.echo(fleets["uvicorn"]),
    }
    return [known[name] for name in options.only]


def measure(subject: Subject, options: argparse.Namespace, postmaster: int | None) -> load.Outcome:
    outcome = load.drive(
        load.Plan(
            port=subject.port,
            stations=subject.fleet.stations,
            password=network.PASSWORD,
            tags=subject.fleet.tags,
            warm_up_s=options.warm_up,
            seconds=options.seconds,
            rate=options.rate,
            server=subject.process.pid,
            postmaster=postmaster,
        )
    )
    subject.outcomes.append(outcome)
    ledger.add(subject.ledger, outcome.ledger)
    for what, count in outcome.errors.items():
        print(f"{subject.name}: {count} x {what}", file=sys.stderr)
    return outcome


if __name__ == "__main__":
    sys.exit(run(parse()))
