"""Provisioning (OCPP 2.0.1 chapter B): who a station says it is, and whether it may take part."""

from stations import topics
from stations.batch import Batch
from stations.domain.events import BootAnswered, StationBooted
from stations.domain.patience import BOOT_LOOK
from stations.domain.quirks import Make
from stations.domain.values import Note, Registration
from stations.models import Station, Transaction
from stations.services import clocks, displaymessage, firmwareprogress, inventories, smartcharging, transactions
from stations.state import OUTDATED

#: How long a station that is not accepted waits before it boots again, in seconds (OCPP 2.0.1 B02).
RETRY_INTERVAL_S = 60


def booted(event: StationBooted, batch: Batch) -> BootAnswered:
    """Remember what the station says of itself and answer as the operator decided (OCPP 2.0.1 B01-B03, 1.6 4.2)."""
    station = batch.station
    now = batch.frame.received_at if batch.frame else batch.now
    accepted = station.registration is Registration.ACCEPTED
    batch.change(
        Station,
        station.id,
        vendor=event.vendor,
        model=event.model,
        serial_number=event.serial_number,
        firmware_version=event.firmware_version,
        iccid=event.iccid,
        imsi=event.imsi,
        meter_type=event.meter_type,
        meter_serial_number=event.meter_serial_number,
        box_serial_number=event.box_serial_number,
        boot_reason=event.reason,
        booted_at=now,
        accepted_at=now if accepted else None,
    )
    if station.firmware_version and event.firmware_version and station.firmware_version != event.firmware_version:
        detail = f"The firmware changed from {station.firmware_version} to {event.firmware_version}."
        batch.note(Note("firmware_changed", event.firmware_version, detail))
    clocks.booted(batch)
    station.series = None  # it may number its events anew
    transactions.close_of_another_version(batch)
    for transaction in station.open.values():
        # It may have ended with the restart, or go on: see `stations.services.stale`.
        batch.change(Transaction, transaction.id, due_at=batch.now + BOOT_LOOK)
    firmwareprogress.booted(event, batch)
    smartcharging.booted(batch)
    station.firmware_version = event.firmware_version
    make = Make(event.vendor, event.model, event.firmware_version)
    if make != station.make:
        # Other quirks may be its own now; they are looked up before its next message.
        station.make, station.version = make, OUTDATED
    if event.reports and accepted:
        inventories.booted(batch)
    batch.errands.add(station.id)
    batch.tell(topics.STATION_BOOTED, station.id)
    station.accepted = accepted
    if accepted:
        displaymessage.booted(batch)
    batch.touch()
    interval = station.heartbeat_interval_s if accepted else RETRY_INTERVAL_S
    return BootAnswered(status=station.registration, current_time=now, interval_s=interval)
