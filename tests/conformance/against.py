"""Against whom the cases are played: the real server, or a bare one that keeps nothing (`bare.py`)."""

import os

BARE = bool(os.environ.get("CONFORMANCE_BARE"))
#: How long a case waits for anything. Against the bare server it waits in vain, nearly always.
PATIENCE_S = 0.3 if BARE else 30.0
