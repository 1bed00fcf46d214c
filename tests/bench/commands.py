"""From asking in another process to the wire, under a thousand messages a second."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.bench.bench import Bench, csms
from tests.bench.load import percentiles

STATIONS, RATE = 500, 1_000.0


def measure(bench: Bench) -> None:
    for server in ("uvicorn", "daphne"):
        fleet = bench.fleet("COMMANDS", STATIONS)
        plan = {"stations": fleet.stations, "seconds": bench.options.seconds, "after_s": bench.options.warm_up + 2}
        with bench.running(csms(server)) as subject, ThreadPoolExecutor() as pool:
            asking = pool.submit(ask, plan)
            outcome = bench.drive(subject, fleet, rate=RATE, seconds=bench.options.seconds + 5)
            asked = asking.result()
        took = [outcome.asked[number] - at for number, at in asked.items() if number in outcome.asked]
        missing = len(asked) - len(took)
        if missing:
            bench.say(f"{server}: {missing} of {len(asked)} commands did not reach their station")
        found = percentiles(took) | {"commands": len(asked), "missing": missing}
        bench.details.setdefault("commands", {})[server] = found
        bench.took(f"{server}: a command to the wire, p99", found["p99"], "ms", 100, 50)


def ask(plan: dict[str, Any]) -> dict[str, float]:
    """In another process; when each command was asked for."""
    command = [sys.executable, "-m", "tests.bench.asking"]
    done = subprocess.run(command, input=json.dumps(plan).encode(), stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
