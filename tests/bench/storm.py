"""After an outage: 5,000 stations come back in the same moment, while 500 others go on charging."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.bench import load, network
from tests.bench.bench import Bench, csms

STATIONS, CHARGING, RATE = 5_000, 500, 500.0
PROCESSES = 2
#: How long the others are watched: until the storm is over, also on a slow machine.
WINDOW_S = 40.0


def measure(bench: Bench) -> None:
    for server in ("uvicorn", "daphne"):
        lost, charging = bench.fleet("STORM", STATIONS), bench.fleet("CHARGING", CHARGING)
        with bench.running(csms(server, PROCESSES)) as subject:
            plan = {"port": subject.port, "stations": lost.stations, "password": network.PASSWORD}
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.knocking"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            with process, ThreadPoolExecutor() as pool:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(json.dumps(plan) + "\n")
                process.stdin.flush()
                process.stdout.readline()  # all are there
                storming = pool.submit(storm, process, bench.options.warm_up + 3)
                outcome = bench.drive(subject, charging, rate=RATE, seconds=WINDOW_S, course=True)
                found = storming.result()
                process.stdin.close()  # until now they stayed: their going would be a second outage
        began, seconds = found.pop("began"), found["seconds"]
        if began + seconds > outcome.began + outcome.seconds:
            bench.say(f"{server}: the storm outlasted the {WINDOW_S:.0f} s in which the others were watched")
        meanwhile = load.percentiles([answered - due for due, answered in outcome.course if began <= due <= began + seconds])
        bench.details.setdefault("storm", {})[server] = found | {"charging_ms": meanwhile}
        bench.took(f"{server}: {STATIONS} stations back, authenticated and answered", round(seconds, 2), "s", 40, 20)
        bench.took(f"{server}: p99 of {CHARGING} that go on charging meanwhile", meanwhile["p99"], "ms", 250, 100)


def storm(process: "subprocess.Popen[str]", after_s: float) -> dict[str, Any]:
    """Once the others charge, all come back at once."""
    assert process.stdin is not None
    assert process.stdout is not None
    time.sleep(after_s)
    process.stdin.write("go\n")
    process.stdin.flush()
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found
