"""`make test`: the suite on servers of its own, and then how long it took and on what."""

import os
import platform
import sys
import time
from pathlib import Path

from csms.local import services
from csms.local.processes import call, say


def run_tests(checkout: Path, arguments: list[str]) -> int:
    """Run pytest with these arguments; returns its exit code."""
    began = time.monotonic()
    with services.for_tests(checkout) as environment:
        environment = os.environ | environment | {"CSMS_MODE": "test"}
        # What is compiled is kept, whatever the shell says: each of the processes that tests start would compile all of it again.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        servers = ", ".join(services.version(environment[name]) for name in services.URLS)
        code = call([sys.executable, "-m", "pytest", *arguments], cwd=checkout, env=environment)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"Python {platform.python_version()}, {cores} cores, {platform.system()} {platform.machine()}"
    say(f"The tests took {time.monotonic() - began:.0f} s on {servers}, {machine}.")
    return code
