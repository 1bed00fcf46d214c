"""Transactions (OCPP 2.0.1 chapter E, 1.6 4.8 and 4.10): always answered, never lost, never doubled."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b

from stations import topics
from stations.batch import Batch
from stations.cases import place
from stations.domain.events import TransactionEndAnswered, TransactionEnded, TransactionStartAnswered, TransactionStarted
from stations.domain.metering import LIMIT, SLACK_WH
from stations.domain.patience import ASK_AFTER, SILENT_AFTER
from stations.domain.times import EARLIEST
from stations.domain.values import Doubt, Note, Reconstruction, Severity, TokenInfo, TransactionStatus
from stations.lookups import Need, StartNeed, StopNeed, TransactionNeed
from stations.models import Transaction
from stations.services import afterwards, authorization, availability, clocks, metervalues, parking, reservation
from stations.state import StationState, TransactionState

#: What a new transaction has of the columns that tables have defaults for: rows of a batch have the same columns.
UNREPAIRED = {"register_fell": False, "reconstructed": "", "asked": 0}


def start_key(event: TransactionStarted) -> str:
    """What makes a repeated start the same start: connector, tag, time and meter value (MicroOcpp#237, steve#1294)."""
    tag = event.token.key if event.token else ""
    text = f"{event.evse}/{event.connector}|{tag}|{event.at.isoformat()}|{event.meter_start_wh}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


def orphan_id(event: TransactionEnded) -> str:
    """The id of a transaction of which only the stop is known: the same for the same stop, and never one that we give."""
    text = f"{event.transaction_id}|{event.at.isoformat()}|{event.meter_stop_wh}"
    return f"{(event.transaction_id or '')[:16]}@{blake2b(text.encode(), digest_size=8).hexdigest()}"


def started_needs(event: TransactionStarted, station: StationState) -> Iterable[Need]:
    yield StartNeed(station.id, start_key(event))
    if event.token is not None:
        yield authorization.token_need(event.token, station)


def ended_needs(event: TransactionEnded, station: StationState) -> Iterable[Need]:
    if event.transaction_id is None or event.transaction_id not in station.open:
        yield TransactionNeed(station.id, event.transaction_id or "")
        yield TransactionNeed(station.id, orphan_id(event))
        yield StopNeed(station.id, event.at, event.meter_stop_wh)
    if event.token is not None:
        yield authorization.token_need(event.token, station)


def started(event: TransactionStarted, batch: Batch) -> TransactionStartAnswered:
    """Record a start and give it an id. A start that is sent again gets the id it had; a refused token starts all the same.

    The station stops or suspends what it may not do (1.6 StopTransactionOnInvalidId); until it has, energy may flow, and
    energy is never lost.
    """
    station = batch.station
    clocks.heard(batch, event.at)
    need = StartNeed(station.id, start_key(event))
    found = authorization.find(batch, event.token) if event.token else None
    known = batch.lookups.starts.get(need)
    if known is not None and known.stopped_at is not None and event.at < EARLIEST:
        # An unset clock says the same at every start: the key belongs to the newest.
        batch.change(Transaction, known.id, start_key=None)
        known = None
    if known is not None:
        elsewhere = found is not None and _others(found.open_at, station, known)
        info = _info(event, batch, charging_elsewhere=elsewhere)
        return TransactionStartAnswered(known.ocpp_id, info)

    notes: list[Note] = []
    at, received_at = clocks.time_of(batch, event.at, notes), clocks.received_at(batch)
    evse_number = event.evse
    if evse_number == 0:
        notes.append(Note("evse_missing", "connector 0", "A transaction was started on connector 0.", Severity.WARNING))
        evse_number = next(iter(station.evses)) if len(station.evses) == 1 else 0
    connector = availability.connector(batch, evse_number, event.connector) if evse_number else None
    meter_start = _bounded(event.meter_start_wh, notes)
    close_abandoned(batch, evse_number, at)
    info = _info(event, batch, charging_elsewhere=found is not None and bool(found.open_at))

    transaction = TransactionState(
        id=batch.next_id("transaction"),
        ocpp_id=event.transaction_id or str(batch.next_id("short_transaction_id")),
        evse=evse_number if connector else None,
        id_token_id=found.id if found else None,
        id_tag=event.token.value if event.token else "",
        started_at=at,
        meter_start_wh=meter_start,
        meter_last_wh=meter_start,
        meter_last_at=at if meter_start is not None else None,
        protocol=batch.frame.protocol if batch.frame else "",
        received_at=received_at,
        station_started_at=clocks.raw(event.at, at),
        charging_ended_at=parking.at_start(connector, at),
        **place(station),
        **authorization.payer(found),
    )
    station.open[transaction.ocpp_id] = transaction
    if found is not None:
        found.open_at.append(station.id)
    batch.add(
        Transaction,
        id=transaction.id,
        operator_id=station.operator_id,
        station_id=station.id,
        evse_id=station.evses[evse_number].id if connector else None,
        connector_number=event.connector,
        ocpp_transaction_id=transaction.ocpp_id,
        start_key=need.start_key,
        protocol=batch.frame.protocol if batch.frame else "",
        id_token_id=transaction.id_token_id,
        id_tag=transaction.id_tag,
        authorization_status=info.status.value,
        started_at=at,
        station_started_at=transaction.station_started_at,
        received_at=received_at,
        due_at=received_at + SILENT_AFTER,
        **UNREPAIRED,
        meter_start_wh=meter_start,
        meter_last_wh=meter_start,
        meter_last_at=transaction.meter_last_at,
        energy_wh=Decimal(0) if meter_start is not None else None,
        charging_ended_at=transaction.charging_ended_at,
        **place(station),
        **authorization.payer(found),
    )
    batch.lookups.starts[need] = transaction
    if station.reservations or event.reservation_id is not None:
        reservation.began(batch, transaction, found, named=event.reservation_id, at=at)
    batch.tell(topics.TRANSACTION_STARTED, transaction.id)
    for note in notes:
        batch.note(note, transaction.id)
    batch.touch(transaction_id=transaction.id)
    return TransactionStartAnswered(transaction.ocpp_id, info)


def ended(event: TransactionEnded, batch: Batch) -> TransactionEndAnswered:
    """Record a stop. Whatever is odd about it, it is answered and kept (OCPP 2.0.1 E06, 1.6 4.10; open-ocpp's retries).

    A stop of an unknown transaction (errata 3.18) is attached to the open one it fits, or kept as a transaction of its own
    whose start is missing; a stop of an ended one changes nothing, unless that one was ended by us for want of its own stop.
    """
    station = batch.station
    clocks.heard(batch, event.at)
    info = _stop_info(event, batch)
    open_transaction = station.open.get(event.transaction_id or "")
    if open_transaction is not None:
        _end(batch, event, open_transaction)
        return TransactionEndAnswered(info)
    known = batch.lookups.transactions.get(TransactionNeed(station.id, event.transaction_id or ""))
    orphan = TransactionNeed(station.id, orphan_id(event))
    stop = StopNeed(station.id, event.at, event.meter_stop_wh)
    if known is not None:
        if known.doubt in (Doubt.STOP_MISSING, Doubt.STOP_ATTACHED):
            _end(batch, event, known)
        elif known.stopped_at is not None and known.meter_stop_wh is not None and known.meter_stop_wh != event.meter_stop_wh:
            detail = f"A second stop says {event.meter_stop_wh} Wh, the first said {known.meter_stop_wh} Wh; the first is kept."
            batch.note(Note("stop_differs", "", detail, Severity.WARNING), known.id)
    elif orphan not in batch.lookups.transactions and stop not in batch.lookups.stops:
        fitting = _fitting(event, batch)
        if fitting is not None:
            said = f"The stop names transaction {event.transaction_id} and says {event.meter_stop_wh} Wh"
            detail = f"{said}; it was attached to the one it fits."
            batch.note(Note("transaction_attached", "stop", detail, Severity.WARNING), fitting.id)
            _end(batch, event, fitting, attached=True)
            batch.lookups.stops.add(stop)
        else:
            _keep_orphan(batch, event, orphan)
    return TransactionEndAnswered(info)


def _info(event: TransactionStarted, batch: Batch, *, charging_elsewhere: bool) -> TokenInfo:
    assert event.token is not None, "1.6 starts carry a tag"
    found = authorization.find(batch, event.token)
    return authorization.decide(
        batch,
        event.token,
        found,
        charging_elsewhere=charging_elsewhere,
        evse=event.evse or None,
        connector=event.connector,
        starts=True,
    )


def _stop_info(event: TransactionEnded, batch: Batch) -> TokenInfo | None:
    """A token that stops is never refused for charging elsewhere."""
    if event.token is None:
        return None
    return authorization.decide(batch, event.token, authorization.find(batch, event.token), charging_elsewhere=False)


def _others(open_at: list[int], station: StationState, known: TransactionState) -> bool:
    """Whether a token has open transactions besides this one."""
    here = 1 if known.ocpp_id in station.open and station.id in open_at else 0
    return len(open_at) > here


def _bounded(meter_wh: Decimal | None, notes: list[Note]) -> Decimal | None:
    if meter_wh is not None and abs(meter_wh) >= LIMIT:
        notes.append(Note("value_absurd", "meter", f"The register cannot be {meter_wh} Wh.", Severity.ERROR))
        return None
    return meter_wh


def close_abandoned(batch: Batch, evse: int, at: datetime) -> None:
    """An EVSE charges one vehicle: a start means that what was open there has ended, though its stop never came."""
    for old in batch.station.open_on(evse):
        if old.started_at <= at:
            detail = f"The next transaction began at {at.isoformat()} on the same EVSE, and no stop had come."
            give_up(batch, old, Note("stop_missing", "", detail, Severity.ERROR), old.meter_last_at or at)


def close_of_another_version(batch: Batch) -> None:
    """A station that speaks another OCPP version than before will never end what it began in that one."""
    protocol = batch.frame.protocol if batch.frame else ""
    for old in list(batch.station.open.values()):
        if old.protocol and protocol and old.protocol != protocol:
            detail = f"The station now speaks {protocol}; the transaction began in {old.protocol}, and no stop can come."
            give_up(batch, old, Note("protocol_changed", "", detail, Severity.ERROR), old.meter_last_at or batch.now)


def give_up(batch: Batch, old: TransactionState, note: Note, at: datetime) -> None:
    """End a transaction whose stop did not come, with what is known of it: `at` is the last sign of it.

    It waits for somebody to look at it. A station that numbers its events is asked whether there are more.
    """
    batch.note(note, old.id)
    at = max(at, old.started_at)
    close(batch, old, at, None, Doubt.STOP_MISSING)
    old.reconstructed = Reconstruction.RULE.value
    batch.change(
        Transaction,
        old.id,
        status=TransactionStatus.ENDED.value,
        doubt=Doubt.STOP_MISSING.value,
        stopped_at=at,
        power_w=None,
        reconstructed=old.reconstructed,
        due_at=batch.now + ASK_AFTER if old.sequences else None,
    )
    batch.touch(transaction_id=old.id)


def close(batch: Batch, transaction: TransactionState, at: datetime, meter_stop_wh: Decimal | None, doubt: Doubt) -> None:
    """Later messages of the batch find the transaction ended, and its token free. Told when it ends, and when its doubt changes."""
    station = batch.station
    if (transaction.status, transaction.doubt) != (TransactionStatus.ENDED.value, doubt.value):
        batch.tell(topics.TRANSACTION_ENDED, transaction.id)
    station.open.pop(transaction.ocpp_id, None)
    transaction.status, transaction.doubt = TransactionStatus.ENDED.value, doubt.value
    transaction.stopped_at, transaction.meter_stop_wh = at, meter_stop_wh
    batch.lookups.transactions[TransactionNeed(station.id, transaction.ocpp_id)] = transaction
    for tokens in batch.lookups.tokens.values():
        for token in tokens:
            if token.id == transaction.id_token_id and station.id in token.open_at:
                token.open_at.remove(station.id)


def _end(batch: Batch, event: TransactionEnded, transaction: TransactionState, *, attached: bool = False) -> None:
    notes: list[Note] = []
    at = clocks.time_in(batch, transaction, event.at, notes)
    if began := clocks.moved(transaction, event.at, at):
        transaction.started_at = began
        batch.change(Transaction, transaction.id, started_at=began)
    # Readings first, so that the stop's register has the last word.
    metervalues.store(batch, transaction.evse or 0, transaction, event.readings)
    start, stop = transaction.meter_start_wh, _bounded(event.meter_stop_wh, notes)
    doubt, energy = Doubt.NONE, None
    if event.meter_stop_wh is None:
        stop, doubt = _mended(event, transaction, notes)
    last = transaction.meter_last_wh
    if start is None or stop is None or stop < start:
        doubt = Doubt.REGISTER
        detail = f"The register was {start} Wh at the start and {stop} Wh at the stop."
        notes.append(Note("register_doubtful", "stop", detail, Severity.ERROR))
    else:
        energy = stop - start
        if last is not None and stop < last:
            detail = f"The register was {last} Wh before the stop and {stop} Wh at it."
            notes.append(Note("register_decreased", "stop", detail, Severity.WARNING))
    if transaction.register_fell or (last is not None and stop is not None and stop < last - SLACK_WH):
        doubt = Doubt.REGISTER
    if doubt is Doubt.NONE and attached:
        # Its own stop and the start of the one it ends may both be lost: nothing tells the two from each other.
        doubt = Doubt.STOP_ATTACHED
    if at < transaction.started_at:
        notes.append(Note("stop_before_start", "", f"It ended at {at.isoformat()}, before it began.", Severity.WARNING))
        at = transaction.started_at
    transaction.reconstructed = ""
    batch.change(
        Transaction,
        transaction.id,
        status=TransactionStatus.ENDED.value,
        doubt=doubt.value,
        stopped_at=at,
        station_stopped_at=clocks.raw(event.at, at),
        stop_reason=event.reason,
        stopped_by=event.token.value if event.token else "",
        meter_stop_wh=stop,
        power_w=None,
        reconstructed="",
        # What a register that fell may have counted is summed up apart, from the readings.
        due_at=batch.now if doubt is Doubt.REGISTER else None,
        **({"energy_wh": energy} if energy is not None else {}),
    )
    close(batch, transaction, at, stop, doubt)
    for note in notes:
        batch.note(note, transaction.id)
    if doubt is Doubt.NONE:
        batch.publish(afterwards.ENDED_TOPIC, transaction.id)
    batch.touch(transaction_id=transaction.id)


def _mended(event: TransactionEnded, transaction: TransactionState, notes: list[Note]) -> tuple[Decimal | None, Doubt]:
    """The register of a stop that brought none: that of its reading at the end, or else the last one, which may be too low."""
    at_end = [r.energy_wh for r in event.readings if r.context == "Transaction.End" and r.energy_wh is not None]
    stop = at_end[-1] if at_end else transaction.meter_last_wh
    detail = f"The stop came without a register; {stop} Wh was read {'at the end' if at_end else 'last'}."
    notes.append(Note("register_mended", "stop", detail, Severity.WARNING))
    return stop, Doubt.NONE if at_end else Doubt.REGISTER


def _fitting(event: TransactionEnded, batch: Batch) -> TransactionState | None:
    """The one open transaction that this stop can end: begun by then, with a register that does not fall, the same tag if any."""
    at = clocks.time_of(batch, event.at, [])
    fitting = [
        t
        for t in batch.station.open.values()
        if t.started_at <= at and (event.meter_stop_wh is None or t.meter_last_wh is None or event.meter_stop_wh >= t.meter_last_wh)
    ]
    if len(fitting) > 1 and event.token is not None:
        fitting = [t for t in fitting if t.id_tag.upper() == event.token.key]
    return fitting[0] if len(fitting) == 1 else None


def _keep_orphan(batch: Batch, event: TransactionEnded, orphan: TransactionNeed) -> None:
    station = batch.station
    notes = [Note("start_missing", "", f"Only the stop of transaction {event.transaction_id} is known.", Severity.ERROR)]
    received_at = clocks.received_at(batch)
    at = clocks.time_of(batch, event.at, notes)
    transaction_id = batch.next_id("transaction")
    found = authorization.find(batch, event.token) if event.token else None
    batch.add(
        Transaction,
        id=transaction_id,
        operator_id=station.operator_id,
        station_id=station.id,
        ocpp_transaction_id=orphan.ocpp_id,
        protocol=batch.frame.protocol if batch.frame else "",
        id_token_id=found.id if found else None,
        id_tag=event.token.value if event.token else "",
        status=TransactionStatus.ENDED.value,
        doubt=Doubt.START_MISSING.value,
        started_at=min([at, *(clocks.time_of(batch, r.at, []) for r in event.readings)]),
        stopped_at=at,
        station_stopped_at=clocks.raw(event.at, at),
        received_at=received_at,
        **UNREPAIRED,
        stop_reason=event.reason,
        stopped_by=event.token.value if event.token else "",
        meter_stop_wh=_bounded(event.meter_stop_wh, notes),
        **place(station),
        **authorization.payer(found),
    )
    metervalues.store(batch, 0, transaction_id, event.readings)
    batch.tell(topics.TRANSACTION_ENDED, transaction_id)
    batch.lookups.transactions[orphan] = TransactionState(
        id=transaction_id,
        ocpp_id=orphan.ocpp_id,
        evse=None,
        id_token_id=None,
        id_tag="",
        started_at=at,
        meter_start_wh=None,
        meter_last_wh=None,
        meter_last_at=None,
        status=TransactionStatus.ENDED.value,
        doubt=Doubt.START_MISSING.value,
        stopped_at=at,
        meter_stop_wh=event.meter_stop_wh,
    )
    for note in notes:
        batch.note(note, transaction_id)
