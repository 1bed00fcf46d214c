"""What stands around the chargers of the world of the pages: firmware, settings, logs, messages."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from accounts import audit
from accounts.models import IdToken, Operator, User
from billing.models import ArchiveFile, ReceiptArchive
from csms.files import storage
from stations.models import (
    Command,
    Firmware,
    FirmwareUpdate,
    LogUpload,
    MessageLogEntry,
    Station,
    Variable,
)
from tests.firmware import made_image, made_update

LONG_TAG = "04A1B2C3D4E5F60708091011121314"
REASONS = ("unknown_station", "wrong_password", "no_password", "not_a_websocket")


def changed(ada: User, station: Station, card: IdToken) -> None:
    """By a person, a program and the system; with a reason, a secret, and nothing before or after."""
    operator = station.operator
    with audit.acting(ada, via="page"):
        was = {"status": "Blocked", "blocked_because": "Lost", "expires_at": None}
        now = {"status": "Accepted", "blocked_because": "", "expires_at": timezone.now()}
        audit.record("id_token.changed", card, operator=operator, before=was, after=now)
        audit.record("command.asked", station, operator=operator, after={"command": "reset", "when": "idle"}, note="Ground failure")
    with audit.acting(ada, via="api", label=f"{ada.email} (key csms_a1b2c3)"):
        audit.record(
            "station.password_changed", station, operator=operator, before={"password_hash": "a"}, after={"password_hash": "b"}
        )
    audit.record("id_token.removed", operator=operator, label="GONE-CARD", before={"value": "GONE-CARD"})


def asked_for(station: Station, status: str) -> Command:
    now = timezone.now()
    return Command.objects.create(
        operator=station.operator, station=station, kind="reset", params={"when": "idle"}, status=status, reason="Ground failure",
        detail="" if status in ("queued", "sent") else "Not now", created_at=now, expires_at=now + timedelta(hours=1),
        action="Reset", response={"status": "Rejected"} if status == "rejected" else None,
        sent_at=None if status == "queued" else now, finished_at=now if status == "confirmed" else None,
    )  # fmt: skip


def firmware_of(station: Station, offline: Station) -> tuple[Firmware, FirmwareUpdate]:
    """An image, and updates: one under way, one at each end; another charger could be given one."""
    image = made_image(station.operator, station.vendor, "2.4.1", notes="Mends the lock.", signed=True)
    made_image(station.operator, station.vendor, "2.3.0", model=station.model)
    Station.objects.filter(pk=offline.pk).update(vendor=station.vendor, model=station.model, firmware_version="2.3.0")
    ends = [("failed", "download", "DownloadFailed"), ("done", "", "Booted with 2.4.1")]
    for attempt, (status, reason, detail) in enumerate(ends, start=1):
        made_update(station, image, attempt=attempt, status=status, reason=reason, detail=detail, finished_at=timezone.now())
    return image, made_update(station, image, attempt=3, status="downloading", bytes_served=2)


def settings_of(station: Station) -> list[Variable]:
    """One that drifts, one that cannot be changed, and one of every other kind."""
    now = timezone.now()
    rows: list[dict[str, Any]] = [
        {"variable": "HeartbeatInterval", "value": "300", "wanted": "60", "unit": "s"},
        {"variable": "NumberOfConnectors", "value": "9", "mutability": "ReadOnly"},
        {"variable": "AllowOfflineTx", "value": "true", "wanted": "true", "data_type": "boolean"},
        {"variable": "Phases", "value": "L1,L2,L3,N", "component": "EVSE", "evse_number": 1},
        {"variable": "AuthorizationKey", "mutability": "WriteOnly"},
        {"variable": "Unheard", "known": False, "reported_at": None},
    ]
    return [
        Variable.objects.create(operator=station.operator, station=station, **{"reported_at": now} | fields) for fields in rows
    ][:2]


def logs_of(station: Station) -> list[LogUpload]:
    """One that is here, one that is on its way, and one that failed."""
    now, paths = timezone.now(), [storage.new_path("logs", station.operator_id)]
    with storage.Writer(paths[0], limit=100) as writer:
        writer.write(b"a log of\nthe world")
        writer.finish()
    fields = {"operator": station.operator, "station": station, "created_at": now, "expires_at": now, "due_at": now + timedelta(1)}
    rows: list[dict[str, Any]] = [
        {"kind": "diagnostics", "status": "uploaded", "filename": "diag.zip", "size": 18, "path": paths[0], "finished_at": now},
        {"kind": "diagnostics", "status": "uploading", "size": 3_000_000, "started_at": now},
        {"kind": "security", "status": "failed", "reason": "The charger refused: Rejected.", "since": now, "finished_at": now},
    ]
    return [LogUpload.objects.create(**fields | row, token_hash=f"{station.pk}-{number}") for number, row in enumerate(rows)][:2]


def archived(operator: Operator) -> ArchiveFile:
    """Files of a month's receipts: one month that is ready, one being made, one that stopped."""
    now, path = timezone.now(), storage.new_path("receipts", operator.pk)
    with storage.Writer(path, limit=100) as writer:
        writer.write(b"a ZIP of\nthe world")
        writer.finish()
    given = {"operator": operator, "since": now, "until": now, "whole": True, "created_at": now, "total": 12}
    lost = [{"receipt": 1, "number": "R2026-00001", "error": "The PDF could not be made."}]
    ready = {"state": "done", "made": 12, "busy_s": 3, "finished_at": now, "unprinted": lost}
    one = ReceiptArchive.objects.create(**given | ready, month=date(2026, 1, 1))
    ReceiptArchive.objects.create(**given | {"whole": False}, month=date(2026, 2, 1), made=4, busy_s=1, due_at=now)
    ReceiptArchive.objects.create(**given, month=date(2026, 3, 1), state="failed", finished_at=now, error="No space left on device")
    return ArchiveFile.objects.create(
        archive=one, part=1, path=path, size=18, receipts=12, first="R2026-00001", last="R2026-00012", created_at=now
    )


def messages_of(station: Station) -> MessageLogEntry:
    """From and to the charger: answered, refused, never answered. Returns the refused one."""
    fields = {"operator_id": station.operator_id, "station_id": station.pk, "protocol": "ocpp1.6", "handling_us": 2400}
    fields |= {"received_at": timezone.now(), "message_id": "m1", "action": "MeterValues"}
    call = '[2,"m1","MeterValues",{"connectorId":"one","meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[]}]}]'
    error = '[4,"m1","FormationViolation","sampledValue is empty",{}]'
    MessageLogEntry.objects.bulk_create(
        MessageLogEntry(
            **fields | {"received_at": timezone.now(), "message_id": "m1", "action": "MeterValues", "call": call} | more
        )
        for more in (
            {"direction": "in", "outcome": "result", "answer": '[3,"m1",{}]', "event": "MetersSampled"},
            {"direction": "out", "outcome": "", "action": "Reset"},
            {"direction": "in", "outcome": "FormationViolation", "answer": error},
        )
    )
    return MessageLogEntry.objects.get(station=station, outcome="FormationViolation")
