"""Charge records corrected by a person: the old one is credited, and a new one made, in one transaction and once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction as db
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from billing import choosing, drafts, retiring, services
from billing.drafts import Draft
from billing.models import ChargeRecord, RecordKind, Tariff, TariffVersion
from stations import outbox

STATE = retiring.STATE
#: How a record is priced anew: by the version that it had, by what is assigned now, or not at all (it is only credited).
SAME, ASSIGNED, NOTHING = "same", "assigned", "none"
PRICING = (SAME, ASSIGNED, NOTHING)


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was made of it; neither: there was nothing to change. `repeated`: it was asked for before."""

    credit: ChargeRecord | None = None
    charge: ChargeRecord | None = None
    repeated: bool = False


def correct(
    *, record: ChargeRecord, reason: str, pricing: str = SAME, tariff: Tariff | None = None, request_key: str = ""
) -> Corrected:
    """Credit a record and price its session anew, as the session is now; `tariff`: under that, in its version of the start.

    Where that comes to the same, nothing is made. Asked again with the same `request_key`, it is the same correction. Raises
    ValidationError: without a reason, if it was credited before (code STATE), or if the session has no price.
    """
    reason = reason.replace("\x00", "").strip()[:300]
    if not reason:
        raise ValidationError({"reason": _("Say why: whoever looks at the bill will ask.")})
    if pricing not in PRICING:
        raise ValidationError({"pricing": _("Choose same, assigned or none.")})
    with scope(operator=record.operator_id), db.atomic():
        locked = ChargeRecord.objects.select_for_update(no_key=True).get(pk=record.pk)
        if locked.kind == RecordKind.CREDIT:
            raise ValidationError(_("A credit is not corrected. Correct the charge that came after it."), code=STATE)
        before = ChargeRecord.objects.filter(credits=locked).first()
        if before is not None:
            if request_key and before.request_key == request_key:
                # Not a charge that was made later, when somebody put the session right.
                made = ChargeRecord.objects.filter(transaction=locked.transaction_id, reason=before.reason)
                after = made.filter(revision=before.revision + 1).first()
                then = (before.reason, after is None, after.tariff_id if after and tariff else None)
                if then != (reason, pricing == NOTHING, tariff.pk if tariff else None):
                    raise ValidationError(_("This key was used for another correction: use a new one for each."), code=STATE)
                return Corrected(before, after, repeated=True)
            raise ValidationError(_("This record was credited before: correct the one that came after it."), code=STATE)
        if tariff is not None:
            retiring.refuse_retired(tariff)
        charge = None if pricing == NOTHING else _drafted(locked, pricing, tariff)
        if charge is not None and not drafts.differs(locked, charge):
            return Corrected()
        credit = drafts.credit(locked)
        credit.reason, credit.request_key = reason, request_key[:100]
        if charge is not None:
            charge.revision, charge.reason = locked.revision + 2, reason
        services.write(records=[credit] if charge is None else [credit, charge])
        audit.record_all([services.entry_of(locked, charge, reason)])
    return Corrected(credit, charge)


def _drafted(record: ChargeRecord, pricing: str, tariff: Tariff | None) -> ChargeRecord:
    draft = anew([record], pricing=pricing, tariff=tariff)[record.pk]
    if isinstance(draft, outbox.NotYet | ValidationError):
        raise draft if isinstance(draft, ValidationError) else ValidationError(str(draft))
    if isinstance(draft, Exception):
        raise ValidationError(_("It cannot be priced: %(why)s") % {"why": draft}) from draft
    return draft


def anew(records: Sequence[ChargeRecord], *, pricing: str = SAME, tariff: Tariff | None = None) -> dict[int, Draft]:
    """What the sessions of these charges cost if they are priced now, by the record; not written. In the operators' scope."""
    sessions = {one.pk: one for one in drafts.rows({record.transaction_id for record in records})}
    versions = _versions(tariff) if tariff is not None else []
    found: dict[int, Draft] = {}
    cases: list[drafts.Case] = []
    for record in records:
        t = sessions[record.transaction_id]
        if not drafts.billable(t):
            words = _("Its session is not trusted as it is now. Put the session right first, or credit the record only.")
            found[record.pk] = ValidationError(words, code=STATE)
            continue
        chosen = None
        if tariff is not None:
            chosen = _of(versions, t.started_at)
        elif pricing == SAME:
            chosen = drafts.as_before(record, market_now=True) or _of(_versions(record.tariff), t.started_at)
        cases.append(drafts.Case(t, chosen, again=True, now=pricing == ASSIGNED))
    priced = drafts.price(cases, choosing.Book({case.transaction.operator_id for case in cases}))
    return found | {record.pk: priced[record.transaction_id] for record in records if record.pk not in found}


def _versions(tariff: Tariff) -> list[TariffVersion]:
    return list(TariffVersion.objects.filter(tariff=tariff).select_related("tariff").order_by("valid_from"))


def _of(versions: list[TariffVersion], moment: datetime) -> choosing.Chosen | None:
    version = choosing.version_at(versions, moment)
    return choosing.Chosen(version) if version else None
