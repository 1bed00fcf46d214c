"""Tariffs renamed, removed, brought back. One that sessions are billed by, or may be, is retired instead of deleted."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db import transaction as db
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from accounts.models import Operator
from accounts.tokens import plain
from billing.models import ChargeRecord, FormerAssignment, Rebilling, Tariff, TariffAssignment

#: The code of a refusal that is not for what was asked, but for how things stand.
STATE = "state"


def refuse_retired(tariff: Tariff) -> None:
    """Raises ValidationError if a tariff is not to be chosen any more."""
    if Tariff.objects.filter(pk=tariff.pk, retired_at__isnull=False).exists():
        raise ValidationError(
            _("The tariff %(name)s is retired: bring it back first, or take another.") % {"name": tariff}, code=STATE
        )


def rename(*, tariff: Tariff, name: str) -> None:
    """Call it something else from now on. What was issued keeps what it says. Raises ValidationError."""
    name = plain(name, "name")
    with scope(operator=tariff.operator_id), db.atomic():
        row = Tariff.objects.select_for_update(no_key=True).get(pk=tariff.pk)
        before, row.name = row.name, name
        row.clean_fields()
        if name != before:
            row.save(update_fields=["name"])
            audit.record("tariff.renamed", row, operator=row.operator_id, before={"name": before}, after={"name": name})
    tariff.name = name


def used(tariff: Tariff) -> bool:
    """Whether something that stays names it, or it applied, and a session of that time may still be told: it can be retired, and
    not deleted.
    """
    rebilled = Rebilling.objects.filter(Q(tariff=tariff) | Q(under=tariff))
    named = (ChargeRecord.objects.filter(tariff=tariff), rebilled, FormerAssignment.objects.filter(tariff=tariff))
    return any(one.exists() for one in named)


def remove(*, tariff: Tariff) -> bool:
    """Delete a tariff that was never used, retire one that was: True. Raises ValidationError while it applies somewhere."""
    try:
        return _remove(tariff, keep=False)
    except IntegrityError:
        # A session was billed by it at this very moment.
        return _remove(tariff, keep=True)


def retire(*, tariff: Tariff) -> None:
    """Neither chosen nor assigned any more; records and what-if still have it. Raises ValidationError while it applies."""
    _remove(tariff, keep=True)


def _remove(tariff: Tariff, *, keep: bool) -> bool:
    with scope(operator=tariff.operator_id), db.atomic():
        # As whoever assigns one, or makes it the default.
        Operator.objects.select_for_update(no_key=True).get(pk=tariff.operator_id)
        row = Tariff.objects.select_for_update().get(pk=tariff.pk)
        if row.is_default:
            words = _("It is the default: it applies wherever no other is assigned. Make another tariff the default first.")
            raise ValidationError(words, code=STATE)
        if TariffAssignment.objects.filter(tariff=row).exists():
            raise ValidationError(_("It is still assigned. End its assignments first."), code=STATE)
        kept = keep or used(row)
        if not kept:
            before = {"name": row.name, "currency": row.currency}
            audit.record("tariff.removed", row, operator=row.operator_id, before=before)
            row.delete()
        elif row.retired_at is None:
            row.retired_at = tariff.retired_at = timezone.now()
            row.save(update_fields=["retired_at"])
            audit.record("tariff.retired", row, operator=row.operator_id, after={"retired_at": row.retired_at})
    return kept


def bring_back(*, tariff: Tariff) -> bool:
    """It may be chosen again. False: it may be already."""
    with scope(operator=tariff.operator_id), db.atomic():
        back = Tariff.objects.filter(pk=tariff.pk, retired_at__isnull=False).update(retired_at=None)
        if back:
            audit.record("tariff.brought_back", tariff, operator=tariff.operator_id, before={"retired_at": tariff.retired_at})
    tariff.retired_at = None
    return bool(back)
