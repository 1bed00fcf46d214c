"""Writes down when the beat sent a job and how a worker did it, and names the job in the lines of its log.

In PostgreSQL and not in the processes: workers fork, die and live on other machines, and any web process is asked for them.
"""

import time
from datetime import UTC, datetime
from typing import Any

import structlog
from celery.signals import after_task_publish, beat_init, task_postrun, task_prerun
from django.db import connection

from csms.celery import app
from csms.db import briefly

HEARTBEAT = "csms.tasks.heartbeat"

log = structlog.get_logger(__name__)

SENT = """
INSERT INTO csms_job AS j (name, sent_at) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET sent_at = EXCLUDED.sent_at
"""
DONE = """
INSERT INTO csms_job AS j (name, finished_at, runs, busy_s) VALUES (%s, %s, 1, %s)
ON CONFLICT (name) DO UPDATE SET finished_at = EXCLUDED.finished_at, runs = j.runs + 1, busy_s = j.busy_s + EXCLUDED.busy_s
"""
FAILED = """
INSERT INTO csms_job AS j (name, failed_at, busy_s, error, runs, failures) VALUES (%s, %s, %s, %s, 1, 1)
ON CONFLICT (name) DO UPDATE SET failed_at = EXCLUDED.failed_at, error = EXCLUDED.error, runs = j.runs + 1,
    failures = j.failures + 1, busy_s = j.busy_s + EXCLUDED.busy_s
"""
_begun: dict[str, float] = {}


def names() -> set[str]:
    """The jobs that are written down."""
    from csms.bells import TASKS

    return {entry["task"] for entry in app.conf.beat_schedule.values()} | set(TASKS.values())


def listen() -> None:
    """Called once, when Django has loaded the apps."""
    beat_init.connect(_beat_began, weak=False)
    task_prerun.connect(_began, weak=False)
    task_postrun.connect(_ended, weak=False)


def _beat_began(**_: Any) -> None:
    after_task_publish.connect(_sent, weak=False)
    # The first of the schedule would leave whoever asks in doubt for a minute.
    app.send_task(HEARTBEAT, retry=False)


def _sent(sender: str, **_: Any) -> None:
    """In the beat: a job is in the queue."""
    if sender in names():
        try:
            # The beat must not hang on a database that is away.
            with briefly() as brief:
                brief.execute(SENT, (sender, datetime.now(UTC)))
        except Exception as error:
            log.warning("the beat could not write its sign of life", job=sender, error=str(error).strip()[:200])


def _began(task_id: str, task: Any, **_: Any) -> None:
    _begun[task_id] = time.monotonic()
    structlog.contextvars.bind_contextvars(job=task.name, job_id=task_id)


def _ended(task_id: str, task: Any, state: str | None = None, retval: Any = None, **_: Any) -> None:
    """In a worker: a job is done, or has failed."""
    took_s = time.monotonic() - _begun.pop(task_id, time.monotonic())
    try:
        if task.name in names():
            now = datetime.now(UTC)
            with connection.cursor() as cursor:
                if state == "SUCCESS":
                    cursor.execute(DONE, (task.name, now, took_s))
                else:
                    error = f"{type(retval).__name__}: {retval}".replace("\x00", "")
                    cursor.execute(FAILED, (task.name, now, took_s, error[:300]))
    except Exception as error:
        log.warning("a job's run could not be written down", error=str(error).strip()[:200])
    finally:
        structlog.contextvars.unbind_contextvars("job", "job_id")
