"""How long answers take in an open loop: 2,000 stations on two processes, a page watching.

What must be is meant for a machine whose echo does `ECHO`: 2,000 messages a second, answered within so many milliseconds. On
one that is half as fast everything takes twice as long, and the same share of it is busy with 1,000: that is the load to which
the bounds are held, and its times are scaled as all others. All 2,000 are measured as well, once, for comparison.

A p99 of some seconds is decided by one pause of a tenth of a second, whoever made it: the figure is the median of the rounds, and
each round's value stands in the details.
"""

import statistics

from tests.bench import load, traffic
from tests.bench.bench import Bench, Figure, csms
from tests.bench.subjects import Subject
from tests.bench.watched import watching

STATIONS, RATE, PROCESSES = 2_000, 2_000.0, 2
#: What p99 must be at that rate, in milliseconds.
P99_MS = 25
#: Rates are rounded to so many messages a second.
STEP = 50


def measure(bench: Bench) -> None:
    scale = bench.scale()
    due = max(round(RATE * scale / STEP) * STEP, STEP)
    for server in ("uvicorn", "daphne"):
        with bench.running(csms(server, PROCESSES)) as subject:
            for protocol in traffic.MIXES:
                what = f"{server}, {protocol}, {due:.0f} msg/s open loop"
                every, start = _p99(bench, subject, protocol, what, [float(due)] * bench.options.rounds)
                bench.took(f"{what}: p99", every, "ms", P99_MS, 10)
                bench.took(f"{what}: p99 of a start with authorisation", start, "ms", 40, 15)
                if due == RATE:
                    continue
                what = f"{server}, {protocol}, {RATE:.0f} msg/s open loop"
                every, start = _p99(bench, subject, protocol, what, [RATE])
                for name, value in ((f"{what}: p99", every), (f"{what}: p99 of a start with authorisation", start)):
                    bench.figures.append(Figure(name, value, "ms", scaled=round(value * scale, 2)))


def _p99(bench: Bench, subject: Subject, protocol: str, what: str, rates: list[float]) -> tuple[float, float]:
    """The medians over rounds at these rates, in milliseconds: of all messages, and of starts."""
    fleet = bench.fleet(f"LATENCY-{protocol[4]}", STATIONS)
    found: list[load.Outcome] = []
    for rate in rates:
        with watching(bench, subject, pages=1):
            found.append(bench.drive(subject, fleet, protocol=protocol, rate=rate, warm_up_s=5.0))
        bench.say(f"{what}: p99 {found[-1].latencies_ms['p99']} ms, of starts {found[-1].starts_ms['p99']} ms")
    bench.details.setdefault("latency", {})[what] = [
        {"messages_per_s": round(one.messages / one.seconds), "all_ms": one.latencies_ms, "starts_ms": one.starts_ms}
        for one in found
    ]
    return statistics.median(one.latencies_ms["p99"] for one in found), statistics.median(one.starts_ms["p99"] for one in found)
