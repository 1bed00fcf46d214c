"""Charge records: the rules. What a session costs is written down once; it is corrected by a credit and a new record."""

from collections.abc import Collection, Sequence
from functools import partial

import structlog
from django.db import connection
from django.db import transaction as db
from django.db.models import Q
from django.utils import timezone
from django_scopes import scope

from accounts import audit
from accounts.models import AuditEntry, Operator
from billing import choosing, drafts
from billing.drafts import NoTariff
from billing.models import ChargeRecord, RecordKind
from stations import outbox, ports
from stations.domain.values import Doubt
from stations.models import OutboxEntry, Repair, Transaction

__all__ = ["CREDIT_TOPIC", "RECORD_TOPIC", "SUBSCRIBER", "NoTariff", "make_charge_record", "make_charge_records", "write"]

#: Who we are in the outbox.
SUBSCRIBER = "billing"
#: Told of every charge record that is made, a credit too; and once more of a credit alone.
RECORD_TOPIC = "charge_record.made"
CREDIT_TOPIC = "charge_record.credited"
#: Why a record was corrected, where nobody said it.
CHANGED = "The session was corrected after it was billed."

log = structlog.get_logger(__name__)


def make_charge_record(*, transaction_id: int) -> bool:
    """The same for one: make what is missing. False if the transaction is not to be billed. Raises NoTariff."""
    made = make_charge_records(transaction_ids=[transaction_id])[transaction_id]
    if isinstance(made, Exception):
        raise made
    return made


def make_charge_records(*, transaction_ids: Collection[int]) -> dict[int, bool | Exception]:
    """Bring the charge records of transactions in the scope up to what these are now. The same once more changes nothing.

    One that is final and trusted gets its first record. One that costs something else than it was billed, since it was put right or
    something came late, gets a credit and a new record, under the version that it had; one that was written off then, a credit. One
    that is as it was billed keeps its record where it cannot be priced any more, as without samples that were let go. Of each
    transaction: whether it is billed, or why it could not be priced (NoTariff, PriceMissing, CurrentUnknown: it waits). It is not
    if it is gone, has not ended, or its energy cannot be trusted: the energy is kept, and whoever resolves the doubt writes the
    outbox again.
    """
    with db.atomic():
        # Records first: whoever corrects one meanwhile has read the session no later than we do.
        past = _past(transaction_ids)
        found = {one.pk: one for one in drafts.rows(transaction_ids)}
        answers: dict[int, bool | Exception] = {}
        cases: list[drafts.Case] = []
        credited: dict[int, ChargeRecord] = {}
        counted: dict[int, ChargeRecord] = {}
        for pk in sorted(set(transaction_ids)):
            t, records = found.get(pk), past.get(pk, [])
            valid = _valid(records)
            if t is not None and valid is not None and t.doubt == Doubt.SET_ASIDE:
                credited[pk], answers[pk] = valid, False
            elif t is None or not drafts.billable(t):
                # What was billed stays so while somebody has still to decide.
                answers[pk] = valid is not None
                if not answers[pk]:
                    log.info("no charge record", transaction=pk, reason=_why_not(t))
            elif not records or (valid is None and _put_right_since(records, t)):
                cases.append(drafts.Case(t, again=bool(records)))
            elif valid is not None and (valid.version is not None or drafts.outdated(valid, t)):
                counted[pk] = valid
                cases.append(drafts.Case(t, drafts.as_before(valid), again=True))
            else:
                answers[pk] = True
        book = choosing.Book({case.transaction.operator_id for case in cases})
        new: list[ChargeRecord] = []
        for pk, draft in drafts.price(cases, book).items():
            record = counted.get(pk)
            if isinstance(draft, Exception):
                as_billed = record is not None and not drafts.outdated(record, found[pk])
                answers[pk] = True if as_billed and isinstance(draft, drafts.EXPECTED) else draft
                continue
            answers[pk] = True
            records = past.get(pk, [])
            draft.revision = records[-1].revision + 1 if records else 1
            if record is not None:
                if not drafts.differs(record, draft):
                    continue
                credited[pk] = record
                draft.revision += 1
            draft.reason = _reason(found[pk]) if records else ""
            new.append(draft)
        taken = [drafts.credit(record) for record in credited.values()]
        for one in taken:
            one.reason = _reason(found[one.transaction_id])
        write(records=[*taken, *new])
        charged = {one.transaction_id: one for one in new}
        audit.record_all(entry_of(one.credits, charged.get(one.transaction_id), one.reason) for one in taken)
    return answers


def entry_of(record: ChargeRecord | None, charge: ChargeRecord | None, reason: str) -> AuditEntry | None:
    """What the audit tells of a correction."""
    assert record is not None
    was = {"charge": f"{record.total_incl_tax} {record.currency}"}
    now = {"charge": f"{charge.total_incl_tax} {charge.currency}" if charge is not None else "nothing"}
    label = f"session {record.transaction_id}"
    return audit.entry(
        "charge_record.corrected", record, operator=record.operator_id, label=label, before=was, after=now, note=reason
    )


def try_again(*, operator: Operator) -> int:
    """Price now what could not be priced before. Returns how many sessions that are."""
    with scope(operator=operator), db.atomic():
        count = OutboxEntry.objects.filter(subscriber=SUBSCRIBER, attempts__gt=0).count()
        outbox.wake(SUBSCRIBER, operator_id=operator.pk)
        if count:
            audit.record("billing.tried_again", operator=operator, note=f"{count} sessions")
        db.on_commit(partial(ports.bell.work, SUBSCRIBER))
    return count


def write(*, records: Sequence[ChargeRecord]) -> list[ChargeRecord]:
    """Write records down, and tell of those that are new: exactly once, however many workers come here with the same.

    The unique key (transaction, revision) decides. Corrections hold the lock of the record that they take back.
    """
    if not records:
        return []
    now = timezone.now()
    with connection.cursor() as cursor:
        # Keys first: with them it is known afterwards which are ours.
        cursor.execute("SELECT nextval('billing_chargerecord_id_seq') FROM generate_series(1, %s)", [len(records)])
        for record, (pk,) in zip(records, cursor.fetchall(), strict=True):
            record.pk = pk
    ChargeRecord._base_manager.bulk_create(records, ignore_conflicts=True)
    ours = set(ChargeRecord._base_manager.filter(pk__in=[one.pk for one in records]).values_list("pk", flat=True))
    made = [one for one in records if one.pk in ours]
    told = {RECORD_TOPIC: made, CREDIT_TOPIC: [one for one in made if one.kind == RecordKind.CREDIT]}
    rung: set[str] = set()
    with connection.cursor() as cursor:
        for topic, rows in told.items():
            if not rows:
                continue
            rung |= outbox.tell(cursor, topic, [(one.operator_id, one.pk, None) for one in rows], now=now)
    for subscriber in sorted(rung):
        db.on_commit(partial(ports.bell.work, subscriber))
    return made


def _past(found: Collection[int]) -> dict[int, list[ChargeRecord]]:
    """The records of transactions, oldest first. Those that may be corrected now are locked, and read after that."""
    known = ChargeRecord.objects.filter(transaction__in=list(found))
    if not list(known.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True)):
        return {}
    past: dict[int, list[ChargeRecord]] = {}
    for record in known.select_related("version__tariff").order_by("transaction_id", "revision"):
        past.setdefault(record.transaction_id, []).append(record)
    return past


def _valid(records: Sequence[ChargeRecord]) -> ChargeRecord | None:
    """The one that counts: the newest, unless that is a credit."""
    return records[-1] if records and records[-1].kind == RecordKind.CHARGE else None


def _put_right_since(records: Sequence[ChargeRecord], t: Transaction) -> bool:
    """What was credited alone is charged again only if somebody has put the session right since."""
    credited_at = records[-1].created_at
    return Repair.objects.filter(Q(made_at__gt=credited_at) | Q(undone_at__gt=credited_at), transaction=t).exists()


def _reason(t: Transaction) -> str:
    newest = Repair.objects.filter(transaction=t, undone_at=None).order_by("-id").first()
    return (newest.reason if newest is not None and newest.reason else CHANGED)[:300]


def _why_not(t: Transaction | None) -> str:
    if t is None:
        return "the transaction is gone"
    if t.stopped_at is None or t.status != "ended":
        return "the transaction has not ended"
    return t.doubt or "energy unknown"
