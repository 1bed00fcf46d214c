"""Quirks as programs see and change them. No rule lives here: `stations.services.quirks` has them."""

from typing import Any

import django_filters.rest_framework as djangofilters
from django.db.models import BooleanField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from csms.api import filters
from csms.api.errors import Conflict
from csms.api.fields import Flag, KnownOnly, Moment, Text
from csms.api.views import Lists
from csms.ocpp.quirks import REGISTRY
from csms.ocpp.registry import PROTOCOLS
from stations import quirks as reads
from stations.models import Quirk, QuirkSwitch
from stations.services import quirks


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "object", "properties": {"do": {"type": "string", "enum": list(REGISTRY)}}, "additionalProperties": {}},
    }
)
class Adjustments(serializers.JSONField):
    """What is done about it."""


class QuirkRow(KnownOnly):
    """What is odd about a make of stations, and what is done about it."""

    id = serializers.IntegerField(read_only=True)
    shipped = serializers.BooleanField(
        source="is_shipped", read_only=True, help_text="It came with the release: only `active` can be changed."
    )
    code = serializers.CharField(read_only=True, help_text="Its name in the release; empty for one's own.")
    name = Text(max_length=120)
    vendor = Text(max_length=50, required=False, allow_blank=True, help_text="As stations tell it; * at the end for any more.")
    model = Text(max_length=50, required=False, allow_blank=True)
    firmware_from = Text(max_length=100, required=False, allow_blank=True)
    firmware_to = Text(max_length=100, required=False, allow_blank=True)
    protocol = serializers.ChoiceField(choices=["", *PROTOCOLS], required=False, allow_blank=True)
    adjustments = Adjustments()
    source = Text(max_length=300, required=False, allow_blank=True)  # type: ignore[assignment]  # a field, of which the class has a property
    frame = Text(max_length=quirks.LONGEST_FRAME, required=False, allow_blank=True)
    active = Flag(required=False)
    stations = serializers.SerializerMethodField(help_text="How many stations it is about.")
    changed_at = Moment(read_only=True)

    def get_stations(self, row: Quirk) -> int:
        return reads.matching(row, self.context["makes"]) if "makes" in self.context else 0

    def to_representation(self, instance: Quirk) -> dict[str, Any]:
        return super().to_representation(instance) | {"active": getattr(instance, "is_active", instance.active)}


class QuirkFilters(filters.Filters):
    vendor = djangofilters.CharFilter("vendor", "istartswith")
    shipped = filters.YesNoFilter("is_shipped")
    active = filters.YesNoFilter("is_active")


class QuirkView(mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, Lists):
    """What is odd about makes of stations: what came with the release, and one's own, which have the last word."""

    model = Quirk
    serializer_class = QuirkRow
    filterset_class = QuirkFilters
    orderings = {"id": ("id",)}
    change_verb = "quirks.change"

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return Quirk.objects.none()
        seen = Quirk._base_manager.filter(Q(operator=None) | Q(pk__in=Quirk.objects.values("pk"))).select_related("operator")
        switched = QuirkSwitch.objects.filter(quirk=OuterRef("pk")).values("active")[:1]
        return seen.annotate(
            is_active=Coalesce(Subquery(switched), F("active")),
            is_shipped=ExpressionWrapper(Q(operator=None), output_field=BooleanField()),
        )

    def get_serializer_context(self) -> dict[str, Any]:
        more = {} if getattr(self, "swagger_fake_view", False) else {"makes": reads.makes()}
        return {**super().get_serializer_context(), **more}

    def perform_create(self, serializer: serializers.BaseSerializer[Any]) -> None:
        operator = self.request.user.operator  # type: ignore[union-attr]  # MayUse lets nobody anonymous in
        if operator is None:
            raise serializers.ValidationError("You belong to no operator whose quirk this could be.")
        made = quirks.add(operator=operator, **serializer.validated_data)
        serializer.instance = self.get_queryset().get(pk=made.pk)

    @extend_schema(responses={200: QuirkRow, 409: OpenApiResponse(description="It came with the release.")})
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().update(request, *args, **kwargs)

    @extend_schema(responses={200: QuirkRow, 409: OpenApiResponse(description="It came with the release.")})
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Of a shipped one `active` only, which switches it on or off in one's own network."""
        return super().partial_update(request, *args, **kwargs)

    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        quirk, fields = serializer.instance, dict(serializer.validated_data)
        assert isinstance(quirk, Quirk)
        if quirk.operator_id is not None:
            quirks.change(quirk=quirk, **fields)
        else:
            operator = self.request.user.operator  # type: ignore[union-attr]  # MayUse lets nobody anonymous in
            if operator is None or fields.keys() - {"active"}:
                raise Conflict(
                    "This quirk came with the release: only `active` can be changed. Write one of your own in its place."
                )
            if "active" in fields:
                quirks.switch(operator=operator, quirk=quirk, active=fields["active"])
        serializer.instance = self.get_queryset().get(pk=quirk.pk)

    @extend_schema(responses={204: None, 409: OpenApiResponse(description="It came with the release.")})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: Quirk) -> None:
        if instance.operator_id is None:
            raise Conflict("This quirk came with the release: switch it off with `active`.")
        quirks.remove(quirk=instance)
