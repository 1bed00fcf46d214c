"""The command line of the bench."""

import argparse
from pathlib import Path

SUBJECTS = ("csms-uvicorn", "csms-daphne", "orm-uvicorn", "orm-daphne", "echo")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures this system and reference servers.")
    parser.add_argument("--quick", action="store_true", help="one round of 3 s")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of a round's measured window (default: 8)")
    parser.add_argument("--warm-up", type=float, default=2.0, metavar="S")
    parser.add_argument("--stations", type=int, default=500)
    parser.add_argument("--rate", type=float, help="open loop: messages a second in total (default: closed loop)")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=SUBJECTS, metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 3.0
    return options
