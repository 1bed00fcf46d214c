"""A run of the bench: the measurements that were asked for, one after the other, and the tables held against the ledger."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from tests.bench import (  # noqa: E402
    billing,
    capacity,
    commands,
    costs,
    database,
    growth,
    latency,
    ledger,
    memory,
    profile,
    ramp,
    report,
    storm,
    watched,
)
from tests.bench.bench import Bench  # noqa: E402
from tests.bench.options import parse  # noqa: E402

#: By name, in the order in which they are run: what fills the tables comes last.
MEASUREMENTS = {
    "capacity": capacity.measure,
    "latency": latency.measure,
    "ramp": ramp.measure,
    "costs": costs.measure,
    "commands": commands.measure,
    "watched": watched.measure,
    "storm": storm.measure,
    "memory": memory.measure,
    "billing": billing.measure,
    "growth": growth.measure,
    "profile": profile.measure,
}


def main() -> int:
    """Returns the exit code: 1 if something acknowledged is missing or doubled."""
    options = parse()
    call_command("migrate", verbosity=0)
    bench = Bench.begin(options)
    for name, measure in MEASUREMENTS.items():
        if name in options.what:
            bench.say(f"-- {name}")
            measure(bench)
    wrong = ledger.differences(bench.ledger)
    found = {
        "machine": report.machine(),
        "postgresql": database.settings(os.environ["DATABASE_URL"]),
        "options": {name: value for name, value in vars(options).items() if name != "json"},
        "figures": [vars(figure) | {"verdict": figure.verdict} for figure in bench.figures],
        "details": bench.details,
        "acknowledged": sum(sum(entry.acknowledged) for entry in bench.ledger.values()),
        "wrong": wrong,
    }
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    print(report.text(found))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
