"""Meter values (OCPP 2.0.1 chapter J): every reading is kept, and a running transaction knows its newest."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from stations.batch import Batch
from stations.domain.events import Done, MetersSampled
from stations.domain.times import believed
from stations.domain.values import Note, Reading, Severity
from stations.lookups import Need, TransactionNeed
from stations.models import MeterSample, Transaction
from stations.services import availability
from stations.state import OpenTransaction, StationState


def sampled_needs(event: MetersSampled, station: StationState) -> Iterable[Need]:
    if event.transaction_id is not None and event.transaction_id not in station.open:
        return (TransactionNeed(station.id, event.transaction_id),)
    return ()


def sampled(event: MetersSampled, batch: Batch) -> Done:
    """Store readings with the transaction they belong to.

    That is the one they name, open or ended; if they name none we know, the only one open on the EVSE that had begun by
    then, with a finding (OCPP 1.6 errata 3.18); else they belong to the EVSE alone.
    """
    if event.evse != 0 and availability.evse(batch, event.evse) is None:
        return Done()
    store(batch, event.evse, _owner(event, batch), event.readings)
    return Done()


def _owner(event: MetersSampled, batch: Batch) -> OpenTransaction | int | None:
    """An open transaction, the key of one that has ended, or None."""
    station = batch.station
    if event.transaction_id is not None:
        transaction = station.open.get(event.transaction_id)
        if transaction is not None:
            return transaction
        ended = batch.lookups.transactions.get(TransactionNeed(station.id, event.transaction_id))
        if ended is not None:
            return ended.id
    if event.evse == 0 or not event.readings:
        return None
    at = believed(event.readings[0].at, batch.frame.received_at if batch.frame else batch.now, [])
    begun = [t for t in station.open_on(event.evse) if t.started_at <= at]
    if event.transaction_id is None or len(begun) != 1:
        if event.transaction_id not in (None, "0", "-1"):
            detail = f"Meter values name transaction {event.transaction_id}, which is not known."
            batch.note(Note("transaction_unknown", f"EVSE {event.evse}", detail, Severity.WARNING))
        return begun[0] if len(begun) == 1 else None
    detail = f"Meter values name transaction {event.transaction_id}; they were attached to the one that is open on the EVSE."
    batch.note(Note("transaction_attached", f"EVSE {event.evse}", detail, Severity.WARNING), begun[0].id)
    return begun[0]


def store(batch: Batch, evse: int, owner: OpenTransaction | int | None, readings: Iterable[Reading]) -> None:
    """Add the readings as samples, and carry the newest into an open transaction."""
    station = batch.station
    received_at = batch.frame.received_at if batch.frame else batch.now
    transaction_id = owner.id if isinstance(owner, OpenTransaction) else owner
    for reading in readings:
        notes: list[Note] = []
        at = believed(reading.at, received_at, notes)
        for note in notes:
            batch.note(note, transaction_id)
        if at is not reading.at:
            reading = replace(reading, at=at)
        batch.add(
            MeterSample,
            id=batch.next_id("sample"),
            operator_id=station.operator_id,
            station_id=station.id,
            transaction_id=transaction_id,
            evse_number=evse,
            at=at,
            context=reading.context,
            energy_wh=reading.energy_wh,
            power_w=reading.power_w,
            current_a=reading.current_a,
            voltage_v=reading.voltage_v,
            soc_percent=reading.soc_percent,
            extra=reading.extra or None,
        )
        if isinstance(owner, OpenTransaction):
            _carry(batch, owner, reading)
    batch.touch(transaction_id=transaction_id)


def _carry(batch: Batch, transaction: OpenTransaction, reading: Reading) -> None:
    """A running transaction shows its newest reading. Energy never falls: a register that does leaves a finding."""
    if transaction.meter_last_at is not None and reading.at < transaction.meter_last_at:
        return
    change: dict[str, object] = {}
    if reading.power_w is not None:
        change["power_w"] = reading.power_w
    if reading.soc_percent is not None:
        change["soc_percent"] = reading.soc_percent
    if reading.energy_wh is not None:
        floor = transaction.meter_last_wh if transaction.meter_last_wh is not None else transaction.meter_start_wh
        if floor is not None and reading.energy_wh < floor:
            # Meters drop out and report 0 in between (lbbrhzn/ocpp#374).
            detail = f"The register fell from {floor} to {reading.energy_wh} Wh at {reading.at.isoformat()}."
            batch.note(Note("register_decreased", "energy", detail, Severity.WARNING), transaction.id)
        else:
            transaction.meter_last_wh = reading.energy_wh
            change["meter_last_wh"] = reading.energy_wh
            if transaction.meter_start_wh is not None:
                change["energy_wh"] = max(reading.energy_wh - transaction.meter_start_wh, Decimal(0))
    if change:
        transaction.meter_last_at = reading.at
        change["meter_last_at"] = reading.at
        batch.change(Transaction, transaction.id, **change)
