"""Diagnostics (OCPP 2.0.1 chapter N): asking a station for a log, and following it until the file is here.

The file is the proof: `stations.services.loguploads` takes it in. What the station says meanwhile is only shown, unless it says
that nothing will come. Of a log that is sent elsewhere there is nothing but what the station says. Rows whose time is over are
ended by `sweep`.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_scopes import scope

from accounts import audit
from accounts.models import User
from stations import ports
from stations.batch import Batch
from stations.domain.addresses import without_secrets
from stations.domain.command import moment_of
from stations.domain.commands import BadCommand, GetLog
from stations.domain.commands import Command as Asked
from stations.domain.commands.diagnostics import RETRIES, RETRY_INTERVAL_S
from stations.domain.events import Done, LogStatusReported
from stations.domain.patience import BEGINS_WITHIN
from stations.models import Command, CommandStatus, LogKind, LogStatus, LogUpload, Station
from stations.models.command import FRUITLESS
from stations.models.upload import LOG_OPEN
from stations.services import commandends, commands, registry
from stations.services.companions import Companion
from stations.state import AwaitedEffect

FOLDER = "logs"
#: After its command has expired an address works for so much longer: a large log on a slow line takes hours.
GRACE = timedelta(hours=24)
#: A station that agreed, and one that began, are given up after so long without a sign.
SILENT = timedelta(hours=1)
#: A station that says it has sent the log is believed for so long.
CLAIMED = timedelta(minutes=5)
#: Ended by one run of the sweep, at most.
SWEPT = 500

#: What a station answers, and says, when it drops what it was sending for another log (OCPP 2.0.1 N01).
CANCELED = "AcceptedCanceled"
UNSENT = ("UploadFailed", "UploadFailure")
#: What it says when it sends nothing, if it is asked.
IDLE = "Idle"
#: What a station says when nothing will come (2.x LogStatusEnumType, 1.6 DiagnosticsStatus).
FAILURES = {
    **dict.fromkeys(UNSENT, "The charger could not send the log. Look whether it can reach this system over plain HTTP."),
    "BadMessage": "The charger did not understand where to send the log.",
    "NotSupportedOperation": "The charger cannot send a log to an address of this kind.",
    "PermissionDenied": "The charger was not allowed to send the log there.",
    CANCELED: "The charger dropped this request for a newer one.",
    IDLE: "The charger agreed to send the log, and says that it is sending none. Ask for it again.",
}
SAYS_SENT = "The charger says that it has sent the log; it is not here yet."
NOT_THERE = "The charger could not send the log there. Look whether it can reach that address."
NO_MORE = "The charger agreed to send the log, and said no more of it."
#: Errors by which a station says that it does not know the message at all.
UNKNOWN = ("NotSupported", "NotImplemented")


# Asking


def request_log(
    *,
    station: Station,
    kind: str = LogKind.DIAGNOSTICS,
    since: datetime | None = None,
    until: datetime | None = None,
    retries: int | None = RETRIES,
    retry_interval_s: int | None = RETRY_INTERVAL_S,
    user: User | None = None,
    reason: str = "",
    expires_in: int | None = None,
    idempotency_key: str | None = None,
) -> LogUpload:
    """Ask a station for a log, to be sent to a one-time address of ours. Raises BadCommand, also while one of its kind is open.

    With an idempotency key that was used before, returns the log it was used for, `command.repeated`.
    """
    if idempotency_key:
        used = LogUpload.objects.select_related("command", "station").filter(
            command__operator_id=station.operator_id, command__idempotency_key=idempotency_key
        )
        if known := used.first():
            assert known.command is not None
            known.command.repeated = True
            return known
    now = timezone.now()
    for over in _over(LogUpload.objects.filter(station=station), now):
        _end_over(over, now)
    wanted = GetLog(
        str(kind),
        since.isoformat() if since else None,
        until.isoformat() if until else None,
        retries=retries,
        retry_interval_s=retry_interval_s,
    )
    wanted.check()
    if since is not None and since > now:
        raise BadCommand("since is in the future: no log has that yet.")
    token, token_hash = ports.files.credential()
    waits = timedelta(seconds=GetLog.expires_s if expires_in is None else expires_in)
    upload = LogUpload(
        operator_id=station.operator_id,
        station=station,
        requested_by=user,
        kind=str(kind),
        since=since,
        until=until,
        token_hash=token_hash,
        created_at=now,
        expires_at=now + waits + GRACE,
        due_at=now + waits + GRACE,
    )
    try:
        with transaction.atomic():
            upload.save(force_insert=True)
            command = replace(wanted, location=ports.files.address(FOLDER, token), upload=upload.pk)
            upload.command = commands.issue(
                station=station, command=command, user=user, reason=reason, expires_in=expires_in, idempotency_key=idempotency_key
            )
            upload.save(update_fields=["command"])
            after = {"station": station.identity} | audit.fields_of(upload, "kind", "since", "until")
            audit.record("log.requested", upload, operator=station.operator_id, after=after, label=station.identity, note=reason)
    except IntegrityError:
        raise BadCommand(
            "%(station)s is being asked for this log already. Wait for it, or give it up first.", station=station.identity
        ) from None
    return upload


def made(row: Command, station: Station, command: Asked) -> None:
    """One that is sent elsewhere has its row, too, without an address of ours: what the station says of it is all there is."""
    assert isinstance(command, GetLog)
    if command.upload is not None or not command.location:
        return
    upload = LogUpload.objects.create(
        operator_id=station.operator_id,
        station=station,
        command=row,
        requested_by=row.requested_by,
        kind=command.log,
        since=moment_of("since", command.since) if command.since else None,
        until=moment_of("until", command.until) if command.until else None,
        location=without_secrets(command.location)[:512],
        created_at=row.created_at,
        expires_at=row.expires_at,
        due_at=row.expires_at + GRACE,
    )
    row.params = row.params | {"upload": upload.pk}
    row.save(update_fields=["params"])


def give_up(*, upload: LogUpload) -> bool:
    """Wait for it no more: its address is closed, and its command taken back if it was not sent. False: it has ended already."""
    now = timezone.now()
    with transaction.atomic():
        ended = _end(upload.pk, upload.station_id, LogStatus.FAILED, "It was given up.", now, expires_at=now)
        if ended:
            audit.record("log.given_up", upload, operator=upload.operator_id, label=upload.station.identity)
    if ended and upload.command is not None:
        commandends.cancel(command=upload.command)
    return ended


# What the station says


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """A station that says that it drops another log for this one need not tell of that one any more."""
    if change["status"] == CommandStatus.ACCEPTED and change["detail"].startswith(CANCELED):
        others = [one for one in batch.station.awaiting if one.kind == GetLog.kind and one.command_id != command_id]
        if others:
            _follow(CANCELED, others[-1].params["upload"], others[-1], batch)


def status_reported(event: LogStatusReported, batch: Batch) -> Done:
    """Keep the newest status on the station, and show it with the log it is about."""
    batch.change(Station, batch.station.id, log_status=event.status[:30], log_status_at=batch.now)
    for upload_id, asked in _about(event, batch):
        _follow(event.status, upload_id, asked, batch)
    batch.touch()
    return Done()


# Logs are seldom asked for, so these may look into the tables.
NUMBERED = """
SELECT id FROM (
    SELECT u.id, c.action, c.facts, c.id AS command FROM stations_logupload u JOIN stations_command c ON c.id = u.command_id
    WHERE u.station_id = %s ORDER BY u.id DESC LIMIT 100
) newest
WHERE action <> 'GetDiagnostics' AND %s = coalesce(
    (facts->>'request_id')::numeric, (facts->'raw'->'payload'->>'requestId')::numeric, (command - 1) %% 2147483647 + 1)
ORDER BY id DESC LIMIT 1
"""
FOUND = """
SELECT u.status, u.reason, u.location <> '', coalesce(c.facts->>'filename', ''), c.answered_at
FROM stations_logupload u LEFT JOIN stations_command c ON c.id = u.command_id WHERE u.id = %s
"""


def _about(event: LogStatusReported, batch: Batch) -> list[tuple[int, AwaitedEffect | None]]:
    """The log that a status is about, and who still awaits it: the one that was asked for with its number, even if it has ended.

    A number that is nobody's is that of a request without. What has no number is about the newest that has none, or the newest of
    all; that nothing is sent is true of each of them.
    """
    asked = [one for one in batch.station.awaiting if one.kind == GetLog.kind]
    same = [one for one in asked if one.facts.get("request_id") == event.request_id]
    if not same and event.request_id is not None:
        named = batch.cursor.execute(NUMBERED, (batch.station.id, event.request_id)).fetchone()
        if named is not None:
            return [(named[0], None)]
    likely = same or [one for one in asked if event.request_id is None or "request_id" not in one.facts]
    return [(one.params["upload"], one) for one in (likely if event.status == IDLE else likely[-1:])]


def _follow(status: str, pk: int, asked: AwaitedEffect | None, batch: Batch) -> None:
    """`asked` None: nobody awaits it any more, or its request is not answered yet."""
    row = batch.cursor.execute(FOUND, (pk,)).fetchone()
    if row is None:
        return
    stands, reason, elsewhere, filename, answered_at = row
    # What this batch made of it is not written yet.
    here = batch.changed[LogUpload].get(pk, {})
    stands, reason = here.get("status", stands), here.get("reason", reason)
    change: dict[str, Any] = {}
    end = ""
    if stands == LogStatus.UPLOADED or (status == IDLE and not _should_send(asked, stands, reason, answered_at, batch.now)):
        return
    if status == "Uploaded" and elsewhere:
        name = plain_name(str(asked.facts.get("filename") or "") if asked else filename)
        change, end = {"status": LogStatus.UPLOADED, "reason": "", "filename": name}, "confirmed"
    elif status in FAILURES and stands != LogStatus.FAILED:
        why = NOT_THERE if elsewhere and status in UNSENT else FAILURES[status]
        change, end = {"status": LogStatus.FAILED, "reason": why}, "no_effect"
    elif status == "Uploaded" and stands != LogStatus.FAILED:
        change = {"reason": SAYS_SENT, "due_at": batch.now + CLAIMED}
    elif status == "Uploading" and stands in LOG_OPEN:
        # Of what does not come here there are no bytes that show that it goes on.
        change = {"status": LogStatus.UPLOADING, "reason": "", "due_at": batch.now + (GRACE if elsewhere else SILENT)}
    if end:
        change["finished_at"] = batch.now
    if change:
        batch.change(LogUpload, pk, **change)
    if end and asked is not None:
        commands.decide(batch, asked, end, **({"detail": change["reason"][:300]} if change["reason"] else {}))


def _should_send(asked: AwaitedEffect | None, stands: str, reason: str, answered_at: datetime | None, now: datetime) -> bool:
    """Whether a station that sends nothing should be sending this log: it had the time to begin, and to try again as often as it
    was told, and does not say that all is sent."""
    if asked is None or answered_at is None or stands not in LOG_OPEN or reason == SAYS_SENT:
        return False
    tries = (asked.params.get("retries") or 0) * (asked.params.get("retry_interval_s") or 0)
    return answered_at + BEGINS_WITHIN + timedelta(seconds=tries) <= now


def plain_name(text: str) -> str:
    """What is left of a file's name that a station gave: no folders, nothing that cannot be printed, no dots at the start."""
    name = "".join(letter for letter in text.replace("\\", "/").rsplit("/", 1)[-1] if letter.isprintable())
    return name.strip().lstrip(".")[:255]


# The end of those that do not come


def sweep(*, now: datetime) -> int:
    """End the logs that will not come. Returns how many.

    1. Their command came to nothing: failed, with its reason. 2. The station agreed or began, and was silent since: expired.
    3. A command that was answered only after its log had ended ends as the log did.
    """
    ended = sum(_end_over(upload, now) for upload in _over(LogUpload.objects.all(), now))
    late = LogUpload.objects.filter(command__status=CommandStatus.ACCEPTED, command__kind=GetLog.kind)
    for upload in late.exclude(status__in=LOG_OPEN).order_by("pk")[:SWEPT]:
        with transaction.atomic():
            registry.bump(upload.station_id)
            end_command(upload, LogStatus(upload.status), upload.reason, now)
    return ended


def _over(uploads: "QuerySet[LogUpload]", now: datetime) -> list[LogUpload]:
    ended = Q(command__status__in=[*FRUITLESS, CommandStatus.CANCELLED], status=LogStatus.REQUESTED)
    silent = Q(status=LogStatus.REQUESTED, command__status=CommandStatus.ACCEPTED, command__answered_at__lte=now - SILENT)
    # Of what was begun once the row's own time counts, which every sign of life puts off.
    never_began = Q(started_at__isnull=True)
    over = Q(due_at__lte=now) | (ended & never_began) | (silent & never_began) | Q(command__isnull=True)
    return list(uploads.filter(status__in=LOG_OPEN).filter(over).select_related("command").order_by("due_at")[:SWEPT])


def _end_over(upload: LogUpload, now: datetime) -> bool:
    command = upload.command
    if command is not None and command.status in (CommandStatus.REJECTED, CommandStatus.FAILED, CommandStatus.CANCELLED):
        return _end(upload.pk, upload.station_id, LogStatus.FAILED, _why(upload, command), now)
    if command is not None and command.status in (CommandStatus.TIMED_OUT, CommandStatus.EXPIRED):
        return _end(upload.pk, upload.station_id, LogStatus.EXPIRED, command.detail, now)
    why = upload.reason or (NO_MORE if upload.location else "The charger agreed to send the log, but nothing came.")
    return _end(upload.pk, upload.station_id, LogStatus.EXPIRED, why, now)


def _why(upload: LogUpload, command: Command) -> str:
    if command.status == CommandStatus.CANCELLED:
        return "The request was taken back before it was sent."
    if command.error_code in UNKNOWN and command.sent_at is not None:
        if upload.kind == LogKind.SECURITY:
            return "The charger has no security log to send: it does not know the message. Ask for its diagnostics instead."
        return "The charger cannot send its diagnostics: it does not know the message. Ask for its security log instead."
    return f"The charger refused: {command.detail or command.error_code}."[:300]


def _end(pk: int, station_id: int, status: LogStatus, reason: str, now: datetime, **more: datetime) -> bool:
    """End an open one and the command that waits for it. False: it has ended meanwhile."""
    with transaction.atomic():
        # Whoever holds the station awaits the log in memory.
        registry.bump(station_id)
        uploads = LogUpload.objects.with_scopes_disabled().select_for_update().filter(pk=pk, status__in=LOG_OPEN)
        upload = uploads.first()
        if upload is None:
            return False
        with scope(operator=upload.operator_id):
            LogUpload.objects.filter(pk=pk).update(status=status, reason=reason[:300], finished_at=now, **more)
            end_command(upload, status, reason, now)
        operator_id = upload.operator_id
        transaction.on_commit(lambda: ports.bell.changed(operator_id, stations=[station_id], transactions=[]))
    return True


def end_command(upload: LogUpload, status: LogStatus, detail: str, now: datetime) -> None:
    """The command that waits for a log ends as it does. Only of one that just did not come nobody knows why."""
    ends, known = CommandStatus.CONFIRMED if status == LogStatus.UPLOADED else CommandStatus.NO_EFFECT, status != LogStatus.EXPIRED
    if upload.command_id is not None:
        commandends.decide(command_id=upload.command_id, status=ends.value, detail=detail, now=now, known=known)


COMPANIONS = {GetLog.kind: Companion(made, answered)}
