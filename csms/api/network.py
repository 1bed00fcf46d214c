"""Network profiles for programs: what stations took into their slots, and the move to another one."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from csms.api.errors import Conflict
from csms.api.fields import Flag, KnownOnly, Text, Whole
from csms.api.filters import Filters, NumberFilter, StationFilter, YesNoFilter
from csms.api.serializers import Rows
from csms.api.views import Lists
from stations.domain.commands import SetNetworkProfile
from stations.domain.commands.network import INTERFACES
from stations.models import MoveStatus, NetworkMove, NetworkProfile, Station
from stations.services import networkmoves


class NetworkProfileRow(Rows):
    station = serializers.CharField(source="station.identity")
    apn = serializers.JSONField(read_only=True, allow_null=True, help_text="The mobile network, secrets masked.")
    vpn = serializers.JSONField(read_only=True, allow_null=True, help_text="Secrets masked.")
    command = serializers.IntegerField(source="command_id", allow_null=True, help_text="By which it was set.")

    class Meta:
        model = NetworkProfile
        fields = read_only_fields = [
            *("id", "station", "slot", "url", "security_profile", "interface", "message_timeout_s", "ocpp_version", "transport"),
            *("apn", "vpn", "command", "set_at"),
        ]


class NetworkProfileFilters(Filters):
    station = StationFilter("station_id")
    slot = NumberFilter()
    looks_for = ("slot",)


class NetworkProfileView(mixins.RetrieveModelMixin, Lists):
    """The ways to a management system that stations took into their slots. To set one: `set_network_profile` at
    `stations/<identity>/commands/`."""

    model = NetworkProfile
    serializer_class = NetworkProfileRow
    filterset_class: Any = NetworkProfileFilters


class NetworkMoveRow(Rows):
    station = serializers.CharField(source="station.identity")
    command = serializers.IntegerField(source="command_id", allow_null=True, help_text="The step that is under way.")
    requested_by = serializers.EmailField(source="requested_by.email", default=None, allow_null=True)

    class Meta:
        model = NetworkMove
        fields = read_only_fields = [
            *("id", "station", "slot", "away", "back", "priority", "priority_before", "came_by", "status", "detail"),
            *("command", "requested_by", "created_at", "restarted_at", "finished_at"),
        ]


class Profile(KnownOnly):
    """As the parameters of `set_network_profile`, without the slot."""

    url = Text(max_length=512)
    security_profile = Whole(min_value=0, max_value=3)
    interface = serializers.ChoiceField(choices=INTERFACES, default="Wired0")
    message_timeout_s = Whole(min_value=1, max_value=3600, default=30)
    apn = serializers.DictField(required=False, allow_null=True)
    vpn = serializers.DictField(required=False, allow_null=True)


class Move(KnownOnly):
    """Where to. Without a `profile` the station is led to the one it has in that slot."""

    station = Text(max_length=48, help_text="Its identity.")
    slot = Whole(min_value=0, max_value=2**31 - 1)
    away = Flag(default=False, help_text="Whether the address is another system's: it is not expected back.")
    profile = Profile(required=False)


class NetworkMoveFilters(Filters):
    station = StationFilter("station_id")
    status = filters.ChoiceFilter(choices=MoveStatus.choices)
    open = YesNoFilter("finished_at", "isnull", help_text="true: on its way")
    looks_for = ("status", "open")


class NetworkMoveView(mixins.RetrieveModelMixin, Lists):
    """Stations led to another network profile, step by step."""

    model = NetworkMove
    serializer_class = NetworkMoveRow
    filterset_class: Any = NetworkMoveFilters
    change_verb = "stations.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station", "requested_by")

    @extend_schema(request=Move, responses={201: NetworkMoveRow})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Store a profile, put it first, restart the station, and watch where it goes."""
        body = Move(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        station = Station.objects.filter(identity=given["station"]).first()
        if station is None:
            raise serializers.ValidationError({"station": ["There is no such station in your network."]})
        about: dict[str, Any] = {"station": station, "away": given["away"], "user": _user(request)}
        if "profile" in given:
            move = networkmoves.start(profile=SetNetworkProfile.of({"slot": given["slot"], **given["profile"]}), **about)
        else:
            move = networkmoves.use(slot=given["slot"], **about)
        return Response(NetworkMoveRow(move).data, status=201)

    @extend_schema(
        request=None,
        responses={201: NetworkMoveRow, 400: OpenApiResponse(description="There is no way back, or it is on its way already.")},
    )
    @action(detail=True, methods=["post"])
    def back(self, request: Request, **kwargs: Any) -> Response:
        """Lead the station back to the order of its slots before this move."""
        return Response(NetworkMoveRow(networkmoves.go_back(move=self.get_object(), user=_user(request))).data, status=201)

    @extend_schema(request=None, responses={200: NetworkMoveRow, 409: OpenApiResponse(description="It has ended already.")})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Do no further step. What the station took already, it keeps."""
        move: NetworkMove = self.get_object()
        if not networkmoves.give_up(move=move):
            raise Conflict(f"Move {move.pk} has ended already: {move.get_status_display().lower()}.")
        return Response(NetworkMoveRow(self.get_object()).data)


def _user(request: Request) -> User | None:
    return request.user if isinstance(request.user, User) else None
