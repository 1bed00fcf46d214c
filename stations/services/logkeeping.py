"""Logs that are here: read, deleted, and let go of when their term is over. A file goes after the commit that took its row."""

import time
from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.conf import settings
from django.db import connection, transaction
from django_scopes import scope

from accounts import audit
from accounts.models import Operator
from stations import ports
from stations.models import LogUpload
from stations.models.upload import LOG_OPEN
from stations.services import diagnostics

#: Rows a transaction, and files compared at once.
BATCH = 500
#: Files without a row are those of broken uploads and of removed chargers; an upload that runs is younger.
ORPHANED = timedelta(days=3)
ORPHANS = "SELECT p FROM unnest(%s::text[]) p WHERE NOT EXISTS (SELECT FROM stations_logupload u WHERE u.path = p)"

log = structlog.get_logger(__name__)


def opened(*, upload: LogUpload) -> None:
    """Somebody downloads it: a log may tell who charged when, so it is noted who has one."""
    audit.record("log.downloaded", upload, operator=upload.operator_id, label=f"{upload.station.identity} {upload}")


def delete(*, upload: LogUpload) -> None:
    """Delete it with its file; one that is still awaited is given up first."""
    if upload.status in LOG_OPEN:
        diagnostics.give_up(upload=upload)
    with transaction.atomic():
        # Locked, because its file may come at this moment.
        row = LogUpload.objects.select_for_update(of=("self",)).select_related("station").filter(pk=upload.pk).first()
        if row is None:
            return
        before = audit.fields_of(row, "kind", "status", "filename", "size")
        audit.record("log.deleted", row, operator=row.operator_id, before=before, label=f"{row.station.identity} {row}")
        _delete([row])


def _delete(rows: list[LogUpload]) -> None:
    paths = [row.path for row in rows if row.path]
    LogUpload.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for operator_id, station_id in {(row.operator_id, row.station_id) for row in rows}:
        _ring(operator_id, station_id)
    transaction.on_commit(lambda: ports.files.delete(paths))


def _ring(operator_id: int, station_id: int) -> None:
    transaction.on_commit(lambda: ports.bell.changed(operator_id, stations=[station_id], transactions=[]))


def cutoff(*, now: datetime, operator: Operator) -> datetime:
    """What was asked for before goes: after the system's days, or the operator's if they are fewer."""
    days = settings.KEEP_LOGS_DAYS
    return now - timedelta(days=days if operator.keep_logs_days is None else min(days, operator.keep_logs_days))


def let_go(*, now: datetime, budget_s: float) -> int:
    """Delete what is older than its term, in batches, and then files that no row names. Returns how many rows went."""
    gone, until = 0, time.monotonic() + budget_s
    for operator in Operator.objects.order_by("pk"):
        with scope(operator=operator):
            old = LogUpload.objects.filter(created_at__lt=cutoff(now=now, operator=operator)).exclude(status__in=LOG_OPEN)
            while time.monotonic() < until:
                with transaction.atomic():
                    rows = list(old.select_for_update(skip_locked=True).order_by("created_at")[:BATCH])
                    _delete(rows)
                gone += len(rows)
                if len(rows) < BATCH:
                    break
    _delete_orphans(now, until)
    return gone


def _delete_orphans(now: datetime, until: float) -> None:
    found = iter(ports.files.older(diagnostics.FOLDER, now - ORPHANED))
    while time.monotonic() < until and (paths := list(islice(found, BATCH))):
        with connection.cursor() as cursor:
            cursor.execute(ORPHANS, [paths])
            orphans = [row[0] for row in cursor.fetchall()]
        if orphans:
            log.info("files that no log names are deleted", files=len(orphans))
            ports.files.delete(orphans)
