"""Reads of local authorisation lists: which tokens belong on one, and what stations say of how much they hold."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Length

from accounts.models import IdToken, IdTokenStatus
from stations.domain.locallists import Limits
from stations.models import ListMode, LocalList, LocalListRule, Variable

#: Types that are held to a reader. Those of apps start by command, which needs a connection anyway; key codes are secrets.
LISTED = ("ISO14443", "ISO15693", "eMAID", "Local", "MacAddress")
#: Longer ones not every station can say.
LONGEST = 20
CONTROLLER = "LocalAuthListCtrlr"
#: What a station's limits are called, by component and variable: which of them it is.
NAMES = {
    ("", "SendLocalListMaxLength"): "items",
    (CONTROLLER, "ItemsPerMessage"): "items",
    (CONTROLLER, "BytesPerMessage"): "size",
    ("", "LocalAuthListMaxLength"): "most",
}
#: Of how many entries a list has the station tells how many it has; how many it may have is the highest that can be.
ENTRIES = (CONTROLLER, "Entries")


def chargeable(operator_id: int, now: datetime) -> QuerySet[IdToken]:
    """The operator's tokens that may stand on a list now, in the order in which they do.

    Not those that share their value with another of a different type, since not every station can tell the two apart.
    """
    rivals = IdToken.objects.filter(operator=operator_id, key=OuterRef("key")).exclude(pk=OuterRef("pk"))
    return (
        IdToken.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), operator=operator_id, type__in=LISTED)
        .filter(status=IdTokenStatus.ACCEPTED)
        .annotate(length=Length("value"))
        .filter(~Exists(rivals), length__lte=LONGEST)
        .select_related("group")
        .order_by("pk")
    )


def tokens_of(rule: LocalListRule | None, now: datetime) -> QuerySet[IdToken]:
    """The tokens that a rule puts on a list."""
    if rule is None or rule.mode == ListMode.OFF:
        return IdToken.objects.none()
    found = chargeable(rule.operator_id, now)
    return found.filter(group__in=rule.group_ids) if rule.mode == ListMode.GROUPS else found


def on_list(one: LocalList, now: datetime) -> QuerySet[IdToken]:
    """The tokens on a station's list that follows a rule, as far as they were sent."""
    return tokens_of(one.rule, now).filter(pk__lte=one.highest)


def limits_of(stations: Collection[int]) -> dict[int, Limits]:
    """What these stations say of how much of a list they take; in one query."""
    told: dict[int, dict[str, int]] = {}
    names = {variable for _component, variable in (*NAMES, ENTRIES)}
    found = Variable.objects.filter(station__in=stations, variable__in=names, evse_number=0, connector_number=0)
    for pk, component, variable, attribute, value in found.values_list("station", "component", "variable", "attribute", "value"):
        name = NAMES.get((component, variable)) if attribute == "Actual" else None
        if (component, variable, attribute) == (*ENTRIES, "MaxSet"):
            name = "most"
        if name and (value or "").isdigit() and int(value) > 0:
            told.setdefault(pk, {})[name] = int(value)
    return {pk: Limits(**told.get(pk, {})) for pk in stations}
