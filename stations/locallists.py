"""Reads of local authorisation lists: which tokens belong on one, and what stations say of how much they hold."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Length

from accounts.models import IdToken, IdTokenStatus
from stations import plugtypes
from stations.domain.locallists import Limits
from stations.domain.places import Places, Plugs, everywhere
from stations.models import GroupTerms, LeftOff, ListMode, LocalList, LocalListRule, Site, Station, TokenTerms, Variable

#: Types that are held to a reader. Those of apps start by command, which needs a connection anyway; key codes are secrets.
LISTED = ("ISO14443", "ISO15693", "eMAID", "Local", "MacAddress")
#: Longer ones not every station can say.
LONGEST = 20
CONTROLLER = "LocalAuthListCtrlr"
#: Why a charger is asked by the job, which knows by itself what to do when that comes to nothing.
WHY = "To bring the list of id tags in step."
#: What a station's limits are called, by component and variable: which of them it is.
NAMES = {
    ("", "SendLocalListMaxLength"): "items",
    (CONTROLLER, "ItemsPerMessage"): "items",
    (CONTROLLER, "BytesPerMessage"): "size",
    ("", "LocalAuthListMaxLength"): "most",
}
#: Its value is how many entries the list has; how many it may have is the highest that is allowed.
ENTRIES = (CONTROLLER, "Entries")
#: A list that is switched off takes nothing.
SWITCH = {("", "LocalAuthListEnabled"), (CONTROLLER, "Enabled")}
#: What a station is asked of these, in the words of 2.x.
ASKED: list[dict[str, Any]] = [
    {"component": CONTROLLER, "variable": "ItemsPerMessage"},
    {"component": CONTROLLER, "variable": "BytesPerMessage"},
    {"component": CONTROLLER, "variable": "Entries", "attribute": "MaxSet"},
    {"component": CONTROLLER, "variable": "Enabled"},
]


def chargeable(operator_id: int, now: datetime) -> QuerySet[IdToken]:
    """The operator's tokens that may stand on a list now, in the order in which they do.

    Not those that share their value with another of a different type, since not every station can tell the two apart; and none that
    is held to places or types of plugs by itself, which a list cannot say: stations ask about it.
    """
    rivals = IdToken.objects.filter(operator=operator_id, key=OuterRef("key")).exclude(pk=OuterRef("pk"))
    return (
        IdToken.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), operator=operator_id, type__in=LISTED)
        .filter(status=IdTokenStatus.ACCEPTED)
        .annotate(length=Length("value"))
        .filter(~Exists(rivals), ~Exists(TokenTerms.objects.filter(token=OuterRef("pk"))), length__lte=LONGEST)
        .select_related("group")
        .order_by("pk")
    )


def terms_of(operator_id: int) -> list[GroupTerms]:
    """Those by which some tokens are on no list, or on those of some stations only."""
    held = Q(only_stops=True) | Q(places__isnull=False) | Q(connector_types__isnull=False)
    return list(GroupTerms.objects.filter(held, operator=operator_id))


def without(terms: Collection[GroupTerms], station: Station) -> frozenset[int]:
    """The groups whose tokens do not belong on this station's list: they may only stop, or may not charge at all of it, which a
    list cannot say in every version. The station asks about them."""
    plugs: Plugs = plugtypes.of(station) if any(one.connector_types is not None for one in terms) else {}
    at = station.site_id, station.pk, plugs
    return frozenset(
        one.group_id for one in terms if one.only_stops or ((held := one.held) is not None and not everywhere(held, *at))
    )


def places_in_words(terms: GroupTerms | TokenTerms) -> str:
    """The places of a group, or of a token, by their names; empty: everywhere. What is gone has no name any more."""
    if terms.places is None:
        return ""
    places = Places.read(terms.places)
    sites = Site.objects.filter(pk__in=places.sites).values_list("name", flat=True)
    return ", ".join((*sorted(sites), *single_places(places))) or "-"


def held_in_words(terms: GroupTerms | TokenTerms) -> str:
    """The places, and the types of plugs; empty: everywhere, at every type."""
    return " · ".join(filter(None, (places_in_words(terms), ", ".join(terms.connector_types or ()))))


def single_places(places: Places) -> list[str]:
    """Stations by their identities, EVSEs as IDENTITY/2."""
    named = {*places.stations, *(at for at, _number in places.evses)}
    stations = dict(Station.objects.filter(pk__in=named).values_list("pk", "identity"))
    whole = (stations[pk] for pk in places.stations if pk in stations)
    return [*sorted(whole), *sorted(f"{stations[pk]}/{number}" for pk, number in places.evses if pk in stations)]


def left_off(one: LocalList) -> frozenset[int]:
    """The tokens whose customers the station has forgotten: they belong on its list no more, until something about them changes."""
    return frozenset(LeftOff.objects.filter(local_list=one).values_list("token_id", flat=True))


def tokens_of(
    rule: LocalListRule | None, now: datetime, without: Collection[int] = (), left_off: Collection[int] = ()
) -> QuerySet[IdToken]:
    """The tokens that a rule puts on a list; not those of the groups `without`, and not those that are `left_off`."""
    if rule is None or rule.mode == ListMode.OFF:
        return IdToken.objects.none()
    found = chargeable(rule.operator_id, now).exclude(pk__in=left_off)
    if without:
        found = found.filter(Q(group__isnull=True) | ~Q(group__in=without))
    return found.filter(group__in=rule.group_ids) if rule.mode == ListMode.GROUPS else found


def on_list(one: LocalList, now: datetime) -> QuerySet[IdToken]:
    """The tokens on a station's list that follows a rule, as far as they were sent."""
    return tokens_of(one.rule, now, without(terms_of(one.operator_id), one.station), left_off(one)).filter(pk__lte=one.highest)


def switched_off(station: Station) -> bool:
    """Whether the station says that its list is switched off."""
    found = Variable.objects.filter(station=station, variable__in=[name for _component, name in SWITCH], value__iexact="false")
    return any((one.component, one.variable) in SWITCH for one in found)


def limits_of(stations: Collection[int]) -> dict[int, Limits]:
    """What these stations say of how much of a list they take; in one query."""
    told: dict[int, dict[str, int]] = {}
    names = {variable for _component, variable in (*NAMES, ENTRIES)}
    found = Variable.objects.filter(station__in=stations, variable__in=names, evse_number=0, connector_number=0)
    for one in found:
        name, value = NAMES.get((one.component, one.variable)), one.value or ""
        if (one.component, one.variable) == ENTRIES:
            # As an attribute of its own, or as the limit of its value.
            highest = getattr(one, "highest", None)
            name, value = "most", value if one.attribute == "MaxSet" else "" if highest is None else f"{highest:.0f}"
        elif one.attribute != "Actual":
            continue
        if name and value.isdigit() and 0 < int(value) < 2**31:
            told.setdefault(one.station_id, {})[name] = int(value)
    return {pk: Limits(**told.get(pk, {})) for pk in stations}
