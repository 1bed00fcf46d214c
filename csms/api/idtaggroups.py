"""Groups of id tags and what they may do. No rule lives here: `stations.services.groupterms`."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import IdTokenGroup
from csms.api.fields import KnownOnly, Text, Whole
from csms.api.filters import Filters
from csms.api.views import Lists
from stations.domain.places import Places
from stations.models import GroupTerms, Site, Station
from stations.services import groupterms

MOST = groupterms.MOST_PLACES


class OneEvse(KnownOnly):
    station = Text(max_length=48, help_text="Its identity.")
    evse = Whole(min_value=1, max_value=255)


class PlacesOfGroup(KnownOnly):
    """Whole sites, whole stations and single EVSEs; of each at most 200."""

    sites = serializers.ListField(child=Whole(min_value=1), required=False, max_length=MOST, help_text="Their ids.")
    stations = serializers.ListField(child=Text(max_length=48), required=False, max_length=MOST, help_text="Their identities.")
    evses = serializers.ListField(child=OneEvse(), required=False, max_length=MOST)


def _terms(group: IdTokenGroup) -> GroupTerms | None:
    return getattr(group, "terms", None)


class GroupRow(serializers.ModelSerializer[IdTokenGroup]):
    priority = serializers.SerializerMethodField(help_text="Its chargingPriority, -9 to 9; null: none is told.")
    only_stops = serializers.SerializerMethodField(help_text="Its tags stop the sessions of others, and start none.")
    places = serializers.SerializerMethodField(help_text="The only places where its tags charge; null: everywhere.")

    class Meta:
        model = IdTokenGroup
        fields = read_only_fields = ["id", "name", "priority", "only_stops", "places"]

    @extend_schema_field({"type": "integer", "minimum": -9, "maximum": 9, "nullable": True})
    def get_priority(self, row: IdTokenGroup) -> int | None:
        terms = _terms(row)
        return terms.priority if terms else None

    def get_only_stops(self, row: IdTokenGroup) -> bool:
        terms = _terms(row)
        return terms.only_stops if terms else False

    @extend_schema_field(PlacesOfGroup(allow_null=True))
    def get_places(self, row: IdTokenGroup) -> dict[str, Any] | None:
        terms = _terms(row)
        if terms is None or terms.places is None:
            return None
        places, names = Places.read(terms.places), self.context.get("identities", {})
        return {
            "sites": sorted(places.sites),
            "stations": sorted(names[pk] for pk in places.stations if pk in names),
            "evses": [{"station": names[pk], "evse": number} for pk, number in sorted(places.evses) if pk in names],
        }


class GroupChange(KnownOnly):
    """What is left out stays as it is."""

    priority = Whole(min_value=-9, max_value=9, required=False, allow_null=True)
    only_stops = serializers.BooleanField(required=False)
    places = PlacesOfGroup(required=False, allow_null=True, help_text="null: everywhere.")


class IdTagGroupView(mixins.RetrieveModelMixin, Lists):
    """Groups of id tags: tags of one may stop each other's sessions. A group is made with its first tag."""

    model = IdTokenGroup
    serializer_class = GroupRow
    filterset_class = Filters
    orderings = {"name": ("name", "id")}
    change_verb = "tags.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("terms")

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        if args and self.request is not None:
            rows = args[0] if kwargs.get("many") else [args[0]]
            found = [Places.read(one.places) for row in rows if (one := _terms(row)) and one.places is not None]
            named = {pk for one in found for pk in (*one.stations, *(at for at, _number in one.evses))}
            names = dict(Station.objects.filter(pk__in=named).values_list("pk", "identity")) if named else {}
            kwargs["context"] = {**self.get_serializer_context(), "identities": names}
        return super().get_serializer(*args, **kwargs)

    @extend_schema(request=GroupChange, responses=GroupRow)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say where its tags charge, how early they get power, and whether they only stop."""
        group: IdTokenGroup = self.get_object()
        body = GroupChange(data=request.data)
        body.is_valid(raise_exception=True)
        said, known = body.validated_data, _terms(group)
        fields: dict[str, Any] = {
            "priority": said.get("priority", known.priority if known else None),
            "only_stops": said.get("only_stops", known.only_stops if known else False),
        }
        fields |= _named(said["places"]) if "places" in said else groupterms.as_they_are(known)
        groupterms.set_terms(group=group, **fields)
        return Response(self.get_serializer(self.get_queryset().get(pk=group.pk)).data)


def _named(places: dict[str, Any] | None) -> dict[str, Any]:
    """The rows of these keys and identities."""
    if places is None:
        return {"restricted": False}
    sites = list(Site.objects.filter(pk__in=places.get("sites", ())))
    if unknown := set(places.get("sites", ())) - {site.pk for site in sites}:
        raise serializers.ValidationError({"places": f"There is no site {', '.join(map(str, sorted(unknown)))}."})
    identities = {*places.get("stations", ()), *(one["station"] for one in places.get("evses", ()))}
    stations = {station.identity: station for station in Station.objects.filter(identity__in=identities)}
    if unknown := identities - stations.keys():
        raise serializers.ValidationError({"places": f"There is no station {', '.join(sorted(unknown))}."})
    return {
        "restricted": True,
        "sites": sites,
        "stations": [stations[identity] for identity in places.get("stations", ())],
        "evses": [(stations[one["station"]], one["evse"]) for one in places.get("evses", ())],
    }
