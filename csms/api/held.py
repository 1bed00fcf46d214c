"""What an id tag, or a group, is held to: places and types of plugs. No rule lives here: `stations.services.groupterms`."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from csms.api.fields import KnownOnly, Text, Whole
from stations.domain import places
from stations.models import GroupTerms, Site, Station, TokenTerms
from stations.services import groupterms
from stations.services.groupterms import Wanted

MOST = groupterms.MOST_PLACES
TYPES = {"type": "array", "items": {"type": "string", "enum": list(groupterms.PLUG_TYPES)}, "nullable": True}
#: The fields of `Change`.
NAMES = ("places", "connector_types")


class OneEvse(KnownOnly):
    station = Text(max_length=48, help_text="Its identity.")
    evse = Whole(min_value=1, max_value=255)


class Places(KnownOnly):
    """Whole sites, whole stations and single EVSEs; of each at most 200."""

    sites = serializers.ListField(child=Whole(min_value=1), required=False, max_length=MOST, help_text="Their ids.")
    stations = serializers.ListField(child=Text(max_length=48), required=False, max_length=MOST, help_text="Their identities.")
    evses = serializers.ListField(child=OneEvse(), required=False, max_length=MOST)

    class Meta:
        ref_name = "PlacesOfIdTags"


class Change(KnownOnly):
    places = Places(required=False, allow_null=True, help_text="The only places where it charges; null: everywhere.")
    connector_types = serializers.ListField(
        child=serializers.ChoiceField(choices=groupterms.PLUG_TYPES),
        required=False,
        allow_null=True,
        max_length=len(groupterms.PLUG_TYPES),
        help_text="The only types of plugs where it charges (OCPP 2.0.1 ConnectorEnumType); null: all.",
    )


def names(terms: Iterable[GroupTerms | TokenTerms | None]) -> dict[str, Any]:
    """For the context of rows: the identities of the stations that they name, in one query."""
    found = [places.Places.read(one.places) for one in terms if one is not None and one.places is not None]
    named = {pk for one in found for pk in (*one.stations, *(at for at, _number in one.evses))}
    return {"identities": dict(Station.objects.filter(pk__in=named).values_list("pk", "identity")) if named else {}}


def told(terms: GroupTerms | TokenTerms | None, context: Mapping[str, Any]) -> dict[str, Any] | None:
    """The places of a row, as `Places` has them."""
    if terms is None or terms.places is None:
        return None
    kept, identities = places.Places.read(terms.places), context.get("identities", {})
    return {
        "sites": sorted(kept.sites),
        "stations": sorted(identities[pk] for pk in kept.stations if pk in identities),
        "evses": [{"station": identities[pk], "evse": number} for pk, number in sorted(kept.evses) if pk in identities],
    }


def wanted(said: Mapping[str, Any], known: GroupTerms | TokenTerms | None) -> Wanted:
    """What shall hold, by what was said and, for what was not, what held so far."""
    was = groupterms.as_they_are(known)
    types = said.get("connector_types", was.types)
    if "places" not in said:
        return Wanted(was.restricted, was.sites, was.stations, was.evses, types)
    if said["places"] is None:
        return Wanted(types=types)
    sites, stations = _sites(said["places"]), _stations(said["places"])
    return Wanted(
        True,
        sites,
        [stations[identity] for identity in said["places"].get("stations", ())],
        [(stations[one["station"]], one["evse"]) for one in said["places"].get("evses", ())],
        types,
    )


def _sites(given: Mapping[str, Any]) -> list[Site]:
    sites = list(Site.objects.filter(pk__in=given.get("sites", ())))
    if unknown := set(given.get("sites", ())) - {site.pk for site in sites}:
        raise serializers.ValidationError({"places": f"There is no site {', '.join(map(str, sorted(unknown)))}."})
    return sites


def _stations(given: Mapping[str, Any]) -> dict[str, Station]:
    identities = {*given.get("stations", ()), *(one["station"] for one in given.get("evses", ()))}
    stations = {station.identity: station for station in Station.objects.filter(identity__in=identities)}
    if unknown := identities - stations.keys():
        raise serializers.ValidationError({"places": f"There is no station {', '.join(sorted(unknown))}."})
    return stations
