"""How long answers take in an open loop: 2,000 stations on two processes, a page watching.

What must be is meant for a machine whose echo does `ECHO`: 2,000 messages a second, answered within so many milliseconds. On
one that is half as fast everything takes twice as long, and the same share of it is busy with 1,000: that is the load to which
the bounds are held, and its times are scaled as all others. All 2,000 are measured as well, for comparison.
"""

from tests.bench import traffic
from tests.bench.bench import Bench, Figure, csms
from tests.bench.watched import watching

STATIONS, RATE, PROCESSES = 2_000, 2_000.0, 2
#: Rates are rounded to so many messages a second.
STEP = 50


def measure(bench: Bench) -> None:
    scale = bench.scale()
    due = max(round(RATE * scale / STEP) * STEP, STEP)
    for server in ("uvicorn", "daphne"):
        with bench.running(csms(server, PROCESSES)) as subject:
            for protocol in traffic.MIXES:
                fleet = bench.fleet(f"LATENCY-{protocol[4]}", STATIONS)
                for rate in dict.fromkeys((due, RATE)):
                    with watching(bench, subject, pages=1):
                        outcome = bench.drive(subject, fleet, protocol=protocol, rate=float(rate), warm_up_s=5.0)
                    what = f"{server}, {protocol}, {rate:.0f} msg/s open loop"
                    said = outcome.messages / outcome.seconds
                    bench.details.setdefault("latency", {})[what] = {
                        "messages_per_s": round(said),
                        "all_ms": outcome.latencies_ms,
                        "starts_ms": outcome.starts_ms,
                    }
                    every, start = outcome.latencies_ms["p99"], outcome.starts_ms["p99"]
                    if rate == due:
                        bench.took(f"{what}: p99", every, "ms", 25, 10)
                        bench.took(f"{what}: p99 of a start with authorisation", start, "ms", 40, 15)
                    else:
                        bench.figures.append(Figure(f"{what}: p99", every, "ms", scaled=round(every * scale, 2)))
                        figure = Figure(f"{what}: p99 of a start with authorisation", start, "ms", scaled=round(start * scale, 2))
                        bench.figures.append(figure)
