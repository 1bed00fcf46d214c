"""Publishing firmware (OCPP 2.0.1 L03, L04): a local controller fetches a file once, and the stations behind it fetch it there."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from accounts import audit
from stations import ports
from stations.batch import Batch, clean
from stations.domain.addresses import without_secrets
from stations.domain.commands import BadCommand, Command, PublishFirmware
from stations.domain.event import Event
from stations.domain.events import Done, FirmwarePublicationReported
from stations.flush import Cursor
from stations.models import Command as CommandRow
from stations.models import CommandStatus, Firmware, FirmwarePublication, PublicationStatus, Station
from stations.services import commands, effects
from stations.services.companions import Companion
from stations.services.firmware import FOLDER
from stations.services.firmwareprogress import ADDRESS_HOLDS
from stations.services.rules import Rule
from stations.state import AwaitedEffect, StationState

#: A large image on a slow line takes hours.
WITHIN_S = 8 * 3600
NO_MORE = "The station said no more of it."
#: Addresses that are kept of a publication.
MOST = 10
#: What a station's words mean (OCPP 2.0.1 PublishFirmwareStatusEnumType); Idle says nothing of any publication.
STEPS = {
    "DownloadScheduled": PublicationStatus.SENT,
    "Downloading": PublicationStatus.DOWNLOADING,
    "DownloadPaused": PublicationStatus.DOWNLOADING,
    "Downloaded": PublicationStatus.DOWNLOADED,
    "ChecksumVerified": PublicationStatus.VERIFIED,
    "Published": PublicationStatus.PUBLISHED,
    "DownloadFailed": PublicationStatus.FAILED,
    "InvalidChecksum": PublicationStatus.FAILED,
    "PublishFailed": PublicationStatus.FAILED,
}
FAILURES = {
    "DownloadFailed": "The station could not fetch the file.",
    "InvalidChecksum": "What the station fetched has another checksum.",
    "PublishFailed": "The station has the file, but could not hand it on.",
}

REPORTED = """
UPDATE stations_firmwarepublication SET status = %(status)s, status_at = %(now)s, detail = %(detail)s,
    locations = CASE WHEN %(locations)s::jsonb = '[]' THEN locations ELSE %(locations)s::jsonb END,
    finished_at = CASE WHEN %(over)s THEN %(now)s ELSE finished_at END
WHERE station_id = %(station)s AND request_id = %(request)s AND finished_at IS NULL
"""
FOLLOWED = """
UPDATE stations_firmwarepublication SET status = %s, status_at = %s, detail = %s, finished_at = %s
WHERE command_id = %s AND finished_at IS NULL AND (status = 'waiting' OR %s)
"""
STANDS = "SELECT status, detail FROM stations_firmwarepublication WHERE command_id = %s"
#: Open ones whose command has ended without them, or is gone.
SILENT = """
UPDATE stations_firmwarepublication p SET status = 'failed', status_at = %(now)s, detail = %(detail)s, finished_at = %(now)s
WHERE finished_at IS NULL AND status_at <= %(before)s
  AND NOT EXISTS (SELECT FROM stations_command c WHERE c.id = p.command_id AND c.finished_at IS NULL)
RETURNING operator_id, station_id
"""
TAKEN_BACK = """
UPDATE stations_firmwarepublication SET status = 'unpublished', status_at = %s
WHERE station_id = %s AND lower(checksum) = lower(%s) AND status = 'published'
"""


def made(row: CommandRow, station: Station, command: Command) -> None:
    """With the row of a `publish_firmware` comes its publication, and the one-time address that its sending needs."""
    assert isinstance(command, PublishFirmware)
    firmware, token_hash, fixed = None, None, {}
    checksum, location = command.checksum, command.location
    if command.firmware is not None:
        firmware = Firmware.objects.filter(pk=command.firmware, operator_id=station.operator_id).first()
        if firmware is None:
            raise BadCommand("There is no firmware %(id)s in the library.", id=command.firmware)
        if firmware.withdrawn_at is not None:
            raise BadCommand("%(firmware)s was withdrawn from the library: choose another image.", firmware=firmware)
        token, token_hash = ports.files.credential()
        checksum, location = firmware.md5, ""
        fixed = {"location": ports.files.address(FOLDER, token, firmware.name), "checksum": checksum}
    open_one = FirmwarePublication.objects.filter(station=station, checksum=checksum, finished_at=None)
    if open_one.exists():
        raise BadCommand("%(station)s is asked to hand on this file already: wait for that to end.", station=station.identity)
    request_id = commands.number_in(row)
    # Under a number that is in use the station's statuses could not be told apart.
    if FirmwarePublication.objects.filter(station=station, request_id=request_id, finished_at=None).exists():
        raise BadCommand(
            "A publication with the number %(number)s is under way: choose another requestId, or wait for that to end.",
            number=request_id,
        )
    FirmwarePublication.objects.create(
        operator_id=station.operator_id,
        station=station,
        firmware=firmware,
        command=row,
        requested_by=row.requested_by,
        request_id=request_id,
        location=without_secrets(location),
        checksum=checksum,
        token_hash=token_hash,
        expires_at=row.expires_at + ADDRESS_HOLDS,
        status_at=row.created_at,
        created_at=row.created_at,
    )
    if fixed:
        row.facts = row.facts | {"fixed": fixed}
        row.save(update_fields=["facts"])
    told = {"firmware": str(firmware) if firmware else without_secrets(location), "checksum": checksum}
    audit.record("firmware_publication.asked", station, operator=station.operator_id, after=told, note=row.reason)


def nothing_more(row: CommandRow, station: Station, command: Command) -> None:
    """No row of its own goes with it."""


# What the station says


def reported(event: FirmwarePublicationReported, batch: Batch) -> Done:
    """Bring the publication forward (L03). One that was published or has failed is over."""
    batch.touch()
    step = STEPS.get(event.status)
    asked = _asked(event, batch.station)
    number = event.request_id if event.request_id is not None or asked is None else asked.facts.get("request_id")
    if step is None or number is None:
        return Done()
    detail = FAILURES.get(event.status, "")
    over = step in (PublicationStatus.PUBLISHED, PublicationStatus.FAILED)
    told = {"status": step.value, "now": batch.now, "detail": detail, "over": over, "request": number}
    places = Jsonb([clean(one)[:512] for one in event.locations[:MOST]])
    batch.cursor.execute(REPORTED, told | {"station": batch.station.id, "locations": places})
    if detail and asked:
        commands.decide(batch, asked, "no_effect", detail=detail[:300])
    return Done()


def _asked(event: FirmwarePublicationReported, station: StationState) -> AwaitedEffect | None:
    """The command that a status is about: by its number, or where the message has none the newest."""
    asked = [one for one in station.awaiting if one.kind == PublishFirmware.kind]
    if event.request_id is not None:
        asked = [one for one in asked if one.facts.get("request_id") == event.request_id]
    return asked[-1] if asked else None


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    status, detail, over = PublicationStatus.SENT, change.get("detail", ""), None
    # One that does not answer may fetch it all the same; but nothing would end it then, and it could not be asked again.
    if change["status"] in (CommandStatus.REJECTED, CommandStatus.FAILED, CommandStatus.TIMED_OUT):
        status, over = PublicationStatus.FAILED, batch.now
    _follow(batch.cursor, command_id, status, detail, batch.now, over)
    # It may have failed before it answered.
    awaited = next((one for one in batch.station.awaiting if one.command_id == command_id), None)
    if awaited is not None and (why := _stands(batch, command_id, PublicationStatus.FAILED)):
        commands.decide(batch, awaited, "no_effect", detail=why[:300])


def ended(cursor: Cursor, command_id: int, status: str, now: datetime) -> None:
    """It was never sent, or nothing was heard of it for long."""
    said = {CommandStatus.NO_EFFECT: NO_MORE, CommandStatus.TIMED_OUT: "The answer was lost."}
    detail = said.get(CommandStatus(status), "It did not reach the station.")
    _follow(cursor, command_id, PublicationStatus.FAILED, detail, now, now)


def _follow(cursor: Cursor, command_id: int, status: PublicationStatus, detail: str, now: datetime, over: datetime | None) -> None:
    cursor.execute(FOLLOWED, (status.value, now, detail[:300], over, command_id, over is not None))


def sweep(*, now: datetime) -> int:
    """End the publications of which nothing is heard and that no command waits for any more. Returns how many. Idempotent."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SILENT, {"now": now, "detail": NO_MORE, "before": now - timedelta(seconds=WITHIN_S)})
        ended = cursor.fetchall()
    for operator_id, station_id in ended:
        ports.bell.changed(operator_id, stations=[station_id], transactions=[])
    return len(ended)


def taken_back(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """It hands the file on no more (L04); one that stations fetch just now it goes on handing on."""
    if change["status"] == CommandStatus.CONFIRMED:
        batch.cursor.execute(TAKEN_BACK, (batch.now, batch.station.id, facts["checksum"]))
    batch.touch()


def _published(awaited: AwaitedEffect, event: Event, batch: Batch) -> bool:
    if not isinstance(event, FirmwarePublicationReported) or event.status != "Published":
        return False
    return _asked(event, batch.station) is awaited


def _published_already(awaited: AwaitedEffect, batch: Batch, asked_at: datetime) -> bool:
    """Files are seldom published, so this may look into the table."""
    return _stands(batch, awaited.command_id, PublicationStatus.PUBLISHED) is not None


def _stands(batch: Batch, command_id: int, status: PublicationStatus) -> str | None:
    """What is said of the command's publication if it stands so."""
    row = batch.cursor.execute(STANDS, (command_id,)).fetchone()
    return row[1] if row is not None and row[0] == status.value else None


RULES: dict[type[Event], Rule] = {FirmwarePublicationReported: Rule(reported)}
EFFECTS = {"publish_firmware": effects.Effect(effects.within(WITHIN_S), _published, _published_already)}
COMPANIONS = {
    "publish_firmware": Companion(made, answered, ended),
    "unpublish_firmware": Companion(nothing_more, taken_back),
}
