"""Quirks as data: what is odd about stations of a make, and what is done about it. Who changes one makes its stations' states old.

Shipped ones belong to the release. An operator may switch one on or off for their network, and write their own, which have the last
word.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django_scopes import scope, scopes_disabled

from accounts import audit
from accounts.models import Operator
from stations import ports
from stations.domain.quirks import ordered
from stations.models import Quirk, QuirkSwitch

#: Of one operator.
MOST = 100
LONGEST_FRAME = 16_000
FIELDS = ("name", "vendor", "model", "firmware_from", "firmware_to", "protocol", "adjustments", "source", "frame", "active")
#: The stations of vendors that begin with one of these, in the order in which batches lock them; without an operator, of all.
BUMP = """
WITH locked AS (
    SELECT c.station_id FROM stations_connection c JOIN stations_station s ON s.id = c.station_id
    WHERE (%(operator)s::bigint IS NULL OR c.operator_id = %(operator)s::bigint)
      AND EXISTS (
        SELECT FROM unnest(%(vendors)s::text[]) AS v(vendor) WHERE starts_with(lower(s.vendor), rtrim(lower(v.vendor), '*'))
      )
    ORDER BY c.station_id FOR NO KEY UPDATE OF c
)
UPDATE stations_connection AS c SET state_version = state_version + 1 FROM locked WHERE locked.station_id = c.station_id
"""


def checked(**fields: Any) -> Quirk:
    """A quirk as it would be kept, and is not. Raises ValidationError."""
    quirk = Quirk()
    _fill(quirk, fields)
    return quirk


def add(*, operator: Operator, **fields: Any) -> Quirk:
    """A quirk of the operator's own. `fields` are those of FIELDS. Raises ValidationError."""
    quirk = Quirk(operator=operator)
    with scope(operator=operator), transaction.atomic():
        Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
        if Quirk.objects.count() >= MOST:
            raise ValidationError(
                _("You have %(most)s quirks of your own, and no more are looked at: remove one.") % {"most": MOST}
            )
        _fill(quirk, fields)
        quirk.save(force_insert=True)
        audit.record("quirk.added", quirk, operator=operator, after=_told(quirk))
        _bump(operator, [quirk.vendor])
    return quirk


def change(*, quirk: Quirk, **fields: Any) -> Quirk:
    """Sets the fields given of a quirk of an operator's own; the others stay."""
    with scope(operator=_owner(quirk)), transaction.atomic():
        locked = Quirk.objects.select_for_update(of=("self",)).get(pk=quirk.pk)
        before, vendor = _told(locked), locked.vendor
        _fill(locked, fields)
        locked.save()
        audit.record("quirk.changed", locked, operator=_owner(quirk), before=before, after=_told(locked))
        _bump(_owner(quirk), [vendor, locked.vendor])
    return locked


def remove(*, quirk: Quirk) -> None:
    operator = _owner(quirk)
    with scope(operator=operator), transaction.atomic():
        audit.record("quirk.removed", quirk, operator=operator, before=_told(quirk))
        _bump(operator, [quirk.vendor])
        quirk.delete()


def switch(*, operator: Operator, quirk: Quirk, active: bool) -> None:
    """Have a quirk on or off in the operator's network: a shipped one, too."""
    if quirk.operator_id is not None:
        change(quirk=quirk, active=active)
        return
    with scope(operator=operator), transaction.atomic():
        known = QuirkSwitch.objects.filter(quirk=quirk).first()
        before = {"active": known.active if known else quirk.active}
        QuirkSwitch.objects.update_or_create(operator=operator, quirk=quirk, defaults={"active": active})
        audit.record("quirk.switched", quirk, operator=operator, before=before, after={"active": active})
        _bump(operator, [quirk.vendor])


@transaction.atomic
def sync(*, rows: Iterable[Mapping[str, Any]]) -> int:
    """Makes the shipped quirks those of the release (`code` and FIELDS). Returns how many came, changed or went."""
    changed: list[str] = []
    with scopes_disabled():
        known = {quirk.code: quirk for quirk in Quirk.shipped.select_for_update()}
        for row in rows:
            quirk = known.pop(row["code"], None) or Quirk(code=row["code"])
            before, vendor = _told(quirk), quirk.vendor
            _fill(quirk, {name: row.get(name, True if name == "active" else "") for name in FIELDS})
            if quirk.pk is None or _told(quirk) != before:
                quirk.save()
                changed += [vendor, quirk.vendor]
        for gone in known.values():
            changed += [gone.vendor, gone.vendor]
            gone.delete()
        _bump(None, changed)
    return len(changed) // 2


def _owner(quirk: Quirk) -> Operator:
    if quirk.operator is None:
        raise ValidationError(
            _("This quirk came with the release: switch it off and write one of your own in its place, for instance as a copy.")
        )
    return quirk.operator


def _bump(operator: Operator | None, vendors: Sequence[str]) -> None:
    """Makes every process load the states of these vendors' stations anew."""
    if vendors:
        with connection.cursor() as cursor:
            cursor.execute(BUMP, {"operator": operator.pk if operator else None, "vendors": sorted(set(vendors))})


def _told(quirk: Quirk) -> dict[str, Any]:
    return audit.fields_of(quirk, *FIELDS)


def _fill(quirk: Quirk, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if name not in FIELDS:
            raise TypeError(f"A quirk has no {name}")
        setattr(quirk, name, value.replace("\x00", "").strip() if isinstance(value, str) else value)
    quirk.adjustments = ports.check_adjustments(quirk.protocol, quirk.adjustments)
    wrong: dict[str, str] = {}
    if not quirk.vendor.strip("*") and not quirk.model.strip("*"):
        wrong["vendor"] = _("Say of which vendor or which model the chargers are: a quirk for all of them is none.")
    if quirk.firmware_from and quirk.firmware_to and ordered(quirk.firmware_from) > ordered(quirk.firmware_to):
        wrong["firmware_to"] = _("The newest version must not be older than the oldest.")
    for name in ("firmware_from", "firmware_to"):
        if getattr(quirk, name) and not ordered(getattr(quirk, name)):
            wrong[name] = _("This is no version: it has neither numbers nor letters.")
    if quirk.source and not quirk.source.startswith(("https://", "http://")):
        wrong["source"] = _("The source is an address that begins with https:// or http://, or nothing.")
    if len(quirk.frame) > LONGEST_FRAME:
        wrong["frame"] = _("A frame has %(most)s characters at most.") % {"most": LONGEST_FRAME}
    if wrong:
        raise ValidationError(wrong)
    quirk.clean_fields(exclude=["operator", "code", "adjustments"])
