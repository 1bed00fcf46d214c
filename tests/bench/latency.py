"""How long answers take in an open loop: 2,000 stations, 2,000 messages a second over two processes, a page watching."""

from tests.bench import traffic
from tests.bench.bench import Bench, csms
from tests.bench.watched import watching

STATIONS, RATE, PROCESSES = 2_000, 2_000.0, 2


def measure(bench: Bench) -> None:
    for server in ("uvicorn", "daphne"):
        with bench.running(csms(server, PROCESSES)) as subject:
            for protocol in traffic.MIXES:
                fleet = bench.fleet(f"LATENCY-{protocol[4]}", STATIONS)
                with watching(bench, subject, pages=1):
                    outcome = bench.drive(subject, fleet, protocol=protocol, rate=RATE, warm_up_s=5.0)
                what = f"{server}, {protocol}, {RATE:.0f} msg/s open loop"
                said = outcome.messages / outcome.seconds
                bench.details.setdefault("latency", {})[what] = {
                    "messages_per_s": round(said),
                    "all_ms": outcome.latencies_ms,
                    "starts_ms": outcome.starts_ms,
                }
                bench.took(f"{what}: p99", outcome.latencies_ms["p99"], "ms", 25, 10)
                bench.took(f"{what}: p99 of a start with authorisation", outcome.starts_ms["p99"], "ms", 40, 15)
