"""What a message costs at the rates that networks have: a round of one message costs nearly as much as one of ten."""

from tests.bench.bench import Bench, Figure, csms

STATIONS = 1_000
#: Messages a second of one process.
RATES = (50, 150, 500, 1_000)


def measure(bench: Bench) -> None:
    fleet = bench.fleet("COSTS", STATIONS)
    with bench.running(csms("uvicorn")) as subject:
        for rate in RATES:
            outcome = bench.drive(subject, fleet, rate=float(rate), warm_up_s=3.0)
            of = f"uvicorn, one process, {rate:,} msg/s: a message"
            for where, spent in (("the web process", outcome.server_cpu_s), ("PostgreSQL", outcome.postgres_cpu_s)):
                value = round(spent / outcome.messages * 1e6)
                bench.say(f"{of} in {where}: {value} µs of CPU")
                bench.figures.append(Figure(f"{of} in {where}", value, "µs"))
