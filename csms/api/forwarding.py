"""Forwarding for programs: second back ends, and how each station does there. `csms.forwarding.services` has the rules."""

from typing import Any

import django_filters.rest_framework as drf_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import may
from csms.api import filters
from csms.api.fields import Flag, KnownOnly, Moment, Text, Whole
from csms.api.serializers import Rows
from csms.api.views import Lists
from csms.forwarding import services
from csms.forwarding.models import IDENTITY, Forward, ForwardLink, LinkState, Style, Which
from stations.models import Site

MAY_CHANGE = "forwards.change"
#: There are no more messages than that.
MOST_ACTIONS = 200


class Identities(serializers.ListField):
    """Stations by their identities."""

    def to_representation(self, data: Any) -> list[str]:
        return [one.identity for one in data.all()]


class ForwardRow(KnownOnly):
    """A second back end."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=80)
    url = Text(max_length=services.LONGEST_URL, help_text="What stands behind ? is shown to those only who may change it.")
    style = serializers.ChoiceField(choices=Style.choices, required=False)  # type: ignore[assignment]  # DRF has a style of its own
    identity = Text(max_length=100, required=False, help_text=f"The name there; {IDENTITY} stands for the station's own.")
    has_password = serializers.SerializerMethodField()
    which = serializers.ChoiceField(choices=Which.choices, required=False)
    site = Whole(source="site_id", min_value=1, required=False, allow_null=True, help_text="Id, if `which` is `site`.")
    stations = Identities(
        child=Text(max_length=48), required=False, max_length=services.MOST_CHOSEN, help_text="Identities, if `which` is `chosen`."
    )
    from_station = Flag(required=False)
    to_station = Flag(required=False)
    only = serializers.ListField(child=Text(max_length=50), required=False, max_length=MOST_ACTIONS, help_text="None: all.")
    never = serializers.ListField(child=Text(max_length=50), required=False, max_length=MOST_ACTIONS)
    active = serializers.BooleanField(read_only=True)
    served_at = Moment(read_only=True, allow_null=True, help_text="The last sign of life of the process that forwards.")
    created_at = Moment(read_only=True)

    def get_has_password(self, forward: Forward) -> bool:
        return bool(forward.password)

    def to_representation(self, instance: Forward) -> dict[str, Any]:
        shown = super().to_representation(instance)
        request = self.context.get("request")
        return shown if request is None or may(request.user, MAY_CHANGE) else shown | {"url": instance.shown_url}


class ForwardBody(ForwardRow):
    """With what is never shown."""

    password = Text(
        max_length=services.LONGEST_PASSWORD,
        required=False,
        allow_blank=True,
        write_only=True,
        trim_whitespace=False,
        help_text="Sent by HTTP Basic with the identity; empty for none.",
    )

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        found = dict(self.validated_data)
        if "site_id" in found:
            pk = found.pop("site_id")
            found["site"] = Site.objects.filter(pk=pk).first() if pk else None
        return found


class LinkRow(Rows):
    forward = serializers.IntegerField(source="forward_id")
    station = serializers.CharField(source="station.identity")

    class Meta:
        model = ForwardLink
        fields = read_only_fields = [
            *("id", "forward", "station", "state", "protocol", "connected_at", "failing_since", "error", "sent", "refused"),
            *("dropped", "unmatched", "asked", "forwarded_at", "answer_ms"),
        ]


class Tried(serializers.Serializer[Any]):
    """How a knock at the other back end went. `identity` is empty if all are connected, so that nobody had to knock."""

    works = serializers.BooleanField()
    identity = serializers.CharField()
    error = serializers.CharField()


class ForwardFilters(filters.Filters):
    active = filters.YesNoFilter()


class LinkFilters(filters.Filters):
    forward = filters.NumberFilter("forward_id")
    station = filters.StationFilter()
    state = drf_filters.ChoiceFilter(choices=LinkState.choices)


class ForwardView(mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, Lists):
    """Second back ends to which stations are mirrored."""

    model = Forward
    serializer_class = ForwardRow
    filterset_class = ForwardFilters
    orderings = {"id": ("id",)}
    change_verb = MAY_CHANGE

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("operator").prefetch_related("stations")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return ForwardBody if self.request and self.request.method in ("POST", "PUT", "PATCH") else ForwardRow

    @extend_schema(request=ForwardBody, responses={201: ForwardRow})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        body = ForwardBody(data=request.data)
        body.is_valid(raise_exception=True)
        operator = request.user.operator  # type: ignore[union-attr]  # MayUse lets nobody anonymous in
        if operator is None:
            raise serializers.ValidationError("You belong to no operator whose stations could be forwarded.")
        return self._answer(services.add(operator=operator, **body.values()), 201)

    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        assert isinstance(serializer, ForwardBody)
        assert isinstance(serializer.instance, Forward)
        changed = services.change(forward=serializer.instance, **serializer.values())
        serializer.instance = self.get_queryset().get(pk=changed.pk)

    def perform_destroy(self, instance: Forward) -> None:
        services.remove(forward=instance)

    @extend_schema(request=None, responses=ForwardRow)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, **kwargs: Any) -> Response:
        """Close its sockets; what stations say meanwhile waits."""
        services.pause(forward=self.get_object())
        return self._answer(self.get_object())

    @extend_schema(request=None, responses=ForwardRow)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Forward again, what has waited first."""
        services.resume(forward=self.get_object())
        return self._answer(self.get_object())

    @extend_schema(request=None, responses=Tried)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **kwargs: Any) -> Response:
        """Knock there as one of the stations, and have those that fail try again at once."""
        try:
            name = services.try_out(forward=self.get_object())
        except ValidationError as error:
            return Response({"works": False, "identity": "", "error": " ".join(error.messages)})
        return Response({"works": True, "identity": name, "error": ""})

    def _answer(self, row: Forward, status: int = 200) -> Response:
        return Response(ForwardRow(row, context=self.get_serializer_context()).data, status)


class LinkView(mixins.RetrieveModelMixin, Lists):
    """How each station does at a second back end."""

    model = ForwardLink
    serializer_class = LinkRow
    filterset_class = LinkFilters
