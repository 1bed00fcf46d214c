"""Groups of id tags and what they may do. No rule lives here: `stations.services.groupterms`."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import IdTokenGroup
from csms.api import held
from csms.api.fields import Flag, Whole
from csms.api.filters import Filters
from csms.api.views import Lists
from stations.models import GroupTerms
from stations.services import groupterms


def _terms(group: IdTokenGroup) -> GroupTerms | None:
    return getattr(group, "terms", None)


class GroupRow(serializers.ModelSerializer[IdTokenGroup]):
    priority = serializers.SerializerMethodField(help_text="Its chargingPriority, -9 to 9; null: none is told.")
    only_stops = serializers.SerializerMethodField(help_text="Its tags stop the sessions of others, and start none.")
    places = serializers.SerializerMethodField(help_text="The only places where its tags charge; null: everywhere.")
    connector_types = serializers.SerializerMethodField(help_text="The only types of plugs where they charge; null: all.")

    class Meta:
        model = IdTokenGroup
        fields = read_only_fields = ["id", "name", "priority", "only_stops", "places", "connector_types"]

    @extend_schema_field({"type": "integer", "minimum": -9, "maximum": 9, "nullable": True})
    def get_priority(self, row: IdTokenGroup) -> int | None:
        terms = _terms(row)
        return terms.priority if terms else None

    def get_only_stops(self, row: IdTokenGroup) -> bool:
        terms = _terms(row)
        return terms.only_stops if terms else False

    @extend_schema_field(held.Places(allow_null=True))
    def get_places(self, row: IdTokenGroup) -> dict[str, Any] | None:
        return held.told(_terms(row), self.context)

    @extend_schema_field(held.TYPES)
    def get_connector_types(self, row: IdTokenGroup) -> list[str] | None:
        terms = _terms(row)
        return terms.connector_types if terms else None


class GroupChange(held.Change):
    """What is left out stays as it is."""

    priority = Whole(min_value=-9, max_value=9, required=False, allow_null=True)
    only_stops = Flag(required=False)


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
            kwargs["context"] = {**self.get_serializer_context(), **held.names(_terms(row) for row in rows)}
        return super().get_serializer(*args, **kwargs)

    @extend_schema(request=GroupChange, responses=GroupRow)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say where its tags charge and at which plugs, how early they get power, and whether they only stop."""
        group: IdTokenGroup = self.get_object()
        body = GroupChange(data=request.data)
        body.is_valid(raise_exception=True)
        said, known = body.validated_data, _terms(group)
        fields: dict[str, Any] = {
            "priority": said.get("priority", known.priority if known else None),
            "only_stops": said.get("only_stops", known.only_stops if known else False),
        }
        groupterms.set_terms(group=group, **fields, held=held.wanted(said, known))
        return Response(self.get_serializer(self.get_queryset().get(pk=group.pk)).data)
