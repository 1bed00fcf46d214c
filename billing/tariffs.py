"""Tariffs as an operator has them: versions, and where and for whom each applies."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator, MaxValueValidator, MinValueValidator
from django.db import transaction as db
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from accounts.models import IdTokenGroup, Operator, User
from billing import kept as keeping
from billing import money, retiring, series, simple
from billing import tariff as engine
from billing.models import Audience, FormerAssignment, Tariff, TariffAssignment, TariffVersion
from stations import outbox, ports
from stations.models import Evse, Site, Station

#: Who waits for a tariff in the outbox.
SUBSCRIBER = "billing"
#: For how long it is known what applied: by then the sessions of the time have their records, which keep their versions.
FORMER_KEPT = timedelta(days=400)
PLACE = ("site", "station", "evse", "audience", "group")
SIMPLE = ("price_per_kwh", "price_per_minute", "price_per_session", "tax_percent")


def add_tariff(
    *,
    operator: Operator,
    name: str,
    currency: str = "EUR",
    price_per_kwh: Decimal = Decimal(0),
    price_per_minute: Decimal = Decimal(0),
    price_per_session: Decimal = Decimal(0),
    tax_percent: Decimal = Decimal(0),
    ocpi: Mapping[str, Any] | None = None,
    is_default: bool = False,
    user: User | None = None,
) -> Tariff:
    """Add a tariff of these prices without tax, or of an OCPI 2.2.1 Tariff object. With `is_default` it is the network's own.

    Raises ValidationError.
    """
    added = Tariff(operator=operator, name=name, currency=currency)
    with scope(operator=operator), db.atomic():
        added.full_clean()
        check_currency(currency)
        body = (
            ocpi
            if ocpi is not None
            else simple.body(
                per_kwh=_amount("price_per_kwh", price_per_kwh),
                per_minute=_amount("price_per_minute", price_per_minute),
                per_session=_amount("price_per_session", price_per_session),
                tax_percent=_percent("tax_percent", tax_percent),
            )
        )
        kept = _kept(added, body)
        added.save()
        TariffVersion.objects.create(operator=operator, tariff=added, valid_from=timezone.now(), ocpi=kept, created_by=user)
        audit.record("tariff.added", added, operator=operator, after={"name": name, "currency": currency, **_told(kept)})
        if is_default:
            set_default_tariff(tariff=added)
    return added


def add_version(
    *, tariff: Tariff, ocpi: Mapping[str, Any], valid_from: datetime | None = None, note: str = "", user: User | None = None
) -> TariffVersion:
    """Change a tariff from a moment on, from now if none is given. Sessions that started before keep what they had.

    Raises ValidationError if the moment has passed or another version is valid from it or later.
    """
    with scope(operator=tariff.operator), db.atomic():
        Tariff.objects.select_for_update(no_key=True).get(pk=tariff.pk)
        retiring.refuse_retired(tariff)
        now = timezone.now()
        begins = valid_from or now
        last = TariffVersion.objects.filter(tariff=tariff).order_by("-valid_from").first()
        if begins < now:
            raise ValidationError({"valid_from": _("A tariff cannot change in the past: what applied then stays applied.")})
        if last is not None and last.valid_from >= begins:
            raise ValidationError({"valid_from": _("A later version is there already. Take it back first.")})
        kept = _kept(tariff, ocpi)
        number = last.number + 1 if last else 1
        version: TariffVersion = TariffVersion.objects.create(
            operator_id=tariff.operator_id,
            tariff=tariff,
            number=number,
            valid_from=begins,
            ocpi=kept,
            note=note[:200],
            created_by=user,
        )
        after = {"version": number, "valid_from": begins.isoformat(), **_told(kept)}
        audit.record(
            "tariff.changed", tariff, operator=tariff.operator_id, before=_told(last.ocpi) if last else None, after=after, note=note
        )
    return version


def withdraw_version(*, version: TariffVersion) -> bool:
    """Take a version back that is not valid yet. False: it is, or has been."""
    with scope(operator=version.operator), db.atomic():
        Tariff.objects.select_for_update(no_key=True).get(pk=version.tariff_id)
        if version.number == 1 or version.valid_from <= timezone.now():
            return False
        before = {"version": version.number, "valid_from": version.valid_from.isoformat(), **_told(version.ocpi)}
        TariffVersion.objects.filter(pk=version.pk).delete()
        audit.record("tariff.version_withdrawn", version.tariff, operator=version.operator_id, before=before)
    return True


def assign(
    *,
    tariff: Tariff,
    site: Site | None = None,
    station: Station | None = None,
    evse: Evse | None = None,
    audience: str = "",
    group: IdTokenGroup | None = None,
) -> TariffAssignment:
    """Have a tariff apply at a place (the whole network, if none is named), for everybody or for some.

    For sessions that start from now on it takes the place of the one that was assigned to just the same. Raises ValidationError.
    """
    if sum(one is not None for one in (site, station, evse)) > 1:
        raise ValidationError(_("Name one place: a site, a charger or a plug."))
    if (audience == Audience.GROUP) != (group is not None):
        raise ValidationError({"group": _("Name the group of id tags, and for a group only.")})
    if audience not in Audience.values:
        raise ValidationError({"audience": _("Choose one of: %(names)s.") % {"names": ", ".join(filter(None, Audience.values))}})
    owners = [one.operator_id for one in (site, station, evse.station if evse else None, group) if one is not None]
    if any(owner != tariff.operator_id for owner in owners):
        raise ValidationError(_("This place is not in your network."))
    where = {"site": site, "station": station, "evse": evse, "audience": audience, "group": group}
    with scope(operator=tariff.operator), db.atomic():
        Operator.objects.select_for_update(no_key=True).get(pk=tariff.operator_id)
        retiring.refuse_retired(tariff)
        there = TariffAssignment.objects.filter(operator=tariff.operator, **where).select_related("tariff").first()
        if there is not None and there.tariff_id == tariff.pk:
            return there
        now = timezone.now()
        if there is not None:
            _end(there, now)
        made: TariffAssignment = TariffAssignment.objects.create(operator=tariff.operator, tariff=tariff, created_at=now, **where)
        before = {"tariff": there.tariff.name} if there else None
        audit.record("tariff.assigned", tariff, operator=tariff.operator_id, before=before, after=_place(made))
        wake(tariff.operator_id)
    return made


def unassign(*, assignment: TariffAssignment) -> None:
    """A tariff applies there no more, but to the sessions that have started."""
    with scope(operator=assignment.operator), db.atomic():
        # Of two at once the second finds nothing to end.
        there = TariffAssignment.objects.select_for_update().filter(pk=assignment.pk).first()
        if there is not None:
            audit.record("tariff.unassigned", assignment.tariff, operator=assignment.operator_id, before=_place(assignment))
            _end(there, timezone.now())


def _end(there: TariffAssignment, now: datetime) -> None:
    _remember(there.tariff, there.created_at, now, **{name: getattr(there, name) for name in PLACE})
    there.delete()


def _remember(tariff: Tariff, since: datetime, now: datetime, **where: Any) -> None:
    """Keep what applied until now: what started meanwhile is priced by it. What comes after it begins at the same moment."""
    FormerAssignment.objects.filter(operator=tariff.operator_id, ended_at__lt=now - FORMER_KEPT).delete()
    FormerAssignment.objects.create(operator_id=tariff.operator_id, tariff=tariff, began_at=since, ended_at=now, **where)


def set_default_tariff(*, tariff: Tariff) -> None:
    """Make this the tariff of all the operator's transactions from now on to which no other is assigned, and bill those that waited
    for one.

    Raises ValidationError if it is retired.
    """
    with scope(operator=tariff.operator), db.atomic():
        # One change of an operator's default at a time: two at once would both want to be the only one.
        Operator.objects.select_for_update(no_key=True).get(pk=tariff.operator_id)
        retiring.refuse_retired(tariff)
        before = Tariff.objects.filter(is_default=True).exclude(pk=tariff.pk).first()
        now = timezone.now()
        if before is not None:
            _remember(before, before.default_since or before.created_at, now, was_default=True)
            Tariff.objects.filter(pk=before.pk).update(is_default=False, default_since=None)
        if Tariff.objects.filter(pk=tariff.pk, is_default=False).update(is_default=True, default_since=now):
            was, told = {"default": before.name if before else None}, {"default": tariff.name}
            audit.record("tariff.made_default", tariff, operator=tariff.operator_id, before=was, after=told)
        wake(tariff.operator_id)
    tariff.is_default = True


def wake(operator_id: int) -> None:
    """Bill what waited for a tariff."""
    outbox.wake(SUBSCRIBER, operator_id=operator_id)
    db.on_commit(lambda: ports.bell.work(SUBSCRIBER))


def _kept(tariff: Tariff, ocpi: Mapping[str, Any]) -> dict[str, Any]:
    """What a version keeps, if the engine can read it. Raises ValidationError."""
    if ocpi.get("currency", tariff.currency) != tariff.currency:
        raise ValidationError(
            {
                "currency": _("The tariff is in %(currency)s. Add another tariff for another currency.")
                % {"currency": tariff.currency}
            }
        )
    try:
        read = engine.parse({**ocpi, "currency": tariff.currency}, series.usable(tariff.operator_id, tariff.currency))
    except engine.InvalidTariff as error:
        raise ValidationError({"ocpi": str(error)}) from error
    driven = (one.dimension for element in read.elements for one in element.components if one.series is not None)
    if any(dimension is not engine.Dimension.ENERGY for dimension in driven):
        raise ValidationError({"ocpi": _("Only the price of energy can follow a market.")})
    return keeping.of(ocpi, read)


def _told(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit tells of a version."""
    return {name: body.get(name) for name in ("elements", "min_price", "max_price") if name in body}


def _place(one: TariffAssignment) -> dict[str, Any]:
    told = {"site": one.site, "station": one.station, "evse": one.evse, "group": one.group}
    return {"for": one.audience or "everybody"} | {name: str(value) for name, value in told.items() if value is not None}


def _amount(name: str, value: object) -> Decimal:
    return _decimal(name, value, DecimalValidator(12, 4), MinValueValidator(Decimal(0)))


def _percent(name: str, value: object) -> Decimal:
    return _decimal(name, value, DecimalValidator(5, 2), MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100)))


def _decimal(name: str, value: object, *checks: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except ArithmeticError as error:
        raise ValidationError({name: _("Enter a number.")}) from error
    try:
        for check in checks:
            check(number)
    except ValidationError as error:
        raise ValidationError({name: error}) from error
    return number


def check_currency(currency: str) -> None:
    """Raises ValidationError for what is none, or needs more decimals than totals are kept with."""
    try:
        decimals = money.minor_units(currency)
    except ValueError as error:
        raise ValidationError({"currency": str(error)}) from error
    if decimals > 2:
        raise ValidationError({"currency": f"Totals are kept with two decimals, and {currency} needs {decimals}: use another."})
