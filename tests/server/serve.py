"""`python -m tests.server.serve`: the command of csms.server with the application of these tests."""

import logging
import os

from csms.server.command import Loaded, main
from csms.server.common import Limits
from tests.server.application import application, drain


def load() -> Loaded:
    logging.basicConfig(level="WARNING")
    if "FAILS_TO_LOAD" in os.environ:
        raise SystemExit("a setting is missing")
    number = {name: float(os.environ[name.upper()]) for name in ("handshake_s", "close_s", "ping_s") if name.upper() in os.environ}
    return Loaded(application, drain, Limits(**number))


if __name__ == "__main__":
    main(load, "tests.server.serve")
