"""`python -m tests.bench`: this system on uvicorn and Daphne, an ORM-per-message consumer on both, and an echo, in one run."""

import os
import subprocess
import sys
from pathlib import Path

from csms.local import services
from tests.bench import database
from tests.bench.options import parse

CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> int:
    parse()
    with services.for_running(CHECKOUT) as urls:
        # The bench's database is made anew each time, so it is no production, whatever server it is on.
        environment = os.environ | urls | {"DATABASE_URL": database.fresh(urls["DATABASE_URL"]), "CSMS_MODE": "test"}
        # A process of its own, since this one's settings were read before there were servers.
        return subprocess.run([sys.executable, "-m", "tests.bench.run", *sys.argv[1:]], env=environment, cwd=CHECKOUT).returncode


if __name__ == "__main__":
    sys.exit(main())
