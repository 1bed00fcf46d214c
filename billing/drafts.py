"""Charge records before they are written: what many transactions cost, worked out together. Nothing here writes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import DatabaseError
from django.utils import timezone

from billing import breakdown, choosing, series, sessions, tariff
from billing.models import ChargeRecord, RecordKind
from stations import courses, outbox
from stations.domain.values import Doubt, TransactionStatus
from stations.models import Finding, Transaction
from stations.services import retention

SAMPLES = next(kind for kind in retention.KINDS if kind.table == "stations_metersample")
#: What a credit has negated, of lines and of taxes.
OF_LINES, OF_TAXES = ("volume", "cost_excl_tax"), ("net", "tax")
#: What two records differ in if anything that counts is different.
COUNTS = ("energy_wh", "duration_s", "currency", "lines", "taxes", "total_excl_tax", "total_incl_tax", "tariff_id")


class NoTariff(outbox.NotYet):
    """The operator has not said yet what charging costs."""


class PriceMissing(outbox.NotYet):
    """The market's price of an hour is not known yet."""


class CurrentUnknown(outbox.NotYet):
    """It is priced by the current, and no reading says that."""


class ReadingsGone(outbox.NotYet):
    """It was priced by when the energy flowed, and what told that was let go."""


GONE = "Its meter samples were let go, and its price depends on when the energy flowed."
Draft = ChargeRecord | Exception
#: Why a session has no price, so that a person can do something about it; the rest are faults of ours.
EXPECTED = (outbox.NotYet, tariff.InvalidTariff, tariff.InvalidSession)
log = structlog.get_logger(__name__)


def rows(pks: Iterable[int]) -> list[Transaction]:
    """Transactions with what pricing needs of them."""
    return list(
        Transaction.objects.select_related("operator", "station__site", "site", "id_token").filter(pk__in=list(pks)).order_by("pk")
    )


def billable(transaction: Transaction) -> bool:
    """Whether it is final and trusted."""
    t = transaction
    if t.status != TransactionStatus.ENDED or t.stopped_at is None:
        return False
    return t.doubt == Doubt.NONE and t.energy_wh is not None and t.energy_wh >= 0


@dataclass(frozen=True, slots=True)
class Case:
    """A transaction to be priced. `chosen`: the version that it has; None: the one that applies where and when it was; with `now`
    of what is assigned there now.

    `again`: it was billed before, so that its samples may have been let go since.
    """

    transaction: Transaction
    chosen: choosing.Chosen | None = None
    again: bool = False
    now: bool = False


def price(cases: Sequence[Case], book: choosing.Book) -> dict[int, Draft]:
    """A charge record for each transaction by its key, not written and without a revision; or why it has none.

    Two statements, however many: their samples, where some tariff asks when the energy flowed, and their findings.
    """
    chosen = {case.transaction.pk: case.chosen or book.choose(choosing.case_of(case.transaction), now=case.now) for case in cases}
    transactions = [case.transaction for case in cases]
    by_course = [one for one in transactions if (found := chosen[one.pk]) is not None and _follows(book, found)]
    readings = sessions.Readings(by_course)
    codes: defaultdict[int, set[str]] = defaultdict(set)
    for pk, code in Finding.objects.filter(transaction__in=transactions).order_by().values_list("transaction_id", "code"):
        codes[pk or 0].add(code)
    made: dict[int, Draft] = {}
    courses = {one.pk for one in by_course}
    lost = {case.transaction.pk for case in cases if case.again and case.transaction.pk in courses and _old(case.transaction)}
    for one in transactions:
        if one.pk in lost:
            made[one.pk] = ReadingsGone(GONE)
            continue
        try:
            made[one.pk] = _draft(one, chosen[one.pk], book, readings.of(one) if one.pk in courses else (), sorted(codes[one.pk]))
        except DatabaseError:
            raise  # the transaction is broken for the others, too
        except Exception as error:
            if not isinstance(error, EXPECTED):
                log.exception("a session could not be priced", transaction=one.pk, operator=one.operator_id)
            made[one.pk] = error
    return made


def gone(t: Transaction) -> bool:
    """Whether the samples of a session may have been let go: until it is billed or written off they are kept, however old it is."""
    return _old(t) and (t.doubt == Doubt.SET_ASIDE or ChargeRecord.objects.filter(transaction=t).exists())


def _old(t: Transaction) -> bool:
    kept_from = retention.cutoff(SAMPLES, now=timezone.now(), operator=t.operator)
    return t.started_at < kept_from


def _follows(book: choosing.Book, chosen: choosing.Chosen) -> bool:
    try:
        return book.read(chosen).needs_course
    except tariff.InvalidTariff:
        return False  # which is said of each session of it, when it is priced


def would_be(t: Transaction, chosen: choosing.Chosen | None, book: choosing.Book) -> tariff.Priced:
    """What a session costs as it is said to be, of which nothing is written. Raises one of EXPECTED."""
    if chosen is not None and _follows(book, chosen) and gone(t):
        raise ReadingsGone(GONE)
    return _priced(t, chosen, book, None)[-1]


def _priced(
    t: Transaction, chosen: choosing.Chosen | None, book: choosing.Book, readings: Iterable[courses.Point] | None
) -> tuple[tariff.Session, tariff.Tariff, tariff.Priced]:
    if chosen is None:
        raise NoTariff("No tariff: none is assigned to this session, and the operator has no default tariff. Add one.")
    assert t.energy_wh is not None
    assert t.stopped_at is not None
    session = sessions.ended(t, energy_wh=t.energy_wh, end=t.stopped_at, readings=readings)
    applied = book.joined(chosen, session.start, session.end)
    try:
        return session, applied, tariff.price(applied, session)
    except tariff.NoCurrent as error:
        words = "It is priced as soon as one does. If none will, write the session off, and give the charger another tariff."
        raise CurrentUnknown(f"{error} {words}") from error
    except tariff.NoPrice as error:
        raise PriceMissing(f"{error} It is priced as soon as that is known.") from error


def _draft(
    t: Transaction, chosen: choosing.Chosen | None, book: choosing.Book, readings: Iterable[courses.Point], findings: list[str]
) -> ChargeRecord:
    session, applied, priced = _priced(t, chosen, book, readings)
    assert chosen is not None
    lines, taxes = breakdown.explained(priced)
    return ChargeRecord(
        operator_id=t.operator_id,
        transaction=t,
        kind=RecordKind.CHARGE,
        tariff=chosen.version.tariff,
        version=chosen.version,
        tariff_snapshot=chosen.ocpi,
        choice=chosen.why(),
        market=series.noted(chosen.ocpi, applied),
        currency=priced.currency,
        started_at=session.start,
        stopped_at=session.end,
        reserved_at=session.reserved.start if session.reserved else None,
        charging_ended_at=session.charging_end if session.charging_end < session.end else None,
        energy_wh=t.energy_wh,
        duration_s=int((session.end - session.start).total_seconds()),
        lines=lines,
        taxes=taxes,
        total_excl_tax=priced.total_excl_tax,
        total_incl_tax=priced.total_excl_tax if priced.total_incl_tax is None else priced.total_incl_tax,
        findings=findings,
        trust=t.trust.value,
    )


def credit(record: ChargeRecord) -> ChargeRecord:
    """What takes a record back, not written."""
    kept: dict[str, Any] = {
        name: getattr(record, name)
        for name in (
            *("operator_id", "transaction_id", "tariff_id", "version_id", "tariff_snapshot", "choice", "market", "currency"),
            *("started_at", "stopped_at", "reserved_at", "charging_ended_at", "duration_s", "findings", "trust"),
        )
    }
    return ChargeRecord(
        **kept,
        kind=RecordKind.CREDIT,
        credits=record,
        revision=record.revision + 1,
        energy_wh=-record.energy_wh,
        lines=breakdown.negated(record.lines, *OF_LINES),
        taxes=breakdown.negated(record.taxes, *OF_TAXES),
        total_excl_tax=-record.total_excl_tax,
        total_incl_tax=-record.total_incl_tax,
    )


def as_before(record: ChargeRecord, *, market_now: bool = False) -> choosing.Chosen | None:
    """The version of a tariff that a record was priced with, and the market's prices that applied, unless those of now are wanted.

    None: the record is of a time when that was not kept.
    """
    if record.version is None:
        return None
    until = record.choice.get("until")
    return choosing.Chosen(
        record.version,
        record.choice.get("place", ""),
        record.choice.get("audience", ""),
        datetime.fromisoformat(until) if until else None,
        {} if market_now else series.kept(record.market),
    )


def differs(record: ChargeRecord, draft: ChargeRecord) -> bool:
    """Whether a new price is another one than the record's, or is explained otherwise."""
    if record.started_at is None:
        # Made before records kept their times, their versions and their taxes.
        told = ("energy_wh", "duration_s", "currency", "total_excl_tax", "total_incl_tax", "tariff_id")
        return any(getattr(record, name) != getattr(draft, name) for name in told)
    return any(getattr(record, name) != getattr(draft, name) for name in (*COUNTS, "started_at", "stopped_at"))


def outdated(record: ChargeRecord, t: Transaction) -> bool:
    """Whether the session is another one than the record says."""
    if t.energy_wh is None or t.stopped_at is None:
        return False
    end: datetime = max(t.started_at, t.stopped_at)
    if record.energy_wh != t.energy_wh or record.duration_s != int((end - t.started_at).total_seconds()):
        return True
    return record.started_at is not None and (record.started_at, record.stopped_at) != (t.started_at, end)
