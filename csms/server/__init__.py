"""The web process: Daphne or uvicorn, mended so that OCPP-J stations and browsers get the same from both.

`python -m csms.server` is the command (see `__main__`); `serve()` runs one process for any ASGI application; `supervisor`
keeps several of them behind one listening socket; `ending` is how each of them ends. What each server lacks is mended in
`on_daphne` and `on_uvicorn`, at the line that mends it.
"""

import gc
import resource
import socket
import sys
from collections.abc import Callable

from csms.server.common import Application, Drain, Limits, Server

#: How long a thread waits for another to let go of the interpreter, in seconds. Python's own 5 ms would be paid at each of the
#: batch thread's some thirty reads and writes a round while a page is rendered beside it: a pause of 200 ms for every station.
SWITCH_S = 0.0005


def serve(
    application: Application,
    *,
    server: str,
    sock: socket.socket,
    drain: Drain,
    drain_timeout: float = 25.0,
    limits: Limits | None = None,
    ready: Callable[[], None] = lambda: None,
    parent: socket.socket | None = None,
) -> None:
    """Serves the application on a listening socket until SIGTERM or SIGINT has been obeyed.

    `drain` is awaited first when the end comes, at most `drain_timeout` seconds together with the requests in flight.
    `ready` is called once connections are accepted. When `parent` reads end-of-file, our parent died, and the end comes too.
    """
    from csms.server.ending import Ending

    allow_many_files()
    sys.setswitchinterval(SWITCH_S)
    running: Server
    # Daphne's import installs Twisted's reactor, so each server is imported only where it is used.
    if server == "daphne":
        from csms.server.on_daphne import DaphneServer

        running = DaphneServer(application, limits or Limits())
    else:
        from csms.server.on_uvicorn import UvicornServer

        running = UvicornServer(application, limits or Limits())

    # What start-up made (Django, the schemas) lives as long as the process. Frozen, a full collection walks only what came
    # later, which keeps its pause, felt by every station, from growing with the code base.
    gc.collect()
    gc.freeze()
    running.run(sock, Ending(running, drain, drain_timeout, parent), ready)


def allow_many_files() -> None:
    """Every station is an open file; the usual soft limit of 1024 would be the fleet's size."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
