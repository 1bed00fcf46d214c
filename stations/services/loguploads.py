"""Taking in a log that a station sends to a one-time address: whether it may, how far it is, and that it is here.

Each function is a short transaction of its own; the bytes are written by whoever calls them, in between.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django_scopes import scope

from stations import ports
from stations.models import LogStatus, LogUpload
from stations.models.upload import LOG_OPEN
from stations.services import registry
from stations.services.diagnostics import FOLDER, SILENT, end_command, plain_name


class Refused(Exception):
    """The address takes nothing. The text says why, to whoever reads the charger's own log."""


class Unknown(Refused):
    """There is no such address."""


class Here(Refused):
    """Its file has come already."""


class Closed(Refused):
    """It has expired, or was given up."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A log that may come now. `path`: where its file shall lie."""

    id: int
    operator_id: int
    station_id: int
    path: str
    expires_at: datetime


def expected(token_hash: str, *, now: datetime) -> Expected:
    """What is awaited at an address. Raises Refused."""
    upload = LogUpload.objects.with_scopes_disabled().filter(token_hash=token_hash).first()
    if upload is None:
        raise Unknown("There is no such address.")
    if upload.status == LogStatus.UPLOADED:
        raise Here("This log is here already.")
    if upload.expires_at <= now:
        raise Closed("This address has expired: ask the operator for a new one.")
    path = ports.files.new_path(FOLDER, upload.operator_id)
    return Expected(upload.pk, upload.operator_id, upload.station_id, path, upload.expires_at)


def came(expected: Expected, size: int, *, now: datetime) -> bool:
    """So many bytes are here. False: nobody waits for them any more."""
    with scope(operator=expected.operator_id):
        uploads = LogUpload.objects.filter(pk=expected.id)
        begun = Coalesce("started_at", Value(now))
        if uploads.filter(status__in=LOG_OPEN).update(
            status=LogStatus.UPLOADING, size=size, due_at=now + SILENT, reason="", started_at=begun
        ):
            _changed(expected)
            return True
        # One that was given up as lost may come all the same.
        return uploads.filter(expires_at__gt=now).exclude(status=LogStatus.UPLOADED).exists()


def broke(expected: Expected, reason: str, *, now: datetime, for_good: bool = False) -> None:
    """It did not come whole. The station may try again, unless it is `for_good`."""
    with scope(operator=expected.operator_id), transaction.atomic():
        registry.bump(expected.station_id)
        upload = LogUpload.objects.select_for_update().filter(pk=expected.id, status__in=LOG_OPEN).first()
        if upload is None:
            return
        upload.reason, upload.size = reason[:300], None
        upload.status = LogStatus.FAILED if for_good else LogStatus.REQUESTED
        upload.due_at, upload.started_at = now + SILENT, upload.started_at or now
        if for_good:
            upload.finished_at = now
            end_command(upload, LogStatus.FAILED, reason, now)
        upload.save(update_fields=["reason", "size", "status", "due_at", "started_at", "finished_at"])
        _changed(expected)


def arrived(expected: Expected, *, size: int, sha256: str, filename: str, content_type: str, now: datetime) -> bool:
    """The file lies at `expected.path`, whole. False: another one was faster, or nobody wants it any more; delete the file."""
    with scope(operator=expected.operator_id), transaction.atomic():
        # Whoever holds the station awaits the log in memory; and what the station says of it must not come in between.
        registry.bump(expected.station_id)
        uploads = LogUpload.objects.select_related("command").select_for_update(of=("self",))
        upload = uploads.filter(pk=expected.id, expires_at__gt=now).exclude(status=LogStatus.UPLOADED).first()
        if upload is None:
            return False
        told = upload.command.facts.get("filename") if upload.command is not None else None
        upload.status, upload.reason, upload.path = LogStatus.UPLOADED, "", expected.path
        upload.size, upload.sha256 = size, sha256
        upload.filename, upload.content_type = (filename or plain_name(str(told or "")))[:255], content_type[:100]
        upload.started_at, upload.finished_at = upload.started_at or now, now
        upload.save()
        end_command(upload, LogStatus.UPLOADED, "", now)
        _changed(expected)
    return True


def _changed(expected: Expected) -> None:
    transaction.on_commit(lambda: ports.bell.changed(expected.operator_id, stations=[expected.station_id], transactions=[]))
