"""How far a firmware update is: what a station's answers, messages and boots say of the one that is open (OCPP 2.0.1 chapter L).

Whoever changes an update does it in a batch, on the station's state; an update that has ended is never changed again.
"""

from datetime import datetime, timedelta
from typing import Any

from stations import topics
from stations.batch import Batch
from stations.domain.events import Done, FirmwareStatusReported, StationBooted
from stations.models import Command, CommandStatus, FirmwareUpdate, Station, UpdateFailure, UpdateStatus

#: Told when an update has ended, done or failed; the object is the update.
ENDED = "firmware_update.ended"
#: Within how many minutes a step must be followed by the next. Slow links take long for an image; a fetch counts as a sign of life.
LIMITS_MIN = {
    UpdateStatus.SENT: 60,
    UpdateStatus.DOWNLOADING: 120,
    UpdateStatus.DOWNLOADED: 60,
    UpdateStatus.VERIFIED: 60,
    UpdateStatus.INSTALLING: 60,
    UpdateStatus.REBOOTING: 30,
}
#: Steps in their order: one that comes late is written down, but takes nothing back.
ORDER = {status.value: number for number, status in enumerate(UpdateStatus)}
#: What a station's words mean (OCPP 2.0.1 FirmwareStatusEnumType, whose names 1.6 shares).
STEPS = {
    "DownloadScheduled": UpdateStatus.SENT,
    "Downloading": UpdateStatus.DOWNLOADING,
    "DownloadPaused": UpdateStatus.DOWNLOADING,
    "Downloaded": UpdateStatus.DOWNLOADED,
    "SignatureVerified": UpdateStatus.VERIFIED,
    "InstallScheduled": UpdateStatus.DOWNLOADED,
    "Installing": UpdateStatus.INSTALLING,
    "InstallRebooting": UpdateStatus.REBOOTING,
    "Installed": UpdateStatus.REBOOTING,
}
FAILURES = {
    "DownloadFailed": UpdateFailure.DOWNLOAD,
    "InvalidSignature": UpdateFailure.SIGNATURE,
    "InstallationFailed": UpdateFailure.INSTALL,
    "InstallVerificationFailed": UpdateFailure.INSTALL,
}
#: A station that came back before it installed came back for another reason.
PROVEN_BY_BOOT = (UpdateStatus.INSTALLING, UpdateStatus.REBOOTING)
#: A station that says more than this says it in the message log only.
MOST_STEPS = 60


def same_version(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


# What the station says


def status_reported(event: FirmwareStatusReported, batch: Batch) -> Done:
    """Keep the newest status on the station, and bring the open update forward. Those of another request are not its own."""
    batch.change(Station, batch.station.id, firmware_status=event.status[:30], firmware_status_at=batch.now)
    batch.touch()
    update = batch.station.update
    if update is None or (event.request_id is not None and event.request_id != update.request_id):
        return Done()
    if failure := FAILURES.get(event.status):
        fail(batch, failure, event.status)
    elif step := STEPS.get(event.status):
        if event.status == "Installed" and same_version(batch.station.firmware_version, update.version):
            # It came back first and says so afterwards.
            finish(batch, event.status)
        else:
            move(batch, step, event.status)
    return Done()


def booted(event: StationBooted, batch: Batch) -> None:
    """The version a station comes back with proves an update, or refutes it. Told before the state holds the new version."""
    update = batch.station.update
    if update is None:
        return
    if same_version(event.firmware_version, update.version):
        if update.status == UpdateStatus.WAITING and update.command_id is not None:
            # It got there by another way: there is nothing left to ask.
            detail = "The station came with this version before it was asked."
            batch.change(Command, update.command_id, status=CommandStatus.CANCELLED.value, detail=detail, finished_at=batch.now)
            batch.tell(topics.COMMAND_FINISHED, update.command_id)
        finish(batch, f"Booted with {event.firmware_version}")
    elif not event.firmware_version and update.steps and update.steps[-1][2] == "Installed":
        # It said so, and there is no more to be had of it.
        finish(batch, "Booted without telling its version")
    elif event.firmware_version and update.status in PROVEN_BY_BOOT:
        fail(batch, UpdateFailure.VERSION, f"Booted with {event.firmware_version}")
    else:
        _write(batch, update.status, f"Booted with {event.firmware_version or 'no version told'}")


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """A command for firmware was answered: taken, refused, or not at all, which is no refusal (the station may be at work)."""
    update = batch.station.update
    if update is None:
        return
    status, detail = change["status"], change.get("detail", "")
    if update.command_id != command_id:
        # Whoever asks for other firmware takes back what was asked before (OCPP 2.0.1 L01).
        if status == CommandStatus.CONFIRMED and update.status != UpdateStatus.WAITING:
            fail(batch, UpdateFailure.CANCELLED, "The station was asked for other firmware.")
        return
    if status in (CommandStatus.REJECTED, CommandStatus.FAILED):
        about_signature = detail.startswith(("InvalidCertificate", "RevokedCertificate"))
        fail(batch, UpdateFailure.SIGNATURE if about_signature else UpdateFailure.REJECTED, detail)
        return
    if facts.get("signed"):
        batch.change(FirmwareUpdate, update.id, signed=True)
    move(batch, UpdateStatus.SENT, detail)


# What is made of it


def move(batch: Batch, status: UpdateStatus, detail: str = "") -> None:
    """Bring the open update of the batch's station to a step; one it has passed is only written down."""
    update = batch.station.update
    assert update is not None, "no update is open"
    if ORDER[status] < ORDER[update.status]:
        _write(batch, status, detail)
        return
    due_at = due(status, batch.now, update.retrieve_at, update.install_at)
    changed = {} if status == update.status else {"status_at": batch.now}
    update.status = status.value
    batch.change(FirmwareUpdate, update.id, status=status.value, due_at=due_at, **changed)
    _write(batch, status, detail)


def postpone(batch: Batch, *, until: datetime) -> None:
    """Somebody charges: give the step its time once more, but not longer than `until`."""
    update = batch.station.update
    assert update is not None, "no update is open"
    due_at = min(until, due(UpdateStatus(update.status), batch.now, update.retrieve_at, update.install_at))
    batch.change(FirmwareUpdate, update.id, due_at=due_at)
    _write(batch, update.status, "Somebody charges: it may wait for the end of that.")


def finish(batch: Batch, detail: str = "") -> None:
    """The station has the version."""
    _end(batch, UpdateStatus.DONE, "", detail)


def fail(batch: Batch, reason: UpdateFailure, detail: str = "") -> None:
    _end(batch, UpdateStatus.FAILED, reason.value, detail)


def due(status: UpdateStatus, now: datetime, retrieve_at: datetime | None, install_at: datetime | None) -> datetime:
    """By when a step must have been followed by another. What is to be fetched or installed later is waited for."""
    starts = now
    if status == UpdateStatus.SENT:
        starts = max(now, retrieve_at or now)
    elif status in (UpdateStatus.DOWNLOADED, UpdateStatus.VERIFIED):
        starts = max(now, install_at or now)
    return starts + timedelta(minutes=LIMITS_MIN[status])


def _end(batch: Batch, status: UpdateStatus, reason: str, detail: str) -> None:
    update = batch.station.update
    assert update is not None, "no update is open"
    _write(batch, status, detail)
    batch.change(
        FirmwareUpdate,
        update.id,
        status=status.value,
        status_at=batch.now,
        reason=reason,
        detail=detail[:300],
        finished_at=batch.now,
    )
    batch.publish(ENDED, update.id)
    batch.station.update = None


def _write(batch: Batch, status: str, detail: str) -> None:
    """One more line of the update's log. The same again is no news."""
    update = batch.station.update
    assert update is not None, "no update is open"
    line = [batch.now.isoformat(), str(status), detail[:200]]
    if update.steps and update.steps[-1][1:] == line[1:]:
        return
    update.steps = [*update.steps[: MOST_STEPS - 1], line]
    batch.change(FirmwareUpdate, update.id, steps=update.steps)
    batch.touch()
