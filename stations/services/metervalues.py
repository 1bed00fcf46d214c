"""Meter values (OCPP 2.0.1 chapter J): every reading is kept, and a running transaction knows its newest."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from stations import courses, topics
from stations.batch import Batch
from stations.domain.events import Done, MetersSampled
from stations.domain.metering import SLACK_WH
from stations.domain.values import Doubt, Note, Reading, Reconstruction, Severity
from stations.lookups import Need, TransactionNeed
from stations.models import MeterSample, Transaction
from stations.services import afterwards, availability, clocks, parking, signedreadings
from stations.state import StationState, TransactionState

#: How far a running transaction is, is told this often at most.
TOLD_EVERY = timedelta(seconds=60)


def sampled_needs(event: MetersSampled, station: StationState) -> Iterable[Need]:
    if event.transaction_id is not None and event.transaction_id not in station.open:
        return (TransactionNeed(station.id, event.transaction_id),)
    return ()


def sampled(event: MetersSampled, batch: Batch) -> Done:
    """Store readings with the transaction they belong to.

    That is the one they name, open or ended; if they name none we know, the only one open on the EVSE that had begun by
    then, with a finding (OCPP 1.6 errata 3.18); else they belong to the EVSE alone.
    """
    if event.readings:
        clocks.heard(batch, event.readings[-1].at)
    if event.evse != 0 and availability.evse(batch, event.evse) is None:
        return Done()
    owner = _owner(event, batch)
    store(batch, event.evse, owner, event.readings)
    if owner is not None:
        afterwards.late(batch, owner)
    return Done()


def _owner(event: MetersSampled, batch: Batch) -> TransactionState | None:
    """The transaction, open or ended, or None."""
    station = batch.station
    if event.transaction_id is not None:
        transaction = station.open.get(event.transaction_id)
        if transaction is not None:
            return transaction
        ended = batch.lookups.transactions.get(TransactionNeed(station.id, event.transaction_id))
        if ended is not None:
            return ended
    if event.evse == 0 or not event.readings:
        return None
    at = clocks.time_of(batch, event.readings[0].at, [])
    begun = [t for t in station.open_on(event.evse) if t.started_at <= at]
    if event.transaction_id is None or len(begun) != 1:
        if event.transaction_id not in (None, "0", "-1"):
            detail = f"Meter values name transaction {event.transaction_id}, which is not known."
            batch.note(Note("transaction_unknown", f"EVSE {event.evse}", detail, Severity.WARNING))
        return begun[0] if len(begun) == 1 else None
    detail = f"Meter values name transaction {event.transaction_id}; they were attached to the one that is open on the EVSE."
    batch.note(Note("transaction_attached", f"EVSE {event.evse}", detail, Severity.WARNING), begun[0].id)
    return begun[0]


def store(batch: Batch, evse: int, owner: TransactionState | int | None, readings: Iterable[Reading]) -> None:
    """Add the readings as samples, and carry the newest into the transaction, if it can still learn from them."""
    station = batch.station
    known = owner if isinstance(owner, TransactionState) else None
    transaction_id = owner.id if isinstance(owner, TransactionState) else owner
    for reading in readings:
        notes: list[Note] = []
        at = clocks.time_in(batch, known, reading.at, notes) if known is not None else clocks.time_of(batch, reading.at, notes)
        for note in notes:
            batch.note(note, transaction_id)
        if at is not reading.at:
            reading = replace(reading, at=at)
        if reading.signed:
            signedreadings.keep(batch, reading, evse=evse, transaction_id=transaction_id)
            if replace(reading, signed=()) == Reading(reading.at, reading.context):
                continue  # nothing was measured beside it
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
            current_sum_a=reading.current_sum_a,
            voltage_v=reading.voltage_v,
            soc_percent=reading.soc_percent,
            extra=reading.extra or None,
            owner=-evse if transaction_id is None else transaction_id,
        )
        if known is None:
            continue
        if known.course is not None and reading.energy_wh is not None:
            known.course.go_on(courses.point(reading.at, reading.energy_wh, reading.current_a, reading.current_sum_a))
        if _learns(known):
            _carry(batch, known, reading)
    batch.touch(transaction_id=transaction_id)


def _learns(transaction: TransactionState) -> bool:
    """Of one that has ended its stop says the register, unless none came; what a person has decided stands."""
    if transaction.reconstructed == Reconstruction.PERSON.value:
        return False
    numbered = bool(transaction.sequences)
    return transaction.stopped_at is None or numbered or transaction.doubt == Doubt.STOP_MISSING


def _carry(batch: Batch, transaction: TransactionState, reading: Reading) -> None:
    """A transaction shows its newest reading. Energy never falls: a register that does leaves a finding."""
    change: dict[str, object] = {}
    newest = transaction.meter_last_at is None or reading.at >= transaction.meter_last_at
    if reading.energy_wh is not None and transaction.floating:
        change |= _float(batch, transaction, reading, newest=newest)
    elif reading.energy_wh is not None and newest:
        floor = transaction.meter_last_wh if transaction.meter_last_wh is not None else transaction.meter_start_wh
        if floor is not None and reading.energy_wh < floor:
            change |= _fell(batch, transaction, floor, reading)
        else:
            transaction.meter_last_wh = change["meter_last_wh"] = reading.energy_wh
    if newest and transaction.stopped_at is None:
        change |= {"power_w": reading.power_w} if reading.power_w is not None else {}
        change |= {"soc_percent": reading.soc_percent} if reading.soc_percent is not None else {}
    if not change:
        return
    if newest and (not transaction.floating or reading.energy_wh is not None):
        transaction.meter_last_at = change["meter_last_at"] = reading.at
    if newest and transaction.stopped_at is not None and not transaction.floating and reading.at > transaction.stopped_at:
        # Ended for want of a stop, at the last sign of it: here is another.
        transaction.stopped_at = change["stopped_at"] = reading.at
    start, last = transaction.meter_start_wh, transaction.meter_last_wh
    if start is not None and last is not None and last >= start:
        change["energy_wh"] = last - start
    if transaction.charging_ended_at is not None and newest and reading.energy_wh is not None:
        change |= parking.read(transaction, reading.at, reading.energy_wh)
    batch.change(Transaction, transaction.id, **change)
    updated(batch, transaction)


def _fell(batch: Batch, transaction: TransactionState, floor: Decimal, reading: Reading) -> dict[str, object]:
    """The register is below what it was. Meters drop out and report 0 in between (lbbrhzn/ocpp#374); another value is no slip.

    A meter that began anew has counted more than its first and last registers say, so the energy is doubtful.
    """
    detail = f"The register fell from {floor} to {reading.energy_wh} Wh at {reading.at.isoformat()}."
    batch.note(Note("register_decreased", "energy", detail, Severity.WARNING), transaction.id)
    if not reading.energy_wh or floor - reading.energy_wh <= SLACK_WH or transaction.register_fell:
        return {}
    transaction.register_fell = True
    return {"register_fell": True}


def updated(batch: Batch, transaction: TransactionState) -> None:
    """Something about a running transaction has changed. Told at the end of the interval that this begins, as it is then."""
    if transaction.stopped_at is None and (transaction.told_at is None or batch.now >= transaction.told_at + TOLD_EVERY):
        transaction.told_at = batch.now
        batch.tell(topics.TRANSACTION_UPDATED, transaction.id, due_in=TOLD_EVERY)


def _float(batch: Batch, transaction: TransactionState, reading: Reading, *, newest: bool) -> dict[str, object]:
    """The first register is that of the earliest reading and the last that of the latest, whichever comes when.

    Of readings of the same moment the one that makes more of it counts, so that their order does not.
    """
    change: dict[str, object] = {}
    assert reading.energy_wh is not None
    start, last = transaction.meter_start_wh, transaction.meter_last_wh
    if transaction.meter_start_at is None or start is None or reading.at < transaction.meter_start_at:
        start = reading.energy_wh
        transaction.meter_start_at = change["meter_start_at"] = reading.at
    elif reading.at == transaction.meter_start_at:
        start = min(start, reading.energy_wh)
    if newest:
        if last is not None and reading.at == transaction.meter_last_at:
            last = max(last, reading.energy_wh)
        else:
            if last is not None and reading.energy_wh < last:
                change |= _fell(batch, transaction, last, reading)
            last = reading.energy_wh
    elif last is not None and transaction.meter_last_at is not None and reading.energy_wh > last:
        # One that was held up on the way says that the register was higher before.
        change |= _fell(batch, transaction, reading.energy_wh, replace(reading, at=transaction.meter_last_at, energy_wh=last))
    elif reading.energy_wh < start:
        change |= _fell(batch, transaction, start, reading)
    transaction.meter_start_wh, transaction.meter_last_wh = start, last
    return change | {"meter_start_wh": start, "meter_last_wh": last}
