"""The thread of a worker process on which webhooks are told, so that a job has only to wake it.

It lives while there is something to tell. Of all processes' threads one is at it at a time (`csms.webhooks.dispatch`).
"""

import threading

from django.db import connections

from csms.webhooks import dispatch

#: A process that ends waits so long for the thread. What it has in hand then is due again soon.
STOP_S = dispatch.STOP_S + 1

_lock = threading.Lock()
_thread: threading.Thread | None = None
_again = False
_stop = threading.Event()
_error: Exception | None = None


def wake() -> None:
    """See to it that a run begins from now on. Raises what ended the last one."""
    global _thread, _again, _error
    with _lock:
        _again = True
        if _thread is None:
            _thread = threading.Thread(target=_tell, name="webhooks", daemon=True)
            _thread.start()
        error, _error = _error, None
    if error is not None:
        raise error


def stop() -> None:
    """The process ends."""
    _stop.set()
    thread = _thread
    if thread is not None:
        thread.join(STOP_S)


def _tell() -> None:
    global _error
    while _goes_on():
        try:
            dispatch.run(_stop)
        except Exception as error:
            with _lock:
                _error = error
        finally:
            connections.close_all()


def _goes_on() -> bool:
    global _thread, _again
    with _lock:
        goes, _again = _again and not _stop.is_set(), False
        if not goes:
            _thread = None
    return goes
