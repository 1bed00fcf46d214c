"""Once a second each web process puts on the board what it has counted. A process that is stuck is seen by its silence."""

import asyncio
import logging
import os
import resource
import time

import orjson

from csms.metrics import board, meters
from csms.metrics.meters import Gauge, Histogram

logger = logging.getLogger(__name__)

INTERVAL_S = 1.0
PAGE = resource.getpagesize()
STARTED = time.time()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _memory_bytes() -> float:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * PAGE
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


LAG = Histogram("csms_loop_lag_seconds", "How late the event loop ran what was due, looked at once a second.")
Gauge("csms_process_cpu_seconds_total", "CPU time used.", _cpu_s, kind="counter")
Gauge("csms_process_resident_memory_bytes", "Memory that is resident.", _memory_bytes)
Gauge("csms_process_start_time_seconds", "When the process started (Unix time).", lambda: STARTED)

_task: asyncio.Task[None] | None = None


def start() -> None:
    """Called on the event loop once the process serves."""
    global _task
    _task = asyncio.get_running_loop().create_task(_beat(), name="metrics")


async def _beat() -> None:
    while True:
        try:
            write()
        except Exception:
            logger.exception("what process %d counted could not be shown", os.getpid())
        due = time.monotonic() + INTERVAL_S
        await asyncio.sleep(INTERVAL_S)
        LAG.add(max(0.0, time.monotonic() - due))


def write() -> None:
    board.board.write(orjson.dumps(meters.snapshot()))
