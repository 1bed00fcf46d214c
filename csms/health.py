"""Whether the system is well, part by part: what `/readyz` answers, Prometheus is told, and a page may show.

`parts()` looks at everything; `silent()` is one cheap query: the worker or the beat that gave no sign of life. `look_at_jobs()`
tells it to whoever looks at a page (`csms/troubles.py`).
"""

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import DatabaseError
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from django.utils.translation import gettext as _

from csms import troubles
from csms.db import briefly
from csms.jobs import HEARTBEAT
from csms.models import Job
from csms.ocpp.gateway import gateway
from stations import outbox

#: Whoever asks more often gets the same answer.
HOLDS_S = 1.0
#: What the jobs have left undone for so long is theirs no more: no worker works. The beat sweeps every half minute.
JOBS_LATE = timedelta(seconds=120)
REDIS_TIMEOUT_S = 1.0
SIGNS = "SELECT sent_at, finished_at FROM csms_job WHERE name = %s"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the system. If it is not well, `cause` is a sentence for people, `since` when that began as far as is known."""

    name: str
    well: bool = True
    cause: str = ""
    since: datetime | None = None


_lock = threading.Lock()
_known: tuple[float, list[Part]] = (-HOLDS_S, [])


def parts() -> list[Part]:
    """Every part: process, database, migrations, worker, beat, redis. Answers within seconds whatever is away."""
    global _known
    looked, found = _known
    # While somebody looks, the others hear what was known before: a probe must not pile up threads.
    if time.monotonic() - looked >= HOLDS_S and _lock.acquire(blocking=not found):
        try:
            found = [*_of_the_database(), _redis()]
            _known = (time.monotonic(), found)
        finally:
            _lock.release()
    return [_process(), *found]


def silent() -> list[Part]:
    """The worker and the beat, if they gave no sign of life for too long. Empty when all is well, or the database is away."""
    try:
        row = Job.objects.filter(name=HEARTBEAT).values_list("sent_at", "finished_at").first()
    except DatabaseError:
        return []
    return [part for part in _signs_of_life(row or (None, None), timezone.now()) if not part.well]


def look_at_jobs() -> None:
    """Have the jobs fallen behind, or the worker or the beat gone silent? The banner tells it.

    Asked by the live pages, every few seconds while somebody looks at one.
    """
    late = outbox.late_since(timezone.now() - JOBS_LATE)
    # One that was never heard is no trouble: nobody may have started it yet.
    quiet = {part.name: part.since for part in silent()}
    troubles.ended(troubles.DATABASE, "pages")
    for witness, since in {"outbox": late, "worker": quiet.get("worker"), "beat": quiet.get("beat")}.items():
        troubles.ended(troubles.JOBS, witness)
        if since is not None:
            troubles.began(troubles.JOBS, witness, since)


def _process() -> Part:
    return Part("process", False, _("This process is ending and admits nobody.")) if gateway.draining else Part("process")


def _of_the_database() -> list[Part]:
    try:
        with briefly() as brief:
            database = Part("database")
            if gateway.degraded:
                database = Part("database", False, _("PostgreSQL did not take the stations' messages; they are tried again."))
            migrations = _migrations(brief)
            signs: Any = None
            # Without the table, the migrations say why.
            with contextlib.suppress(psycopg.errors.UndefinedTable):
                signs = brief.execute(SIGNS, (HEARTBEAT,)).fetchone()
            return [database, migrations, *_signs_of_life(signs or (None, None), timezone.now())]
    except psycopg.Error as error:
        said = " ".join(str(error).split())[:200]
        away = Part("database", False, _("PostgreSQL does not answer: %(error)s") % {"error": said})
        unknown = _("Unknown while PostgreSQL does not answer.")
        return [away, *(Part(name, False, unknown) for name in ("migrations", "worker", "beat"))]


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations)


def _migrations(brief: "psycopg.Connection[Any]") -> Part:
    try:
        applied = set(brief.execute("SELECT app, name FROM django_migrations").fetchall())
    except psycopg.errors.UndefinedTable:
        applied = set()
    missing = sorted(f"{app}.{name}" for app, name in _migrations_on_disk() - applied)
    if not missing:
        return Part("migrations")
    few = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
    return Part("migrations", False, _("Not applied: %(few)s. Run make migrate.") % {"few": few})


def _redis() -> Part:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S, retry=None
    )
    try:
        client.ping()
        return Part("redis")
    except (redis.RedisError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        return Part("redis", False, _("Redis does not answer: %(error)s") % {"error": said})
    finally:
        client.close()


def _signs_of_life(row: Sequence[datetime | None], now: datetime) -> list[Part]:
    """The worker and the beat by when a heartbeat was last sent and done."""
    sent_at, done_at = row
    limit = timedelta(seconds=settings.SILENT_AFTER_S)
    beat = worker = None
    if sent_at is None or now - sent_at > limit:
        beat = Part("beat", False, _silence(_("The beat"), sent_at), sent_at)
    if done_at is None or now - done_at > limit:
        cause = _silence(_("The worker"), done_at)
        if beat is not None and done_at is not None and sent_at is not None and done_at >= sent_at:
            cause = _("The worker did the last heartbeat it was sent; the beat sends none.")
        worker = Part("worker", False, cause, done_at)
    return [worker or Part("worker"), beat or Part("beat")]


def _silence(who: str, since: datetime | None) -> str:
    if since is None:
        return _("%(who)s was never heard. Is it started?") % {"who": who}
    return _("%(who)s has been silent since %(since)s UTC.") % {"who": who, "since": f"{since:%Y-%m-%d %H:%M:%S}"}
