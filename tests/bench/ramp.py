"""How much more it can take: 2,000 stations on two processes, a page watching, whose messages fall due ever faster.

The rate grows steadily from what is little to more than two cores can do. What counts is the rate up to which p99 stays within
what must be at 2,000 messages a second, by the speed of the machine; it is over when that is exceeded for some seconds on end.
"""

from dataclasses import dataclass
from itertools import count, takewhile
from math import floor

from tests.bench import load, traffic
from tests.bench.bench import Bench, Figure, csms
from tests.bench.latency import P99_MS
from tests.bench.watched import watching

STATIONS, PROCESSES = 2_000, 2
#: Messages a second at first, and more of them each second.
RATE, GROWTH, SECONDS = 500.0, 200.0, 30.0
#: So many seconds in a row beyond the bound are no pause of the machine any more.
BEYOND = 3


@dataclass(frozen=True)
class Step:
    """The messages that fell due within one second."""

    rate: float
    p99_ms: float


def measure(bench: Bench) -> None:
    bound = P99_MS / bench.scale()
    for server in ("uvicorn", "daphne"):
        with bench.running(csms(server, PROCESSES)) as subject:
            for protocol in traffic.MIXES:
                fleet = bench.fleet(f"LATENCY-{protocol[4]}", STATIONS)
                plan = {"rate": RATE, "growth": GROWTH, "seconds": SECONDS, "warm_up_s": 5.0, "course": True}
                with watching(bench, subject, pages=1):
                    outcome = bench.drive(subject, fleet, protocol=protocol, **plan)
                course = steps(outcome)
                what = f"{server}, {protocol}"
                bench.details.setdefault("ramp", {})[what] = [vars(step) for step in course]
                rate = kept(course, bound)
                bench.say(f"{what}: p99 within {bound:.0f} ms up to {rate:.0f} msg/s")
                bench.figures.append(
                    Figure(f"{what}: p99 within {bound:.0f} ms up to", rate, "msg/s", scaled=round(rate / bench.scale()))
                )


def steps(outcome: load.Outcome) -> list[Step]:
    """Second by second, as far as there are answers."""
    by_second: dict[int, list[float]] = {}
    for due, answered in outcome.course:
        by_second.setdefault(floor(due - outcome.began), []).append(answered - due)
    whole = takewhile(by_second.__contains__, count())
    return [Step(RATE + GROWTH * (second + 0.5), load.percentiles(by_second[second])["p99"]) for second in whole]


def kept(course: list[Step], bound_ms: float) -> float:
    """The highest rate before p99 is beyond the bound for good, in messages a second; 0.0: it was from the start."""
    best, beyond = 0.0, 0
    for step in course:
        if step.p99_ms <= bound_ms:
            best, beyond = step.rate, 0
        else:
            beyond += 1
        if beyond == BEYOND:
            break
    return best
