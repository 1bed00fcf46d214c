"""How far a firmware update is: what a station's answers, messages and boots say of the one that is open (OCPP 2.0.1 chapter L).

Whoever changes an update does it in a batch, on the station's state; an update that has ended is never changed again.
"""

from datetime import datetime, timedelta
from typing import Any

from stations import topics
from stations.batch import Batch
from stations.domain.addresses import without_secrets
from stations.domain.events import Done, FirmwareStatusReported, StationBooted
from stations.domain.patience import BEGINS_WITHIN
from stations.models import Command, CommandStatus, FirmwareUpdate, Station, UpdateFailure, UpdateStatus
from stations.services import commands
from stations.state import AwaitedEffect, UpdateState

#: Told when an update has ended, done or failed; the object is the update.
ENDED = "firmware_update.ended"
#: What a station puts off by itself.
PUT_OFF = ("DownloadScheduled", "InstallScheduled")
#: Within how many minutes a step must be followed by the next. Slow links take long for an image; a fetch counts as a sign of life.
LIMITS_MIN = {
    UpdateStatus.SENT: 60,
    UpdateStatus.DOWNLOADING: 120,
    UpdateStatus.DOWNLOADED: 60,
    UpdateStatus.VERIFIED: 60,
    UpdateStatus.INSTALLING: 60,
    UpdateStatus.REBOOTING: 30,
    # That waits for the station's own hours.
    **dict.fromkeys(PUT_OFF, 24 * 60),
}
#: How long an address is good after the latest time at which the station may begin to fetch.
ADDRESS_HOLDS = timedelta(hours=24)
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
    # Some say so before they restart, so the boot is the proof.
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
#: The last word of a station that is done.
INSTALLED = "Installed"
#: What it says when it does nothing about firmware, if it is asked; and how an update ends on which it should be at work then.
IDLE, NOTHING_DONE = "Idle", "The station says that no update is under way."
#: How it ended.
END = ("status", "reason", "detail")
#: A command, and the update that was made with it.
MADE = """
SELECT c.requested_by_id, c.created_at, c.expires_at, u.id, u.status, u.reason, u.detail
FROM stations_command c LEFT JOIN stations_firmwareupdate u ON u.command_id = c.id WHERE c.id = %s
"""


def same_version(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def last_word(steps: list[list[str]]) -> str:
    """What the station said last of how far it is; empty: nothing yet."""
    return next((said for _at, _status, said in reversed(steps) if said in STEPS), "")


# What the station says


def status_reported(event: FirmwareStatusReported, batch: Batch) -> Done:
    """Keep the newest status on the station, and bring the open update forward. Those of another request are not its own."""
    batch.change(Station, batch.station.id, firmware_status=event.status[:30], firmware_status_at=batch.now)
    batch.touch()
    update = batch.station.update
    if update is None or (event.request_id is not None and event.request_id != update.request_id):
        return Done()
    if event.status == IDLE:
        if _at_work(update, charging=bool(batch.station.open), now=batch.now):
            fail(batch, UpdateFailure.IDLE, NOTHING_DONE)
    elif failure := FAILURES.get(event.status):
        fail(batch, failure, event.status)
    elif step := STEPS.get(event.status):
        if event.status == INSTALLED and update.version and same_version(batch.station.firmware_version, update.version):
            # It came back first and says so afterwards.
            finish(batch, event.status)
        else:
            move(batch, step, event.status)
    return Done()


def _at_work(update: UpdateState, *, charging: bool, now: datetime) -> bool:
    """Whether a station should be doing something about its update: it had the time to begin, nothing is planned for later or put
    off, also by whoever charges, and there is more to do than to restart (OCPP 2.0.1 L01)."""
    status, said = UpdateStatus(update.status), last_word(update.steps)
    if status == UpdateStatus.WAITING or said in (INSTALLED, *PUT_OFF) or (charging and status != UpdateStatus.DOWNLOADING):
        return False
    since = next((datetime.fromisoformat(at) for at, step, _said in update.steps if step == status), now)
    return max(since, _planned(update, status) or since) + BEGINS_WITHIN <= now


def booted(event: StationBooted, batch: Batch) -> None:
    """The version a station comes back with proves an update, or refutes it. Told before the state holds the new version."""
    update = batch.station.update
    if update is None:
        return
    if _proven(event.firmware_version, batch.station.firmware_version, update):
        if update.status == UpdateStatus.WAITING and update.command_id is not None:
            # It got there by another way: there is nothing left to ask.
            detail = "The station came with this version before it was asked."
            batch.change(Command, update.command_id, status=CommandStatus.CANCELLED.value, detail=detail, finished_at=batch.now)
            batch.tell(topics.COMMAND_FINISHED, update.command_id)
        finish(batch, f"Booted with {event.firmware_version}")
        return
    told = f"Booted with {event.firmware_version or 'no version told'}"
    comparable = event.firmware_version and update.version
    if not comparable and last_word(update.steps) == INSTALLED:
        # It said so, and there is no more to be had of it.
        finish(batch, told)
    elif comparable and update.status in PROVEN_BY_BOOT:
        fail(batch, UpdateFailure.VERSION, told)
    else:
        _write(batch, update.status, told)


def _proven(told: str, before: str, update: UpdateState) -> bool:
    """Whether the version it tells is the one the update was to bring; where nobody knows that, whether it is a new one."""
    if update.version:
        return same_version(told, update.version)
    asked = update.status != UpdateStatus.WAITING
    return bool(asked and told and before) and not same_version(told, before)


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """A command for firmware was answered: taken, refused, or not at all, which is no refusal (the station may be at work)."""
    update = batch.station.update
    status, detail = change["status"], change.get("detail", "")
    if update is None or update.command_id != command_id:
        if status == CommandStatus.ACCEPTED:
            _taken(batch, batch.station.awaiting[-1], detail)
        return
    if status in (CommandStatus.REJECTED, CommandStatus.FAILED):
        about_signature = detail.startswith(("InvalidCertificate", "RevokedCertificate"))
        fail(batch, UpdateFailure.SIGNATURE if about_signature else UpdateFailure.REJECTED, detail)
        return
    if facts.get("signed"):
        batch.change(FirmwareUpdate, update.id, signed=True)
    move(batch, UpdateStatus.SENT, detail)


def _taken(batch: Batch, asked: AwaitedEffect, detail: str) -> None:
    """What is not followed was taken: either it has ended before the answer came, or it takes the place of what was (L01)."""
    found = batch.cursor.execute(MADE, (asked.command_id,)).fetchone()
    assert found is not None, "what was answered stands in the table"
    requested_by, created_at, expires_at, update_id, *end = found
    if update_id is not None:
        # What this batch made of it is not written yet.
        end = [batch.changed[FirmwareUpdate].get(update_id, {}).get(*one) for one in zip(END, end, strict=True)]
        _decide(batch, asked.command_id, *end)
        return
    if batch.station.update is not None:
        fail(batch, UpdateFailure.CANCELLED, "The station was asked for other firmware.")
    planned = [datetime.fromisoformat(at) if (at := asked.params[name]) else None for name in ("retrieve_at", "install_at")]
    number = asked.facts.get("request_id", commands.number_of(asked.command_id))
    steps = [[created_at.isoformat(), UpdateStatus.WAITING.value, ""]]
    update = UpdateState(
        batch.next_id("firmware_update"), asked.command_id, number, UpdateStatus.WAITING.value, "", steps, *planned
    )
    batch.add(
        FirmwareUpdate,
        id=update.id,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        command_id=asked.command_id,
        requested_by_id=requested_by,
        location=without_secrets(asked.params["location"])[:512],
        attempt=1,
        request_id=number,
        signed=bool(asked.facts.get("signed")),
        expires_at=max(expires_at, update.retrieve_at or expires_at) + ADDRESS_HOLDS,
        retrieve_at=update.retrieve_at,
        install_at=update.install_at,
        firmware_before=batch.station.firmware_version,
        created_at=created_at,
    )
    batch.station.update = update
    move(batch, UpdateStatus.SENT, detail)


# What is made of it


def move(batch: Batch, status: UpdateStatus, detail: str = "") -> None:
    """Bring the open update of the batch's station to a step; one it has passed is only written down."""
    update = batch.station.update
    assert update is not None, "no update is open"
    if ORDER[status] < ORDER[update.status]:
        _write(batch, status, detail)
        return
    due_at = due(update, status, detail, batch.now)
    changed = {} if status == update.status else {"status_at": batch.now}
    update.status = status.value
    batch.change(FirmwareUpdate, update.id, status=status.value, due_at=due_at, **changed)
    _write(batch, status, detail)


def postpone(batch: Batch, *, until: datetime) -> None:
    """Somebody charges: give the step its time once more, but not longer than `until`."""
    update = batch.station.update
    assert update is not None, "no update is open"
    due_at = min(until, due(update, UpdateStatus(update.status), last_word(update.steps), batch.now))
    wait(batch, until=due_at, why="Somebody charges: it may wait for the end of that.")


def wait(batch: Batch, *, until: datetime, why: str) -> None:
    """Give the step more time."""
    update = batch.station.update
    assert update is not None, "no update is open"
    batch.change(FirmwareUpdate, update.id, due_at=until)
    _write(batch, update.status, why)


def finish(batch: Batch, detail: str = "") -> None:
    """The station has the version."""
    _end(batch, UpdateStatus.DONE, "", detail)


def fail(batch: Batch, reason: UpdateFailure, detail: str = "") -> None:
    _end(batch, UpdateStatus.FAILED, reason.value, detail)


def due(update: UpdateState, status: UpdateStatus, said: str, now: datetime) -> datetime:
    """By when a step must have been followed by another. What is to be fetched or installed later is waited for."""
    starts = max(now, _planned(update, status) or now)
    return starts + timedelta(minutes=LIMITS_MIN.get(said, LIMITS_MIN[status]))


def _planned(update: UpdateState, status: UpdateStatus) -> datetime | None:
    """For when what comes after a step is planned."""
    if status == UpdateStatus.SENT:
        return update.retrieve_at
    return update.install_at if status in (UpdateStatus.DOWNLOADED, UpdateStatus.VERIFIED) else None


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
    if update.command_id is not None:
        _decide(batch, update.command_id, status, reason, detail)
    batch.station.update = None


def _decide(batch: Batch, command_id: int, status: str, reason: str, detail: str) -> None:
    """The command that was accepted ends as its update did."""
    end = CommandStatus.CONFIRMED if status == UpdateStatus.DONE else CommandStatus.NO_EFFECT
    if reason == UpdateFailure.CANCELLED:
        end = CommandStatus.CANCELLED
    for awaited in [one for one in batch.station.awaiting if one.command_id == command_id]:
        commands.decide(batch, awaited, end.value, detail=detail[:300])


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
