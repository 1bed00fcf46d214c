"""Many charge records priced anew: what would change is worked out first, then somebody starts it; workers do the rest.

Whoever changes a re-billing locks its row first. Each piece is one transaction with the place up to which it came: whoever is
killed in the middle has done nothing of that piece, and a record that was corrected is credited, so that it is not met again.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.db import transaction as db
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope, scopes_disabled

from accounts import audit
from accounts.models import Operator, User
from billing import corrections, drafts, retiring, services
from billing.models import ChargeRecord, Rebilling, RebillingState, RecordKind, Tariff
from stations import ports
from stations.cases import took_place_at
from stations.models import Site

SUBSCRIBER = "rebilling"
#: Records a transaction, and pieces a run of the task.
CHUNK, MOST_CHUNKS = 200, 100
LONGEST = timedelta(days=366)
#: A record is made after its session began, but for clocks that are set.
SLACK = timedelta(days=1)
FAILED_KEPT = 100
AT_WORK = (RebillingState.CHECKING, RebillingState.RUNNING)

log = structlog.get_logger(__name__)


def plan(
    *,
    operator: Operator,
    token: str,
    tariff: Tariff,
    since: datetime,
    until: datetime,
    reason: str,
    under: Tariff | None = None,
    site: Site | None = None,
    user: User | None = None,
) -> Rebilling:
    """Have it worked out what would change if the sessions that began in this time and were priced by `tariff` had `under`, or what
    is assigned to them now. With a token that was used before it is the re-billing of then. Raises ValidationError.
    """
    reason = reason.replace("\x00", "").strip()[:300]
    if not reason:
        raise ValidationError({"reason": _("Say why: whoever looks at the bills will ask.")})
    if until <= since:
        raise ValidationError({"until": _("This is before the beginning: exchange the two.")})
    if until - since > LONGEST:
        raise ValidationError({"until": _("A year at most can be priced anew at once.")})
    now = timezone.now()
    with scope(operator=operator), db.atomic():
        # Each found by an index, however many lie between: nobody waits for a count.
        near = ChargeRecord.objects.filter(tariff=tariff, created_at__gte=since - SLACK).order_by("created_at", "pk")
        first = near.values_list("pk", flat=True).first() or 1
        last = ChargeRecord._base_manager.aggregate(last=Max("pk"))["last"] or 0
        row, new = Rebilling.objects.get_or_create(
            operator=operator,
            token=token[:100],
            defaults={
                "tariff": tariff,
                "under": under,
                "site": site,
                "since": since,
                "until": until,
                "reason": reason,
                "first_id": first,
                "at_id": first - 1,
                "last_id": last,
                "total": 0,
                "requested_by": user,
                "created_at": now,
                "due_at": now,
            },
        )
        if new:
            if under is not None:
                retiring.refuse_retired(under)
            after = {"tariff": tariff.name, "under": under.name if under else "what is assigned", "since": since, "until": until}
            audit.record("rebilling.planned", row, operator=operator, after=after, note=reason)
            _ring()
        row.repeated = not new
    return row


def start(*, rebilling: Rebilling) -> bool:
    """Do what was worked out. False: it is not ready."""
    with scope(operator=rebilling.operator_id), db.atomic():
        row = _locked(rebilling.pk)
        if row.state != RebillingState.READY:
            return False
        row.state, row.started_at, row.at_id, row.looked_at = RebillingState.RUNNING, timezone.now(), row.first_id - 1, 0
        row.failures, row.failed, row.due_at = 0, [], timezone.now()
        row.save()
        audit.record("rebilling.started", row, operator=row.operator_id, after={"records": row.would_change}, note=row.reason)
        _ring()
    return True


def pause(*, rebilling: Rebilling) -> bool:
    """Go no further after the piece that is under way. False: it is not at work."""
    return _lead(rebilling, "paused", AT_WORK)


def resume(*, rebilling: Rebilling) -> bool:
    """Go on where it was. False: it is not paused."""
    return _lead(rebilling, "resumed", (RebillingState.PAUSED,))


def cancel(*, rebilling: Rebilling) -> bool:
    """Go no further for good. What was corrected stays corrected. False: it is over."""
    return _lead(rebilling, "cancelled", (*AT_WORK, RebillingState.READY, RebillingState.PAUSED))


def _lead(rebilling: Rebilling, what: str, states: Sequence[str]) -> bool:
    with scope(operator=rebilling.operator_id), db.atomic():
        row = _locked(rebilling.pk)
        if row.state not in states:
            return False
        now = timezone.now()
        if what == "paused":
            row.paused, row.state, row.due_at = row.state, RebillingState.PAUSED, None
        elif what == "resumed":
            row.state, row.paused, row.due_at = row.paused, "", now
        else:
            row.state, row.paused, row.due_at, row.finished_at = RebillingState.CANCELLED, "", None, now
        row.save(update_fields=["state", "paused", "due_at", "finished_at"])
        audit.record(f"rebilling.{what}", row, operator=row.operator_id, note=f"{row.looked_at} of {row.total}")
        _ring()
    return True


def _locked(pk: int) -> Rebilling:
    return Rebilling.objects.select_for_update(no_key=True).get(pk=pk)


def _ring() -> None:
    db.on_commit(lambda: ports.bell.work(SUBSCRIBER))


def due() -> list[int]:
    with scopes_disabled():
        found = Rebilling.objects.filter(due_at__lte=timezone.now(), state__in=AT_WORK).order_by("due_at")
        return list(found.values_list("pk", flat=True)[:50])


def advance(pk: int) -> bool:
    """Bring a re-billing one piece on. False: somebody else is at it, or there is nothing left to do."""
    with scopes_disabled(), db.atomic():
        found = Rebilling.objects.select_related("operator", "under").select_for_update(skip_locked=True, of=("self",), no_key=True)
        row = found.filter(pk=pk, state__in=AT_WORK).first()
        if row is None:
            return False
        with scope(operator=row.operator):
            records = list(_selected(row).filter(pk__gt=row.at_id).order_by("pk")[:CHUNK])
            if records:
                _piece(row, records)
            more = len(records) == CHUNK
            if not more:
                _settle(row)
            row.save()
    return more


def _selected(row: Rebilling) -> "QuerySet[ChargeRecord]":
    found = ChargeRecord.objects.filter(tariff=row.tariff_id, kind=RecordKind.CHARGE, credited_by=None)
    found = found.filter(pk__gte=row.first_id, pk__lte=row.last_id)
    found = found.filter(transaction__started_at__gte=row.since, transaction__started_at__lt=row.until)
    return found.filter(took_place_at(row.site_id, "transaction__")) if row.site_id else found


def _settle(row: Rebilling) -> None:
    """It is through: with working it out, or with all of it."""
    now = timezone.now()
    if row.state == RebillingState.CHECKING:
        row.state, row.due_at = RebillingState.READY, None
    else:
        row.state, row.due_at, row.finished_at = RebillingState.DONE, None, now
        after = {"corrected": row.changed, "difference": row.difference, "failed": row.failures}
        audit.record("rebilling.done", row, operator=row.operator_id, after=after)
    if row.failures:
        log.warning("a re-billing could not price some records", rebilling=row.pk, failures=row.failures)


def _piece(row: Rebilling, records: list[ChargeRecord]) -> None:
    writes = row.state == RebillingState.RUNNING
    try:
        with db.atomic():
            made = _corrected(row, records, writes=writes)
    except DatabaseError:
        # Something in one of them that the tables cannot hold: the others are none the worse for it.
        made = {}
        for record in records:
            try:
                with db.atomic():
                    made |= _corrected(row, [record], writes=writes)
            except DatabaseError as error:
                made[record.pk] = error
    difference = defaultdict(Decimal, {name: Decimal(text) for name, text in _sums(row).items()})
    changed = 0
    for record in records:
        draft = made.get(record.pk)
        if isinstance(draft, Exception):
            row.failures += 1
            if len(row.failed) < FAILED_KEPT:
                text = "; ".join(draft.messages) if isinstance(draft, ValidationError) else f"{draft}"
                row.failed.append({"record": record.pk, "session": record.transaction_id, "error": text.strip()[:300]})
        elif draft is not None:
            changed += 1
            difference[record.currency] -= record.total_incl_tax
            difference[draft.currency] += draft.total_incl_tax
    sums = {name: f"{amount:.2f}" for name, amount in sorted(difference.items())}
    if writes:
        row.changed, row.difference = row.changed + changed, sums
    else:
        row.would_change, row.would_differ = row.would_change + changed, sums
    row.looked_at += len(records)
    if not writes:
        row.total = row.looked_at
    row.at_id = records[-1].pk
    row.due_at = timezone.now()


def _sums(row: Rebilling) -> dict[str, str]:
    return dict(row.difference if row.state == RebillingState.RUNNING else row.would_differ)


def _corrected(row: Rebilling, records: list[ChargeRecord], *, writes: bool) -> dict[int, Any]:
    """Of the records that have another price: their new ones, written if it `writes`; or why there is none."""
    if writes:
        # Those that somebody else corrected meanwhile are left out.
        pks = [one.pk for one in records]
        list(ChargeRecord.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        taken = set(ChargeRecord.objects.filter(credits__in=pks).values_list("credits_id", flat=True))
        records = [one for one in records if one.pk not in taken]
    priced = corrections.anew(records, pricing=corrections.ASSIGNED, tariff=row.under)
    found: dict[int, Any] = {}
    new: list[ChargeRecord] = []
    for record in records:
        draft = priced[record.pk]
        if isinstance(draft, Exception):
            found[record.pk] = draft
        elif drafts.differs(record, draft):
            credit = drafts.credit(record)
            draft.revision, draft.reason, credit.reason = record.revision + 2, row.reason, row.reason
            found[record.pk] = draft
            new += [credit, draft]
    if writes:
        services.write(records=new)
    return found
