"""Why a session has its tariff, in words."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import explained
from billing.models import ChargeRecord
from stations.models import Transaction

PLACES: dict[str, str | Promise] = {
    "evse": gettext_lazy("It is assigned to this plug"),
    "station": gettext_lazy("It is assigned to this charger"),
    "site": gettext_lazy("It is assigned to this site"),
    "": gettext_lazy("It is that of the whole network"),
}
ENDED: dict[str, str | Promise] = {
    "evse": gettext_lazy("It was assigned to this plug until %(until)s"),
    "station": gettext_lazy("It was assigned to this charger until %(until)s"),
    "site": gettext_lazy("It was assigned to this site until %(until)s"),
    "": gettext_lazy("It was that of the whole network until %(until)s"),
}
AUDIENCES: dict[str, str | Promise] = {
    "ad_hoc": gettext_lazy("for who pays without a contract"),
    "drivers": gettext_lazy("for registered drivers"),
    "group": gettext_lazy("for the group of this id tag"),
}
PAYERS: dict[str, str | Promise] = {
    "ad_hoc": gettext_lazy("Somebody without an id tag that is enrolled"),
    "tag": gettext_lazy("An id tag of no registered driver"),
    "driver": gettext_lazy("The id tag of a registered driver"),
}


@dataclass(frozen=True, slots=True)
class Applied:
    """The tariff of a session, for its page. `who`: as whom it charges, as was noted; empty: it was not."""

    name: str
    version: int | None
    why: str
    sentence: str
    billed: bool
    who: str


def applied(transaction: Transaction, record: ChargeRecord | None) -> Applied | None:
    """None: it has none."""
    found = explained.explain([transaction], {transaction.pk: record} if record else {}).get(transaction.pk)
    return Applied(found.name, found.version, why(found), found.sentence, found.billed, who(found)) if found else None


def why(found: explained.Explained) -> str:
    if found.until is None:
        place = PLACES.get(found.place, PLACES[""])
    else:
        until = date_format(timezone.localtime(found.until), "DATETIME_FORMAT")
        place = ENDED.get(found.place, ENDED[""]) % {"until": until}
    if found.audience in AUDIENCES:
        return _("%(place)s, %(audience)s.") % {"place": place, "audience": AUDIENCES[found.audience]}
    return _("%(place)s.") % {"place": place}


def who(found: explained.Explained) -> str:
    """As whom a session charges: what was noted at its start, and whether it would be something else now."""
    if found.payer is None:
        return ""
    told = str(PAYERS[found.payer])
    if found.group is not None:
        told = _("%(who)s, in the group %(group)s") % {"who": told, "group": found.group or _("that was removed since")}
    if found.changed:
        return _("%(who)s. That has changed since; what held at the start stays applied.") % {"who": told}
    return f"{told}."
