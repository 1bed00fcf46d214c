"""Numbers with their unit, and ages, as the pages write them."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import money as currencies
from stations.domain.times import TOLERANCE
from stations.models import Station

register = template.Library()

#: Between a number and its unit: thin, and never the end of a line.
SPACE = "\u202f"
NOTHING = "–"


def _number(value: Decimal, decimals: int) -> str:
    # Django cuts the decimals off; people round.
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return number_format(rounded, decimals, use_l10n=True, force_grouping=True)


@register.filter
def kw(watts: Decimal | None) -> str:
    """Watts as kW; a dash when there is no reading."""
    return NOTHING if watts is None else _number(watts / 1000, 1) + SPACE + "kW"


@register.filter
def kwh(watt_hours: Decimal | None) -> str:
    """Watt-hours as kWh; a dash when there is no reading."""
    return NOTHING if watt_hours is None else _number(watt_hours / 1000, 2) + SPACE + "kWh"


@register.filter
def thousandth(value: Decimal | None) -> str:
    """A value in thousands, without the unit, to one decimal."""
    return NOTHING if value is None else _number(value / 1000, 1)


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """An amount with the code of its currency."""
    return _number(amount, currencies.minor_units(currency)) + SPACE + currency


@register.filter
def cash(amount: Decimal, currency: str) -> str:
    """An amount without its currency, which stands beside it."""
    return _number(amount, currencies.minor_units(currency))


@register.filter
def plain(value: object, least: int = 0) -> str:
    """A decimal with at most four decimals, without the zeros that say nothing but with at least so many decimals."""
    number = round(Decimal(str(value)), 4).normalize()
    return _number(number, max(least, -int(number.as_tuple().exponent)))


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, in one unit. live.js writes the same."""
    if moment is None:
        return ""
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < 60:
        return _("%(n)s s ago") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)s min ago") % {"n": seconds // 60}
    if seconds < 172_800:
        return _("%(n)s h ago") % {"n": seconds // 3600}
    return _("%(n)s days ago") % {"n": seconds // 86_400}


@register.filter
def moment(at: datetime | None) -> str:
    """The time of day; of another day, with its date."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    return date_format(local, "H:i" if local.date() == timezone.localdate() else "j M H:i")


@register.filter
def day(at: datetime) -> str:
    """The day as an address has it."""
    return timezone.localtime(at).date().isoformat()


@register.filter
def left(moment: datetime | None) -> str:
    """How long until then. live.js writes the same."""
    if moment is None:
        return ""
    seconds = max(0, int((moment - timezone.now()).total_seconds()))
    if seconds < 120:
        return _("%(n)s s") % {"n": seconds}
    if seconds < 7200:
        return _("%(n)s min") % {"n": seconds // 60}
    if seconds < 172_800:
        return _("%(h)s h %(n)s min") % {"h": seconds // 3600, "n": f"{seconds // 60 % 60:02}"}
    return _("%(n)s days") % {"n": seconds // 86_400}


@register.simple_tag
def duration(start: datetime, end: datetime | None = None) -> str:
    """From start to end (now, if it has none), in hours and minutes. live.js writes the same."""
    return lasting(((end or timezone.now()) - start).total_seconds())


@register.filter
def lasting(seconds: float) -> str:
    """A time in hours and minutes."""
    minutes = int(max(0, seconds) // 60)
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    return _("%(h)s h %(n)s min") % {"h": minutes // 60, "n": f"{minutes % 60:02}"}


@register.simple_tag
def clock(station: Station) -> str:
    """What a charger's clock is off by."""
    seconds = station.clock_offset_s
    if seconds is None:
        return _("not known yet")
    if abs(seconds) <= TOLERANCE.total_seconds():
        return _("right")
    days = abs(seconds) // 86_400
    if days >= 365:
        text = ngettext("%(n)s year", "%(n)s years", days // 365) % {"n": days // 365}
    elif days > 1:
        text = _("%(n)s days") % {"n": days}
    else:
        text = _("%(h)s h %(n)s min") % {"h": abs(seconds) // 3600, "n": f"{abs(seconds) // 60 % 60:02}"}
    return _("%(time)s ahead") % {"time": text} if seconds > 0 else _("%(time)s behind") % {"time": text}


@register.filter
def iso(moment: datetime | None) -> str:
    """For `<time datetime>`."""
    return moment.isoformat() if moment else ""
