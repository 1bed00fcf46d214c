"""Where the time goes: samples of all threads of one web process under the closed loop, as a picture and as shares by function.

`make profile` writes `profile.txt` (stacks, one a line, with their counts) and `profile.svg` (a flame graph) into `.services/`.
"""

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from tests.bench.bench import Bench, Figure, csms

STATIONS, SECONDS, A_SECOND = 500, 10, 200
TOP = 25
FOLDER = Path(".services")


def measure(bench: Bench) -> None:
    server = bench.options.server
    fleet = bench.fleet("PROFILE", STATIONS)
    FOLDER.mkdir(exist_ok=True)
    with bench.running(csms(server)) as subject:
        spies = [
            threading.Timer(bench.options.warm_up + 2, spy, (subject.process.pid, form, FOLDER / name))
            for form, name in (("raw", "profile.txt"), ("flamegraph", "profile.svg"))
        ]
        for each in spies:
            each.start()
        outcome = bench.drive(subject, fleet, seconds=SECONDS + 4.0)
        for each in spies:
            each.join()
    bench.figures.append(Figure(f"{server}, being looked at", round(outcome.messages / outcome.seconds), "msg/s"))
    for thread, shares in by_thread((FOLDER / "profile.txt").read_text()).items():
        bench.say(f"\n{thread}: share of its samples by function, callees included")
        for function, share in shares:
            bench.say(f"{100 * share:5.1f} %  {function}")
    bench.say(f"\nThe stacks are in {FOLDER}/profile.txt, a picture in {FOLDER}/profile.svg.")


def spy(pid: int, form: str, path: Path) -> None:
    """Only stacks that hold the interpreter's lock: they are what a core is used for."""
    command = [str(Path(sys.executable).with_name("py-spy")), "record", "--pid", str(pid), "--threads", "--gil", "--nonblocking"]
    command += ["--rate", str(A_SECOND), "--duration", str(SECONDS), "--format", form, "--output", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"py-spy could not look into process {pid} (it needs the right to trace it): {done.stderr.strip()[-300:]}")


def by_thread(text: str) -> dict[str, list[tuple[str, float]]]:
    """Of lines "thread;outer;...;inner count", by thread the functions with the largest shares of its samples."""
    totals: Counter[str] = Counter()
    functions: dict[str, Counter[str]] = {}
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        totals[thread] += int(count)
        for frame in set(frames):
            functions.setdefault(thread, Counter())[frame] += int(count)
    shown = [thread for thread, count in totals.most_common() if count > sum(totals.values()) / 50]
    return {thread: [(name, n / totals[thread]) for name, n in functions[thread].most_common(TOP)] for thread in shown}
