"""What is wanted in and out of service at a station, as programs see and say it. No rule lives here: `stations.outofservice` reads
it, `stations.services.wishes` gives it up, and asking for it is a command."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from csms.api.commands import ask
from csms.api.commandviews import IDEMPOTENCY_KEY
from csms.api.fields import Flag, KnownOnly, Moment, Text, Whole
from csms.api.views import Scoped
from stations import outofservice
from stations.domain.commands import ChangeAvailability
from stations.models import Station
from stations.services import wishes
from stations.services.commands import LONGEST_WAIT_S

PROGRESS = ("waiting", "pending", "in_effect", "refused", "differs", "unknown")


class Wish(serializers.Serializer[outofservice.Wish]):
    """What is wanted of one place."""

    evse = serializers.IntegerField(help_text="0: the whole station.")
    connector = serializers.IntegerField(allow_null=True, help_text="null: the whole EVSE, or the whole station.")
    operative = serializers.BooleanField(help_text="Whether it is wanted in service.")
    progress = serializers.ChoiceField(
        choices=PROGRESS,
        help_text="waiting: not sent yet; pending: until a status confirms it; in_effect; refused; differs: it was in effect, and "
        "the plugs say otherwise now; unknown: nobody knows whether the station did it.",
    )
    since = Moment()
    requested_by = serializers.EmailField(source="command.requested_by.email", default=None, allow_null=True)
    reason = serializers.CharField(source="command.reason")
    command = serializers.IntegerField(source="command.pk", help_text="To be found at `commands/<id>/`.")


class Availability(serializers.Serializer[Any]):
    station = serializers.CharField(help_text="Its identity.")
    wishes = Wish(many=True, help_text="The whole station first. Of what is in service nothing is told.")


class Wanted(KnownOnly):
    """What is wanted of the whole station, of an EVSE, or of a connector."""

    operative = Flag(
        allow_null=True,
        help_text="true: in service; false: out of it; null: nothing is wanted any more. Then what was not sent yet is taken back, "
        "and what is out of service is put back into it.",
    )
    evse = Whole(min_value=0, max_value=255, default=0, help_text="0: the whole station.")
    connector = Whole(min_value=1, max_value=16, default=None, allow_null=True, help_text="null: all of it.")
    reason = Text(max_length=200, required=False, allow_blank=True)
    expires_in = Whole(
        min_value=1, max_value=LONGEST_WAIT_S, required=False, help_text="Seconds it waits for a station that is away."
    )


TOLD = {
    "station": "HARBOUR-1",
    "wishes": [
        {
            **{"evse": 2, "connector": None, "operative": False, "progress": "in_effect", "since": "2026-11-21T04:00:00Z"},
            **{"requested_by": "ada@amber.example", "reason": "The cable is torn", "command": 71},
        }
    ],
}


class AvailabilityOfStationView(Scoped, GenericViewSet[Any]):
    """What is wanted in and out of service at one station, and how far it is with that."""

    serializer_class = Availability
    pagination_class = None
    filter_backends: Any = ()
    change_verb = "commands.send"

    def station(self) -> Station:
        return get_object_or_404(Station.objects.all(), identity=self.kwargs["identity"])

    @extend_schema(responses=Availability, examples=[OpenApiExample("told", TOLD, response_only=True)])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(_told(self.station()))

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=Wanted,
        responses={200: Availability},
        examples=[
            OpenApiExample("a plug", {"evse": 2, "operative": False, "reason": "The cable is torn"}, request_only=True),
            OpenApiExample("no more", {"evse": 2, "operative": None}, request_only=True),
            OpenApiExample("told", TOLD, response_only=True),
        ],
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Want something in or out of service, or want it no more. It holds until something else is wanted, restarts included."""
        station = self.station()
        body = Wanted(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        operative, evse, connector = said.pop("operative"), said.pop("evse"), said.pop("connector")
        if operative is None:
            user = request.user if isinstance(request.user, User) else None
            wishes.give_up(station=station, evse=evse, connector=connector, user=user, reason=said.get("reason", ""))
        else:
            command = ChangeAvailability.of({"operative": operative, "evse": evse, "connector": connector})
            ask(request, station, command, **said)
        return Response(_told(station))


def _told(station: Station) -> Any:
    return Availability({"station": station.identity, "wishes": outofservice.wishes(station)}).data
