"""Firmware (OCPP 2.0.1 chapter L): the library of images, and updates of single stations. `firmwareprogress` follows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from accounts.models import Operator, User
from accounts.tokens import plain, taken
from stations import models, ports, selectors
from stations.batch import Batch, of_one
from stations.domain.addresses import without_secrets
from stations.domain.commands import BadCommand, Command, UpdateFirmware
from stations.models import CommandStatus, Firmware, FirmwareUpdate, Station, UpdateFailure, UpdateStatus, Variable
from stations.models.command import OPEN
from stations.services import commandends, commands, effects, firmwareprogress, followups, registry, signatures
from stations.services.firmwareprogress import ADDRESS_HOLDS

FOLDER = "firmware"
#: How often a station tries to fetch, unless it is told otherwise.
RETRIES = 3
#: A plan further ahead is a mistake in the date.
FURTHEST = timedelta(days=90)
#: Until when an update has long ended by itself, however late it was planned.
ENDED_BY = FURTHEST + timedelta(days=10)
#: Updates that a sweep looks at.
SWEPT = 500
#: A station that is asked how it stands has so long to tell.
TELLS_WITHIN = timedelta(minutes=10)
#: How an update ends at a station that does what it says and nothing more.
NOT_RESTARTED = "Said Installed, did not restart"
#: After its command has expired a waiting update is ended by that; this is for when it is not.
GRACE = timedelta(minutes=5)
#: Settings that only stations have which can check a signature although their version need not (1.6 security whitepaper, 4).
EXTENSION = (
    *("AdditionalRootCertificateCheck", "CertificateSignedMaxChainSize", "CertificateStoreMaxLength", "CpoName"),
    "SecurityProfile",
)
#: Too late to take back: the station has all it needs.
BEYOND_RECALL = (UpdateStatus.INSTALLING, UpdateStatus.REBOOTING)
#: Before these a station has nothing of the image, and without the address it gets nothing.
UNFETCHED = (UpdateStatus.WAITING, UpdateStatus.SENT)
AUDITED = ("vendor", "model", "version", "name", "size", "sha256", "notes")

log = structlog.get_logger(__name__)


# The library


def add_firmware(
    *,
    operator: Operator,
    vendor: str,
    version: str,
    name: str,
    path: str,
    size: int,
    sha256: str,
    md5: str,
    model: str = "",
    signature: str = "",
    signing_certificate: str = "",
    notes: str = "",
    user: User | None = None,
) -> Firmware:
    """An image whose file is stored at `path` already. Raises ValidationError with cause and remedy; then the file is nobody's."""
    signature, signing_certificate = "".join(signature.split()), signing_certificate.strip()
    signatures.check(signature=signature, certificate=signing_certificate, sha256=sha256)
    if size == 0:
        raise ValidationError({"file": _("The file is empty.")})
    firmware = Firmware(
        operator=operator,
        vendor=plain(vendor, "vendor"),
        model=plain(model, "model"),
        version=plain(version, "version"),
        name=file_name(name),
        path=path,
        size=size,
        sha256=sha256,
        md5=md5,
        signature=signature,
        signing_certificate=signing_certificate,
        notes=notes.replace("\x00", "").strip(),
        created_at=timezone.now(),
        created_by=user,
    )
    with scope(operator=operator):
        firmware.clean_fields()
        try:
            with transaction.atomic():
                firmware.save(force_insert=True)
                audit.record("firmware.added", firmware, operator=operator, after=audit.fields_of(firmware, *AUDITED))
        except IntegrityError as error:
            message = _("The library has %(image)s already: withdraw that image first, or give this one its own version.")
            raise taken("version", message % {"image": firmware}) from error
    return firmware


def file_name(name: str) -> str:
    """What a file is called in its address: letters, digits, dots and dashes, which every station can write."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in name)
    return kept.strip(".-")[-80:].lstrip(".-") or "firmware.bin"


@transaction.atomic
def withdraw(*, firmware: Firmware) -> None:
    """Offer an image no more, which makes room for another of its version. Updates that are under way go on."""
    now = timezone.now()
    if Firmware.objects.filter(pk=firmware.pk, withdrawn_at__isnull=True).update(withdrawn_at=now):
        firmware.withdrawn_at = now
        audit.record("firmware.withdrawn", firmware, operator=firmware.operator_id, after={"withdrawn_at": now})


# One station


def start(
    *,
    station: Station,
    firmware: Firmware,
    user: User | None = None,
    reason: str = "",
    retrieve_at: datetime | None = None,
    install_at: datetime | None = None,
    retries: int | None = RETRIES,
    retry_interval_s: int | None = None,
    signed: str = "auto",
    expires_in: int | None = None,
    idempotency_key: str | None = None,
) -> FirmwareUpdate:
    """Ask a station to fetch an image and install it. `expires_in`: seconds it may wait for a station that is offline.

    Raises BadCommand if it makes no sense now: an update is open there, it has this version, the image does not fit or is
    withdrawn. With an idempotency key that was used before, returns the update it was used for.
    """
    command = UpdateFirmware(
        firmware=firmware.pk,
        retrieve_at=_written(retrieve_at),
        install_at=_written(install_at),
        retries=retries,
        retry_interval_s=retry_interval_s,
        signed=signed,
    )
    command.check()
    row = commands.issue(
        station=station, command=command, user=user, reason=reason, expires_in=expires_in, idempotency_key=idempotency_key
    )
    return FirmwareUpdate.objects.select_related("firmware", "station").get(command=row)


def made(row: models.Command, station: Station, command: Command) -> None:
    """With the row of an `update_firmware` comes its update, and what its sending needs: the one-time address, the signature.

    One by an address that is not the library's may be asked for while another is under way. Its update is made when the station
    takes it instead (see `firmwareprogress.answered`).
    """
    assert isinstance(command, UpdateFirmware)
    fixed: dict[str, Any] = {} if command.retrieve_at else {"retrieve_at": _written(row.created_at)}
    if any(at is not None and at > row.created_at + FURTHEST for at in (_read(command.retrieve_at), _read(command.install_at))):
        raise BadCommand("Choose a time within the next 90 days.")
    # The state of whoever holds the socket gets the open update; and no two begin at once.
    registry.bump(station.pk)
    station.refresh_from_db(fields=["vendor", "model", "firmware_version"])
    if command.firmware is not None:
        fixed |= _begin_image(row, station, command, command.firmware)
    elif _under_way(row, station) is None:
        _begin(row, station, command, location=without_secrets(command.location)[:512])
    row.facts = row.facts | {"fixed": fixed}
    row.save(update_fields=["facts"])


def _under_way(row: models.Command, station: Station) -> FirmwareUpdate | models.Command | None:
    """What the station was asked to take before this, and has not ended: its update, or a command that has none yet."""
    asked = models.Command.objects.filter(station=station, kind=row.kind, status__in=OPEN).exclude(pk=row.pk)
    asked = asked.exclude(Exists(FirmwareUpdate.objects.filter(command=OuterRef("pk"))))
    return FirmwareUpdate.objects.filter(station=station, finished_at__isnull=True).first() or asked.first()


def _begin_image(row: models.Command, station: Station, command: UpdateFirmware, firmware_id: int) -> dict[str, Any]:
    firmware = Firmware.objects.filter(pk=firmware_id, operator_id=station.operator_id).first()
    if firmware is None:
        raise BadCommand("There is no firmware %(id)s in the library.", id=firmware_id)
    _check_fit(station, firmware)
    if (before := _under_way(row, station)) is not None:
        raise BadCommand(
            "%(station)s is being updated to %(version)s: wait until that has ended, or cancel it first.",
            version=_what(before),
            station=station.identity,
        )
    if command.signed == "yes" and not firmware.signed:
        raise BadCommand("%(firmware)s has no signature to send.", firmware=firmware)
    tried = FirmwareUpdate.objects.filter(station=station, firmware=firmware).aggregate(n=Max("attempt"))["n"] or 0
    token, token_hash = ports.files.credential()
    _begin(row, station, command, firmware=firmware, attempt=tried + 1, token_hash=token_hash)
    fixed = {"location": ports.files.address(FOLDER, token, firmware.name)}
    if command.signed != "no" and firmware.signed:
        fixed |= {"signature": firmware.signature, "signing_certificate": firmware.signing_certificate}
        if command.signed == "auto" and reads_signatures(station):
            fixed["signed"] = "yes"
    return fixed


def _begin(row: models.Command, station: Station, command: UpdateFirmware, *, attempt: int = 1, **what: Any) -> None:
    retrieve_at, install_at = _read(command.retrieve_at), _read(command.install_at)
    update = FirmwareUpdate(
        operator_id=station.operator_id,
        station=station,
        command=row,
        requested_by=row.requested_by,
        attempt=attempt,
        request_id=commands.number_in(row),
        expires_at=max(row.expires_at, retrieve_at or row.expires_at) + ADDRESS_HOLDS,
        retrieve_at=retrieve_at,
        install_at=install_at,
        status_at=row.created_at,
        due_at=row.expires_at + GRACE,
        firmware_before=station.firmware_version,
        steps=[[row.created_at.isoformat(), UpdateStatus.WAITING.value, ""]],
        created_at=row.created_at,
        **what,
    )
    update.save(force_insert=True)
    after = {"firmware": str(update), "from": station.firmware_version, "attempt": update.attempt}
    audit.record("firmware_update.started", station, operator=station.operator_id, after=after, note=row.reason)


def _what(before: FirmwareUpdate | models.Command) -> str:
    if isinstance(before, models.Command):
        return without_secrets(before.params["location"])
    return before.firmware.version if before.firmware else str(before)


def _check_fit(station: Station, firmware: Firmware) -> None:
    """Raise BadCommand if the image must not go to the station now."""
    named = {"station": station.identity, "firmware": firmware}
    if firmware.withdrawn_at is not None:
        raise BadCommand("%(firmware)s was withdrawn from the library: choose another image.", **named)
    if not selectors.fitting(station).filter(pk=firmware.pk).exists():
        told = " ".join(part for part in (station.vendor, station.model) if part)
        if not told:
            raise BadCommand("%(station)s never said what it is, so no firmware is known to fit: let it connect first.", **named)
        raise BadCommand("%(firmware)s does not fit %(station)s, which is a %(told)s.", told=told, **named)
    if firmwareprogress.same_version(station.firmware_version, firmware.version):
        raise BadCommand("%(station)s has %(version)s already.", version=firmware.version, **named)


def reads_signatures(station: Station) -> bool:
    """Whether the station is known to check a firmware's signature: it did before, or has the settings that go with it."""
    if FirmwareUpdate.objects.filter(station=station, signed=True).exists():
        return True
    return Variable.objects.filter(station=station, component="", variable__in=EXTENSION, known=True).exists()


@transaction.atomic
def cancel(*, update: FirmwareUpdate, fetching: bool = True) -> bool:
    """Take an update back: what was not sent never is; of what was, the address is good no more, and nobody follows it.

    `fetching`: also from a station that has begun to fetch the image. False: it has ended, or it is too late, since nobody can
    stop a station that installs.
    """
    with scope(operator=update.operator):
        with of_one(update.station_id, now=timezone.now()) as batch:
            state = batch.station.update
            if state is None or state.id != update.pk or state.status in BEYOND_RECALL:
                return False
            if not fetching and state.status not in UNFETCHED:
                return False
            # Under the station's lock, as a batch would: whoever locks the command first waits for it the other way round.
            unsent = update.command is not None and commandends.cancel(command=update.command)
            ours = "the address it was sent is good no more" if update.firmware else "the station may go on with it"
            detail = "Taken back before it was sent." if unsent else f"Given up; {ours}."
            firmwareprogress.fail(batch, UpdateFailure.CANCELLED, detail)
        audit.record("firmware_update.cancelled", update.station, operator=update.operator_id, before={"update": str(update)})
    return True


def fetched(*, update: FirmwareUpdate) -> bool:
    """The station has begun to fetch the image, which not all say. False: its update has ended meanwhile."""
    with of_one(update.station_id, now=timezone.now()) as batch:
        state = batch.station.update
        if state is None or state.id != update.pk:
            return False
        if state.status in UNFETCHED:
            firmwareprogress.move(batch, UpdateStatus.DOWNLOADING, "Fetches the file")
    return True


#: How an update ends whose command came to nothing without a word of the station.
UNSENT = {
    CommandStatus.EXPIRED: (UpdateFailure.TIMEOUT, "The station did not come back in time."),
    CommandStatus.CANCELLED: (UpdateFailure.CANCELLED, "Taken back before it was sent."),
    CommandStatus.FAILED: (UpdateFailure.REJECTED, "It could not be sent."),
    CommandStatus.REJECTED: (UpdateFailure.REJECTED, ""),
}
#: The answer was lost: the station may be at work all the same.
DOUBTFUL = (CommandStatus.TIMED_OUT, CommandStatus.NO_EFFECT)


def sweep(*, now: datetime) -> int:
    """End the updates whose time is over or whose command came to nothing. Returns how many. Run without a scope.

    1. Find open updates that wait although their command has ended, and those whose step is overdue.
    2. Each in a transaction of its own, under the lock of its station: look again, and end it, ask about it or bring it forward.
    """
    waits = Q(status=UpdateStatus.WAITING, command__status__in=[*UNSENT, *DOUBTFUL])
    found = FirmwareUpdate.objects.filter(waits | Q(due_at__lte=now), finished_at__isnull=True).order_by("due_at")
    ended = 0
    for update_id, station_id in list(found.values_list("pk", "station_id")[:SWEPT]):
        try:
            ended += _swept(update_id, station_id, now)
        except Exception:
            log.exception("a firmware update could not be ended", update=update_id)
    return ended


def _swept(update_id: int, station_id: int, now: datetime) -> bool:
    with of_one(station_id, now=now) as batch:
        update = FirmwareUpdate.objects.select_related("command").get(pk=update_id)
        state = batch.station.update
        if state is None or state.id != update_id:
            return False
        status = CommandStatus(update.command.status) if update.command else None
        if update.status == UpdateStatus.WAITING and status in UNSENT:
            reason, detail = UNSENT[status]
            firmwareprogress.fail(batch, reason, (update.command.detail if update.command else "") or detail)
        elif update.status == UpdateStatus.WAITING and status in DOUBTFUL:
            firmwareprogress.move(batch, UpdateStatus.SENT, "The station did not answer; it may be at work.")
            return False
        elif update.due_at <= now:
            return _overdue(batch, update, now)
        else:
            return False
    return True


def _overdue(batch: Batch, update: FirmwareUpdate, now: datetime) -> bool:
    """A step was not followed by another. A station that is there has more time while somebody charges, and is asked once."""
    said = firmwareprogress.last_word(update.steps)
    if update.status != UpdateStatus.WAITING and selectors.online(now).filter(pk=update.station_id).exists():
        if _waits_for_a_car(batch, update, now):
            firmwareprogress.postpone(batch, until=update.expires_at)
            return False
        if _asked(batch, update, said == firmwareprogress.INSTALLED, now):
            return False
        if said == firmwareprogress.INSTALLED:
            firmwareprogress.finish(batch, NOT_RESTARTED)
            return True
    step = update.get_status_display().lower()
    firmwareprogress.fail(batch, UpdateFailure.TIMEOUT, f"Nothing was heard after this step: {step}.")
    return True


def _waits_for_a_car(batch: Batch, update: FirmwareUpdate, now: datetime) -> bool:
    """Whether somebody charges: most stations put off what disturbs them. It has as long as its address is good."""
    return bool(batch.station.open) and update.status != UpdateStatus.DOWNLOADING and update.expires_at > now


def _asked(batch: Batch, update: FirmwareUpdate, installed: bool, now: datetime) -> bool:
    """Ask the station how it stands, once: how far it is, or if it is `installed`, which version it runs. False: it was asked."""
    line = "Asked which version it runs." if installed else "Asked how far it is."
    command = update.command
    if command is None or any(detail == line for _at, _status, detail in update.steps):
        return False
    about = (update.operator_id, update.station_id, command.pk, command.kind, command.params | {"installed": installed})
    if not followups.ask(batch.cursor, [about], followups.NO_EFFECT, now=now):
        return False
    firmwareprogress.wait(batch, until=now + TELLS_WITHIN, why=line)
    transaction.on_commit(lambda: ports.bell.command(update.station_id))
    return True


def _written(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


#: How far it is stands in the update's row, which gives up sooner.
EFFECTS = {"update_firmware": effects.Effect(effects.within(int(ENDED_BY.total_seconds())))}
