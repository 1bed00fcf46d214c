"""Messages a second and core in a closed loop, in both mixes, a page watching, beside the ORM reference and the echo of the same
minutes.

1. One process of each server is started, and all of them are kept.
2. In each round one server after the other gets the load: so a slow minute of the machine slows all of them.
"""

import statistics
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from tests.bench import load, report, subjects, traffic
from tests.bench.bench import Bench, Figure, csms
from tests.bench.subjects import Subject
from tests.bench.watched import watching

STATIONS = 500
#: Messages a second and core: what must be, and what is aimed at.
ASKED = {"uvicorn": (4_000, 8_000), "daphne": (3_000, 5_000)}
TIMES_ORM = (3, 6)

Outcomes = list[load.Outcome]


def measure(bench: Bench) -> None:
    rows: dict[tuple[str, str], Outcomes] = {}
    echo: Outcomes = []
    fleets = {
        (server, protocol): bench.fleet(f"{server}-{protocol[4]}", STATIONS) for server in ASKED for protocol in traffic.MIXES
    }
    subjects.make_reference_tables([tag for fleet in fleets.values() for tag in fleet.tags])
    started: list[Subject] = []

    def start(how: Callable[[], Subject]) -> Subject:
        started.append(how())
        return started[-1]

    try:
        ours = {server: start(csms(server)) for server in ASKED}
        orm = {server: start(lambda server=server: subjects.orm(server)) for server in ASKED}  # type: ignore[misc]
        bare = start(subjects.echo)
        for number in range(bench.options.rounds):
            for protocol in traffic.MIXES:
                for server in ASKED:
                    fleet = fleets[server, protocol]
                    for subject in (ours[server], orm[server]):
                        own = subject is ours[server]
                        with watching(bench, subject, pages=1) if own else nullcontext():
                            outcome = bench.drive(subject, fleet, ours=own, protocol=protocol)
                        rows.setdefault((subject.name, protocol), []).append(outcome)
                        bench.say(f"round {number + 1}: {subject.name}, {protocol}: {outcome.messages / outcome.seconds:.0f} msg/s")
            echo.append(bench.drive(bare, fleets["uvicorn", "ocpp1.6"], ours=False))
    finally:
        for subject in started:
            subject.stop()

    speed = statistics.median(outcome.messages / outcome.seconds for outcome in echo)
    bench.details["capacity"] = {
        "echo_messages_per_s": round(speed),
        "rows": [report.row(f"{name}, {protocol}", outcomes) for (name, protocol), outcomes in rows.items()]
        + [report.row(bare.name, echo)],
    }
    bench.speed = speed
    bench.figures.append(Figure("echo, uvicorn", round(speed), "msg/s"))
    for server, (must, aim) in ASKED.items():
        for protocol in traffic.MIXES:
            own, reference = (per_core(rows[one[server].name, protocol]) for one in (ours, orm))
            scaled = round(own / bench.scale())
            what = f"{server}, {protocol}"
            bench.figures += [
                Figure(f"{what}: messages a second and core", round(own), "msg/s", ">=", must, aim, scaled),
                Figure(f"{what}: times the ORM reference", round(own / reference, 1), "x", ">=", *TIMES_ORM),
            ]


def per_core(outcomes: Sequence[load.Outcome]) -> float:
    return statistics.median(report.per_core(outcome) for outcome in outcomes)
