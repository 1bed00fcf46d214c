"""What only the tables and the queue know, looked up when Prometheus asks.

Bounded: after a look that took long, nothing is looked at for fifty times as long, so that this costs PostgreSQL two percent of
a core at most. The queries read partial indexes and rows of which there are as many as stations; no table that grows with time.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, Q
from django.utils import timezone
from django_scopes import scopes_disabled
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from csms import health
from csms.celery import app
from csms.models import Job
from stations import selectors
from stations.domain.values import TransactionStatus
from stations.models import Command, CommandStatus, OutboxEntry, Transaction

log = structlog.get_logger(__name__)

HOLDS_S = 10.0
REST = 50
LIMIT_MS = 3000

#: Name, what it says, labels.
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "csms_ready": ("1 while a part of the system is well, as /readyz says.", ("part",)),
    "csms_stations_online": ("Stations of the whole installation that are online.", ()),
    "csms_transactions_running": ("Transactions that run.", ()),
    "csms_commands_waiting": ("Commands that wait for their station.", ()),
    "csms_command_oldest_waiting_seconds": ("How long the oldest command waits; nothing while none does.", ()),
    "csms_outbox_entries": ("Entries of the outbox that nobody has acted on yet.", ("subscriber",)),
    "csms_outbox_failing_entries": ("Those of them that failed before.", ("subscriber",)),
    "csms_outbox_oldest_seconds": ("How old the oldest of them is; nothing while there is none.", ("subscriber",)),
    "csms_jobs_waiting": ("Jobs in the queue that no worker has taken.", ()),
    "csms_job_interval_seconds": ("How often the beat sends a job.", ("job",)),
    "csms_job_last_success_timestamp_seconds": ("When a job last went well (Unix time).", ("job",)),
}
COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "csms_job_runs_total": ("Runs of a job, on all workers.", ("job",)),
    "csms_job_failures_total": ("Those of them that failed.", ("job",)),
    "csms_job_busy_seconds_total": ("Time they took.", ("job",)),
}
Readings = list[tuple[str, tuple[str, ...], float]]

_lock = threading.Lock()
_known: tuple[float, Readings] = (0.0, [])


def families() -> Iterator[Metric]:
    """As Prometheus is told. What cannot be read now is left out, never shown as nothing."""
    made: dict[str, Any] = {name: GaugeMetricFamily(name, about, labels=labels) for name, (about, labels) in GAUGES.items()}
    for name, (about, labels) in COUNTERS.items():
        made[name] = CounterMetricFamily(name.removesuffix("_total"), about, labels=labels)
    for name, values, number in readings():
        made[name].add_metric(values, number)
    return iter(made.values())


def readings() -> Readings:
    """Name, labels and number of each, at most as old as `HOLDS_S` or fifty times what the look took."""
    global _known
    parts = health.parts()
    ready: Readings = [("csms_ready", (part.name,), float(part.well)) for part in parts]
    well = {part.name for part in parts if part.well}
    if not {"database", "migrations"} <= well:
        return ready
    until, found = _known
    if time.monotonic() >= until and _lock.acquire(blocking=False):
        try:
            found, took = _look("redis" in well)
            _known = (time.monotonic() + max(HOLDS_S, REST * took), found)
        finally:
            _lock.release()
    return ready + found


def _look(queue: bool) -> tuple[Readings, float]:
    """What there is to read, and how many seconds that took."""
    begun = time.monotonic()
    found: Readings = []
    try:
        found = [*_tables(), *(_queue() if queue else [])]
    except Exception as error:
        log.warning("the tables could not be read for the metrics", error=str(error).strip()[:200])
    return found, time.monotonic() - begun


def _tables() -> Readings:
    with scopes_disabled(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {LIMIT_MS}")
        return [*_network(), *_outbox(), *_jobs()]


def _network() -> Iterator[tuple[str, tuple[str, ...], float]]:
    yield "csms_stations_online", (), selectors.online().count()
    yield "csms_transactions_running", (), Transaction.objects.filter(status=TransactionStatus.ACTIVE).count()
    waiting = Command.objects.filter(status=CommandStatus.QUEUED).aggregate(n=Count("pk"), oldest=Min("created_at"))
    yield "csms_commands_waiting", (), waiting["n"]
    if waiting["oldest"] is not None:
        yield "csms_command_oldest_waiting_seconds", (), (timezone.now() - waiting["oldest"]).total_seconds()


def _outbox() -> Iterator[tuple[str, tuple[str, ...], float]]:
    found = OutboxEntry.objects.order_by().values("subscriber")
    for row in found.annotate(n=Count("pk"), failing=Count("pk", filter=Q(attempts__gt=0)), oldest=Min("created_at")):
        labels = (row["subscriber"],)
        yield "csms_outbox_entries", labels, row["n"]
        yield "csms_outbox_failing_entries", labels, row["failing"]
        yield "csms_outbox_oldest_seconds", labels, (timezone.now() - row["oldest"]).total_seconds()


def _jobs() -> Iterator[tuple[str, tuple[str, ...], float]]:
    for entry in app.conf.beat_schedule.values():
        yield "csms_job_interval_seconds", (entry["task"],), float(entry["schedule"])
    for job in Job.objects.all():
        labels = (job.name,)
        yield "csms_job_runs_total", labels, job.runs
        yield "csms_job_failures_total", labels, job.failures
        yield "csms_job_busy_seconds_total", labels, job.busy_s
        if job.finished_at is not None:
            yield "csms_job_last_success_timestamp_seconds", labels, job.finished_at.timestamp()


def _queue() -> Readings:
    timeout = health.REDIS_TIMEOUT_S
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=timeout, socket_connect_timeout=timeout)
    try:
        return [("csms_jobs_waiting", (), float(client.llen(app.conf.task_default_queue)))]  # type: ignore[arg-type]
    finally:
        client.close()
