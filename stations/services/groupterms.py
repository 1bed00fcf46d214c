"""What the id tokens of a group may do: where they charge, how early they get power, whether they start anything at all."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import IdTokenGroup, Operator
from stations import locallists
from stations.domain.places import Places
from stations.models import GroupTerms, LocalList, LocalListRule, Site, Station
from stations.services import localauthlist

#: Of a group, of each kind.
MOST_PLACES = 200


@transaction.atomic
def set_terms(
    *,
    group: IdTokenGroup,
    priority: int | None = None,
    only_stops: bool = False,
    restricted: bool = False,
    sites: Sequence[Site] = (),
    stations: Sequence[Station] = (),
    evses: Sequence[tuple[Station, int]] = (),
) -> GroupTerms:
    """All terms of a group. `restricted`: its tokens charge at these places only. Raises ValidationError.

    They count from the next message of a station on; local lists that they concern are made anew.
    """
    if priority is not None and not -9 <= priority <= 9:
        raise ValidationError({"priority": _("Use a whole number from -9 (last) to 9 (first), or none.")})
    places = None
    if restricted:
        places = _places(group, sites, stations, evses)
    elif sites or stations or evses:
        raise ValidationError({"places": _("Places are named, but the group is not restricted to them: say which is meant.")})
    # One change of an operator's groups and rules at a time.
    operator = Operator.objects.select_for_update(no_key=True).get(pk=group.operator_id)
    known = GroupTerms.objects.filter(group=group).first()
    terms = known or GroupTerms(group=group, operator=operator)
    before = _told(terms)
    offline = _offline(terms)
    terms.priority, terms.only_stops, terms.places = priority, only_stops, places
    after = _told(terms)
    if known is not None and before == after:
        return terms
    terms.save()
    audit.record("id_token_group.changed", group, operator=operator, before=before, after=after)
    if offline != _offline(terms):
        # By their rules' new revision every list is made anew.
        LocalListRule.objects.filter(operator=operator).update(revision=F("revision") + 1)
        localauthlist.assign(operator_id=operator.pk, now=timezone.now())
    return terms


def _places(
    group: IdTokenGroup, sites: Sequence[Site], stations: Sequence[Station], evses: Sequence[tuple[Station, int]]
) -> dict[str, Any]:
    if max(len(sites), len(stations), len(evses)) > MOST_PLACES:
        raise ValidationError({"places": _("Name at most %(most)s of each: use whole sites.") % {"most": MOST_PLACES}})
    if not (sites or stations or evses):
        raise ValidationError({"places": _("Choose where it may charge, or let it charge everywhere.")})
    owners = {site.operator_id for site in sites} | {
        one.operator_id for one in (*stations, *(station for station, _number in evses))
    }
    if owners != {group.operator_id}:
        raise ValidationError({"places": _("One of the places belongs to another network.")})
    return {
        "sites": sorted({site.pk for site in sites}),
        "stations": sorted({station.pk for station in stations}),
        "evses": [list(one) for one in sorted({(station.pk, number) for station, number in evses})],
    }


def as_they_are(terms: GroupTerms | None) -> dict[str, Any]:
    """The places of a group, as `set_terms` takes them."""
    if terms is None or terms.places is None:
        return {"restricted": False}
    places = Places.read(terms.places)
    stations = Station.objects.in_bulk({*places.stations, *(at for at, _number in places.evses)})
    return {
        "restricted": True,
        "sites": list(Site.objects.filter(pk__in=places.sites)),
        "stations": [stations[pk] for pk in places.stations if pk in stations],
        "evses": [(stations[pk], number) for pk, number in places.evses if pk in stations],
    }


def _told(terms: GroupTerms) -> dict[str, Any]:
    return {"priority": terms.priority, "only_stops": terms.only_stops, "places": locallists.places_in_words(terms)}


def _offline(terms: GroupTerms) -> tuple[bool, Any]:
    """What of it decides which lists its tokens are on."""
    return terms.only_stops, terms.places


def moved(station: Station) -> None:
    """A station stands at another site: its local list may hold other tokens."""
    if GroupTerms.objects.filter(operator=station.operator_id, places__isnull=False).exists():
        LocalList.objects.filter(station=station).exclude(rule=None).update(full=True, due_at=timezone.now())
