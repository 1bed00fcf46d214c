"""Transactions that a station still owes us something of: noticed, asked after, and closed by rule when nothing comes.

A transaction that is watched has a `due_at`; the sweep looks at those that are due, whatever the size of the table. Of one that
is open it looks for signs that it is over (its plug is free, the station booted, nobody said a word of it); of one that ended
with a gap it asks the station whether it has more (OCPP 2.0.1 E14), which stations can that number their events. What is closed
so waits for somebody to look at it, and a real stop that comes later still wins. The numbers are in `stations.domain.patience`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import structlog
from django.db import transaction as db
from django.db.models import Q, QuerySet

from stations import ports, selectors
from stations.batch import Batch, of_one
from stations.domain import commands, patience
from stations.domain.metering import SLACK_WH, risen
from stations.domain.values import ConnectorStatus, Doubt, Note, Reconstruction, Severity, TransactionStatus
from stations.lookups import TransactionNeed
from stations.models import Command, Connector, Finding, MeterSample, Transaction
from stations.models.command import OPEN
from stations.services import afterwards, transactions
from stations.services.transactionevents import GAPS
from stations.state import TransactionState

log = structlog.get_logger(__name__)

#: Transactions a sweep looks at, at most; the next one goes on.
SWEPT = 500
#: One that could not be looked at is left alone for so long.
AFTER_A_FAULT = timedelta(hours=1)
ASKED = "To see whether the charger has more to tell of a session."
#: The times of a reading and of the event that brought it may differ by their rounding.
ROUNDED = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Sign:
    """Why an open transaction seems to be over. `grace`: how long after that it is closed; `at`: when it ended, if known."""

    code: str
    detail: str
    grace: timedelta
    at: datetime | None = None


def sweep(*, now: datetime) -> int:
    """Look at the transactions that are due. Returns how many. Run without a scope.

    1. Watch those that nobody watches: they began before there was a watch.
    2. Look at each that is due, and do what its state asks for; each is a transaction of its own.

    Safe when run twice, at once, or killed: what is to be done is decided again under the lock of the station.
    """
    unwatched = Transaction.objects.filter(status=TransactionStatus.ACTIVE, due_at__isnull=True).order_by("id")
    Transaction.objects.filter(pk__in=list(unwatched.values_list("pk", flat=True)[:SWEPT])).update(due_at=now)
    due = Transaction.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)
    pks = list(due[:SWEPT])
    for pk in pks:
        try:
            look(pk, now=now)
        except Exception:
            log.exception("a transaction could not be looked at", transaction=pk)
            Transaction.objects.filter(pk=pk).update(due_at=now + AFTER_A_FAULT)
    return len(pks)


def look(pk: int, *, now: datetime) -> None:
    """Look at one that is due."""
    found = Transaction.objects.select_related("station__connection", "evse").filter(pk=pk, due_at__lte=now).first()
    if found is None:
        return
    if found.status == TransactionStatus.ACTIVE:
        _look_at_open(found, now)
    elif found.doubt == Doubt.REGISTER:
        _within(found, now, lambda batch, state: _sum_up(batch, state, found))
    elif found.doubt in GAPS and found.sequences:
        _look_at_gap(found, now)
    else:
        _next(found, None)


# Those that are open


def _look_at_open(found: Transaction, now: datetime) -> None:
    heard = _last_sign(found)
    sign = _sign_of_the_end(found, heard, now)
    if found.final_at is not None:
        said = "The station says that the transaction is over, and that it has nothing more of it."
        _within(found, now, lambda batch, state: _close(batch, state, Note("nothing_more", "", said, Severity.ERROR), found, sign))
    elif sign is None:
        _next(found, max(heard + patience.SILENT_AFTER, now + patience.LOOK_SOON))
    elif found.sequences and _same_version(found) and found.asked < patience.MOST_ASKS:
        _notice(found, sign, now)
        _ask(found, now)
    else:
        _run_out(found, sign, now)


def _run_out(found: Transaction, sign: Sign, now: datetime) -> None:
    """Close it once its time is up and its station, if it is only away, has been away for long."""
    noticed = _noticed(found, sign) or now
    _notice(found, sign, now)
    seen_at = found.station.connection.seen_at
    until = noticed + sign.grace
    if not selectors.online(now).filter(pk=found.station_id).exists():
        until = max(until, (seen_at or found.received_at) + patience.AWAY_PATIENCE)
    elif sign.code == "transaction_silent" and _in_use(found):
        # It says nothing of the transaction, but that somebody is plugged in.
        until = now + patience.SILENT_AFTER
    if until > now:
        # A station that is away may be back at any time.
        _next(found, min(until, now + patience.FREE_GRACE) if until > noticed + sign.grace else until)
        return
    detail = f"{sign.detail} No stop had come by {now.isoformat(timespec='seconds')}."
    note = Note("stop_missing", "", detail, Severity.ERROR)
    _within(found, now, lambda batch, state: _close(batch, state, note, found, sign))


def _close(batch: Batch, state: TransactionState | None, note: Note, found: Transaction, sign: Sign | None) -> None:
    if state is None or state.stopped_at is not None:
        return
    at = (sign.at if sign else None) or state.meter_last_at or state.started_at
    transactions.give_up(batch, state, note, at)
    if found.final_at is not None:
        batch.change(Transaction, state.id, due_at=None)


def _last_sign(found: Transaction) -> datetime:
    """When we last heard of it, by our own clock."""
    newest = _samples(found).order_by("-at").values_list("received_at", flat=True).first()
    return max(found.received_at, newest or found.received_at)


def _sign_of_the_end(found: Transaction, heard: datetime, now: datetime) -> Sign | None:
    connectors = list(Connector.objects.filter(evse=found.evse_id)) if found.evse_id else []
    free = max((c.status_at for c in connectors if c.status_at), default=None)
    if free and all(c.status == ConnectorStatus.AVAILABLE for c in connectors) and free >= found.started_at:
        detail = f"The connector has been available since {free.isoformat(timespec='seconds')}."
        return Sign("available_while_charging", detail, patience.FREE_GRACE, free)
    booted_at = found.station.booted_at
    if booted_at and booted_at > heard and not any(c.status_at and c.status_at > booted_at and _used(c) for c in connectors):
        detail = f"The station booted at {booted_at.isoformat(timespec='seconds')} and has said nothing of the transaction since."
        return Sign("booted_while_charging", detail, patience.BOOT_GRACE)
    if now - heard >= patience.SILENT_AFTER:
        detail = f"Nothing was heard of the transaction since {heard.isoformat(timespec='seconds')}."
        return Sign("transaction_silent", detail, patience.SILENT_GRACE)
    return None


def _used(connector: Connector) -> bool:
    return connector.status not in (ConnectorStatus.AVAILABLE, ConnectorStatus.UNAVAILABLE, ConnectorStatus.FAULTED)


def _in_use(found: Transaction) -> bool:
    return any(_used(connector) for connector in Connector.objects.filter(evse=found.evse_id)) if found.evse_id else False


def _noticed(found: Transaction, sign: Sign) -> datetime | None:
    return Finding.objects.filter(transaction=found.pk, code=sign.code).values_list("first_at", flat=True).first()


def _notice(found: Transaction, sign: Sign, now: datetime) -> None:
    """Once: the finding's first time is that from which the grace runs."""
    if _noticed(found, sign) is None:
        note = Note(sign.code, "", sign.detail, Severity.WARNING)
        _within(found, now, lambda batch, state: batch.note(note, found.pk))


# Those with a gap


def _look_at_gap(found: Transaction, now: datetime) -> None:
    if found.final_at is not None:
        detail = "The station has nothing more to tell of it, and numbers are missing."
        _within(found, now, lambda batch, state: _settle(batch, state, found, detail))
    elif not _same_version(found):
        detail = f"The station now speaks {found.station.connection.protocol} and cannot be asked what is missing."
        _within(found, now, lambda batch, state: _leave(batch, found, "gap_unanswered", detail))
    elif found.asked >= patience.MOST_ASKS:
        detail = f"The station was asked {found.asked} times whether it has more to tell, and never said that it has not."
        _within(found, now, lambda batch, state: _leave(batch, found, "gap_unanswered", detail))
    else:
        _ask(found, now)


def _same_version(found: Transaction) -> bool:
    return not found.protocol or found.station.connection.protocol in ("", found.protocol)


def _ask(found: Transaction, now: datetime) -> None:
    """Ask the station, unless a question is on its way. One that is away is asked when it returns."""
    kind = commands.GetTransactionStatus.kind
    waiting = Command.objects.filter(station=found.station_id, status__in=OPEN, kind=kind, params__row=found.pk).exists()
    if waiting:
        _next(found, now + patience.ask_again_in(found.asked))
        return
    command = commands.GetTransactionStatus(found.ocpp_transaction_id, found.pk)
    with db.atomic():
        due_at = now + patience.ask_again_in(found.asked)
        if not Transaction.objects.filter(pk=found.pk, asked=found.asked).update(asked=found.asked + 1, due_at=due_at):
            return  # another worker has
        Command.objects.create(
            operator_id=found.operator_id,
            station_id=found.station_id,
            kind=kind,
            params=command.params(),
            reason=ASKED,
            created_at=now,
            expires_at=now + timedelta(seconds=command.expires_s),
        )
        db.on_commit(lambda: ports.bell.command(found.station_id))


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """The station said whether it has more of a transaction. While messages wait it is asked again, later and later."""
    row = facts.get("row")
    if row is None or facts["queued"]:
        return
    if facts["ongoing"]:
        batch.change(Transaction, row, due_at=batch.now + patience.SILENT_AFTER, asked=0)
    else:
        batch.change(Transaction, row, final_at=batch.now, due_at=batch.now)


def _settle(batch: Batch, state: TransactionState | None, found: Transaction, detail: str) -> None:
    """The gap is final. Where the station told the register at both ends, that is the energy, whatever is missing in between."""
    if state is None or state.doubt != Doubt.EVENTS_MISSING or not _has_both_ends(found):
        _leave(batch, found, "nothing_more", "The station has nothing more to tell of it.")
        return
    batch.note(Note("events_missing", "", detail, Severity.WARNING), found.pk)
    transactions.close(batch, state, state.stopped_at or batch.now, state.meter_stop_wh, Doubt.NONE)
    done = {"doubt": Doubt.NONE.value, "reconstructed": Reconstruction.GAPS.value, "due_at": None}
    batch.change(Transaction, found.pk, **done)
    batch.publish(afterwards.ENDED_TOPIC, found.pk)
    batch.touch(transaction_id=found.pk)


def _has_both_ends(found: Transaction) -> bool:
    start, stop = found.meter_start_wh, found.meter_stop_wh
    if start is None or stop is None or stop < start or found.stopped_at is None or found.register_fell:
        return False
    samples = _samples(found).filter(energy_wh__isnull=False)
    first = samples.filter(Q(context="Transaction.Begin") | Q(at__lte=found.started_at + ROUNDED), energy_wh=start)
    last = samples.filter(Q(context="Transaction.End") | Q(at__gte=found.stopped_at - ROUNDED), energy_wh=stop)
    return first.exists() and last.exists()


def _leave(batch: Batch, found: Transaction, code: str, detail: str) -> None:
    """Nothing more will come: it waits for somebody to look at it."""
    batch.note(Note(code, "", detail, Severity.WARNING), found.pk)
    batch.change(Transaction, found.pk, due_at=None)
    batch.touch(transaction_id=found.pk)


# Those whose register fell


def _sum_up(batch: Batch, state: TransactionState | None, found: Transaction) -> None:
    """Suggest the energy that the readings rose by in all, for whoever looks at it."""
    batch.change(Transaction, found.pk, due_at=None)
    if state is None:
        return
    samples = _samples(found).filter(energy_wh__isnull=False).order_by("at", "id")
    read = samples.values_list("energy_wh", flat=True)
    registers = [one for one in (state.meter_start_wh, *read, state.meter_stop_wh) if one is not None]
    fell = state.register_fell or any(b < a - SLACK_WH for a, b in pairwise(registers))
    if fell and registers:
        energy = risen(registers)
        detail = f"From {registers[0]} to {registers[-1]} Wh, falling in between, the register rose by {energy} Wh in all."
        batch.note(Note("register_reset", "energy", detail, Severity.ERROR), state.id)
        batch.change(Transaction, state.id, energy_wh=energy)
        batch.touch(transaction_id=state.id)


# What they share


def _samples(found: Transaction) -> "QuerySet[MeterSample]":
    # By station and time too: the head of the index, and the months to look in.
    since = found.started_at - timedelta(days=1)
    return MeterSample.objects.filter(station=found.station_id, transaction=found.pk, at__gte=since)


def _next(found: Transaction, due_at: datetime | None) -> None:
    """Nothing to do but to look again: no state of anybody's changes."""
    Transaction.objects.filter(pk=found.pk, due_at=found.due_at).update(due_at=due_at)


def _within(found: Transaction, now: datetime, act: Callable[[Batch, TransactionState | None], None]) -> None:
    """Act under the lock of the station, on the transaction as it is then. What came meanwhile has made it due anew, or not."""
    with of_one(found.station_id, now=now) as batch:
        if not Transaction.objects.filter(pk=found.pk, due_at=found.due_at).exists():
            return
        need = TransactionNeed(found.station_id, found.ocpp_transaction_id)
        batch.look_up([need])
        act(batch, batch.station.open.get(found.ocpp_transaction_id) or batch.lookups.transactions.get(need))
