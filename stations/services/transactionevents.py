"""Transactions told by numbered events (OCPP 2.0.1 chapter E): in any order, twice or with gaps, one energy and one bill.

Every event is merged so that its repetition changes nothing: registers come from the readings with the earliest and the latest
time, events are counted by their numbers, and what an event does not say stays as it was. A transaction is billed when its start,
its end and all numbers between them have come.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from stations import topics
from stations.batch import Batch
from stations.cases import place
from stations.domain.events import Progress, TransactionProgressAnswered, TransactionProgressed
from stations.domain.patience import ASK_AFTER, SILENT_AFTER
from stations.domain.values import Doubt, Note, Payer, Reconstruction, Severity, TransactionStatus
from stations.lookups import Need, TransactionNeed
from stations.models import Transaction
from stations.services import afterwards, authorization, availability, clocks, metervalues, parking, reservation, transactions
from stations.state import StationState, TransactionState

#: A token presented with this trigger, or with the end, stops the transaction; it is not the driver's who charges (E07, E15).
STOP_TRIGGERS = ("StopAuthorized",)
#: What an event may tell beside the energy, and is kept under the same name.
TOLD = ("phases_used", "cable_max_current_a", "time_spent_charging_s")
#: A station that leaves more gaps than this does not count; its numbers are not remembered any more.
MAX_RANGES = 100


def progressed_needs(event: TransactionProgressed, station: StationState) -> Iterable[Need]:
    if event.transaction_id not in station.open:
        yield TransactionNeed(station.id, event.transaction_id)
    if event.token is not None:
        yield authorization.token_need(event.token, station)


def progressed(event: TransactionProgressed, batch: Batch) -> TransactionProgressAnswered:
    """Merge an event into its transaction. Never refused (E01): a refusal would make the station repeat, then drop it."""
    station = batch.station
    notes: list[Note] = []
    clocks.heard(batch, event.at, live=not event.offline)
    found = authorization.find(batch, event.token) if event.token else None
    known = station.open.get(event.transaction_id) or batch.lookups.transactions.get(
        TransactionNeed(station.id, event.transaction_id)
    )
    at = clocks.time_in(batch, known, event.at, notes) if known is not None else clocks.time_of(batch, event.at, notes)
    stopping = event.part is Progress.ENDED or event.trigger in STOP_TRIGGERS
    info = None
    if event.token is not None:
        elsewhere = found is not None and (known is None or known.id_token_id != found.id) and bool(found.open_at)
        at_evse = event.evse or (known.evse if known is not None else None)
        starts = not stopping and (known is None or known.id_tag.upper() in ("", event.token.key))
        info = authorization.decide(
            batch,
            event.token,
            found,
            charging_elsewhere=elsewhere and not stopping,
            evse=at_evse,
            connector=event.connector,
            starts=starts,
        )
    if known is None and event.evse and event.part is not Progress.ENDED:
        transactions.close_abandoned(batch, event.evse, at)
    transaction = known or _begin(event, batch, at)
    change: dict[str, Any] = {}
    if event.evse and transaction.evse is None and availability.connector(batch, event.evse, event.connector or 1) is not None:
        transaction.evse = event.evse
        change |= {"evse_id": station.evses[event.evse].id, "connector_number": event.connector or 1}
    if event.token is not None and info is not None and stopping:
        change["stopped_by"] = event.token.value
    elif event.token is not None and info is not None and not transaction.id_tag:
        transaction.id_tag, transaction.id_token_id = event.token.value, found.id if found else None
        change |= {"id_tag": transaction.id_tag, "id_token_id": transaction.id_token_id, "authorization_status": info.status.value}
        change |= (payer := authorization.payer(found))
        transaction.payer, transaction.payer_group = payer["payer"], payer["payer_group"]
        if found is not None and transaction.stopped_at is None:
            # Later messages of the batch know that the token charges.
            found.open_at.append(station.id)
    if event.token is not None and event.token.further and not stopping and transaction.id_tag.upper() == event.token.key:
        change["additional_id_tags"] = authorization.told_with(event.token)
    if event.remote_start_id is not None and transaction.remote_start_id is None:
        transaction.remote_start_id = change["remote_start_id"] = event.remote_start_id
    if event.reservation_id is not None or (station.reservations and change.keys() & {"evse_id", "id_tag"}):
        reservation.began(batch, transaction, found, named=event.reservation_id, at=at)
    if at < transaction.started_at:
        if transaction.station_started_at is not None:
            transaction.station_started_at = change["station_started_at"] = event.at
        transaction.started_at = change["started_at"] = at
    change |= _count(event, transaction) | _told(event, transaction)
    metervalues.store(batch, transaction.evse or 0, transaction, event.readings)
    if event.charging_state is not None:
        change |= parking.state_told(transaction, event.charging_state, event.sequence, at)
    if event.charging_state is not None and (event.sequence >= _newest(transaction) or not transaction.charging_state):
        transaction.charging_state = change["charging_state"] = event.charging_state.value
        if not event.offline and event.part is not Progress.ENDED and transaction.stopped_at is None:
            availability.charging_state_changed(batch, transaction.evse, event.charging_state, at)
    if event.part is Progress.ENDED and transaction.reconstructed != Reconstruction.PERSON.value:
        if not event.offline and transaction.stopped_at is None:
            availability.transaction_ended(batch, transaction.evse, at)
        if began := clocks.moved(transaction, event.at, at):
            transaction.started_at = change["started_at"] = began
        transaction.stopped_at = at
        change |= {"stopped_at": at, "station_stopped_at": clocks.raw(event.at, at)}
        change["stop_reason"] = event.stopped_reason or "Local"
    elif transaction.stopped_at is not None and transaction.doubt == Doubt.STOP_MISSING and at > transaction.stopped_at:
        # Ended for want of an end, at the last sign of it: here is another.
        transaction.stopped_at = change["stopped_at"] = at
    if transaction.stopped_at is not None:
        change |= _settle(batch, transaction, notes)
        afterwards.late(batch, transaction)
    if change:
        batch.change(Transaction, transaction.id, **change)
        metervalues.updated(batch, transaction)
    for note in notes:
        batch.note(note, transaction.id)
    batch.touch(transaction_id=transaction.id)
    return TransactionProgressAnswered(info)


def _begin(event: TransactionProgressed, batch: Batch, at: datetime) -> TransactionState:
    station = batch.station
    transaction = TransactionState(
        id=batch.next_id("transaction"),
        ocpp_id=event.transaction_id,
        evse=None,
        id_token_id=None,
        id_tag="",
        started_at=at,
        meter_start_wh=None,
        meter_last_wh=None,
        meter_last_at=None,
        protocol=batch.frame.protocol if batch.frame else "",
        floating=True,
        received_at=clocks.received_at(batch),
        station_started_at=clocks.raw(event.at, at),
        **place(station),
    )
    station.open[transaction.ocpp_id] = transaction
    batch.add(
        Transaction,
        id=transaction.id,
        operator_id=station.operator_id,
        station_id=station.id,
        ocpp_transaction_id=transaction.ocpp_id,
        protocol=transaction.protocol,
        started_at=at,
        station_started_at=transaction.station_started_at,
        received_at=transaction.received_at,
        due_at=clocks.received_at(batch) + SILENT_AFTER,
        sequences=[],
        payer=Payer.UNSAID.value,
        **place(station),
        **transactions.UNREPAIRED,
    )
    batch.tell(topics.TRANSACTION_STARTED, transaction.id)
    return transaction


def _count(event: TransactionProgressed, transaction: TransactionState) -> dict[str, Any]:
    """Count the event's number in. Repeated numbers are counted once."""
    transaction.sequences = with_number(transaction.sequences, event.sequence)
    change: dict[str, Any] = {"sequences": transaction.sequences}
    if event.part is Progress.STARTED:
        transaction.first_sequence = change["first_sequence"] = event.sequence
    elif event.part is Progress.ENDED:
        transaction.last_sequence = change["last_sequence"] = event.sequence
    return change


def _told(event: TransactionProgressed, transaction: TransactionState) -> dict[str, Any]:
    """What the newest event that says it says of the vehicle, its cable and its charging.

    All of it goes with every event: rows with other columns would be written by a statement of their own.
    """
    for name in TOLD:
        said = getattr(event, name)
        if said is not None and (event.sequence >= _newest(transaction) or getattr(transaction, name) is None):
            setattr(transaction, name, said)
    return {name: getattr(transaction, name) for name in TOLD}


def with_number(ranges: list[list[int]], number: int) -> list[list[int]]:
    """Closed ranges of integers with one more number in them, ascending and not touching each other."""
    merged: list[list[int]] = []
    for low, high in sorted([*ranges, [number, number]]):
        if merged and low <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], high)
        else:
            merged.append([low, high])
    return merged if len(merged) <= MAX_RANGES else ranges


def _newest(transaction: TransactionState) -> int:
    return transaction.sequences[-1][1] if transaction.sequences else -1


#: What a station may still have more of, so that it is asked.
GAPS = (Doubt.START_MISSING, Doubt.STOP_MISSING, Doubt.EVENTS_MISSING)


def _settle(batch: Batch, transaction: TransactionState, notes: list[Note]) -> dict[str, Any]:
    """The end is known: is all that came before it, and can the energy be trusted? While both hold, it is billed as it is then.

    What a person has decided stands, and so does what was billed although the station had nothing more.
    """
    was_doubtful = transaction.status != TransactionStatus.ENDED.value or transaction.doubt != Doubt.NONE.value
    doubt = _doubt(transaction)
    if transaction.doubt in (Doubt.SET_ASIDE, Doubt.SIGNED):
        doubt = Doubt(transaction.doubt)  # somebody decided that it is not billed, or the meter says otherwise
    settled = (Reconstruction.PERSON, Reconstruction.GAPS) if doubt in GAPS else (Reconstruction.PERSON,)
    if transaction.reconstructed in settled and not was_doubtful:
        return {}
    if doubt is Doubt.REGISTER:
        detail = f"The register was {transaction.meter_start_wh} Wh first and {transaction.meter_last_wh} Wh last."
        notes.append(Note("register_doubtful", "end", detail, Severity.ERROR))
    transaction.reconstructed = Reconstruction.RULE.value if doubt is Doubt.STOP_MISSING else ""
    due_at = batch.now + ASK_AFTER if doubt in GAPS else None
    change = {
        "status": TransactionStatus.ENDED.value,
        "doubt": doubt.value,
        "power_w": None,
        "meter_stop_wh": transaction.meter_last_wh,
        "reconstructed": transaction.reconstructed,
        "due_at": batch.now if doubt is Doubt.REGISTER else due_at,
    }
    assert transaction.stopped_at is not None
    transactions.close(batch, transaction, transaction.stopped_at, transaction.meter_last_wh, doubt)
    return change


def _doubt(transaction: TransactionState) -> Doubt:
    start, last = transaction.meter_start_wh, transaction.meter_last_wh
    first, end = transaction.first_sequence, transaction.last_sequence
    if first is None:
        return Doubt.START_MISSING
    if end is None:
        return Doubt.STOP_MISSING
    if not any(low <= first and end <= high for low, high in transaction.sequences):
        return Doubt.EVENTS_MISSING
    if start is None or last is None or last < start or transaction.register_fell:
        return Doubt.REGISTER
    return Doubt.NONE
