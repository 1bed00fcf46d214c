"""The command line of the bench."""

import argparse
from pathlib import Path

WHAT = ("capacity", "latency", "ramp", "costs", "commands", "watched", "storm", "memory", "billing", "growth")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures this system, beside reference servers.")
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"{', '.join(WHAT)}, all, or profile (default: capacity)")
    parser.add_argument("--quick", action="store_true", help="one round of 3 s")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of a measured window (default: 8)")
    parser.add_argument("--warm-up", type=float, default=2.0, metavar="S")
    parser.add_argument("--samples", type=int, default=25_000_000, help="sample rows of a grown network (default: 25 million)")
    parser.add_argument("--sessions", type=int, default=100_000, help="sessions that are billed (default: 100,000)")
    parser.add_argument("--server", choices=("uvicorn", "daphne"), default="uvicorn", help="what is profiled")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    options = parser.parse_args()
    options.what = WHAT if "all" in options.what else options.what or ["capacity"]
    unknown = sorted(set(options.what) - {*WHAT, "profile"})
    if unknown:
        parser.error(f"there is no measurement {', '.join(unknown)}; there are {', '.join(WHAT)} and all")
    if options.quick:
        options.rounds, options.seconds = 1, 3.0
    return options
