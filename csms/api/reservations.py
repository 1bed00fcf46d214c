"""Reservations for programs: made, listed, given up. To be asked as a command, too."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import IdTokenType, User
from csms.api.commands import ask
from csms.api.commandviews import IDEMPOTENCY_KEY
from csms.api.errors import Conflict
from csms.api.fields import KnownOnly, Moment, Text, Whole
from csms.api.filters import Filters, NumberFilter, StationFilter, YesNoFilter, period
from csms.api.serializers import Rows
from csms.api.views import Lists
from csms.ocpp.masking import MASK
from stations.domain.commands import ReserveNow
from stations.domain.commands.reservation import CONNECTOR_TYPES, HIGHEST
from stations.models import Reservation, ReservationStatus, Station
from stations.models.reservation import RESERVATION_OPEN
from stations.services import reserving
from stations.services.commands import LONGEST_WAIT_S


class ReservationRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number", allow_null=True, help_text="null: whichever the station keeps.")
    id_tag = serializers.SerializerMethodField(help_text="A key code is masked.")
    id_tag_type = serializers.CharField(source="id_token_type")
    command = serializers.IntegerField(source="command_id", allow_null=True, help_text="To be found at `commands/<id>/`.")
    transaction = serializers.IntegerField(source="transaction_id", allow_null=True, help_text="The one that used it.")
    requested_by = serializers.EmailField(source="requested_by.email", default=None, allow_null=True)

    class Meta:
        model = Reservation
        fields = read_only_fields = [
            *("id", "station", "number", "evse", "connector_type", "id_tag", "id_tag_type", "group", "expires_at", "status"),
            *("detail", "command", "transaction", "requested_by", "created_at", "finished_at"),
        ]

    def get_id_tag(self, row: Reservation) -> str:
        return MASK if row.id_token_type == IdTokenType.KEY_CODE else row.id_tag


class Wish(KnownOnly):
    """What is to be kept, for whom, and until when."""

    station = Text(max_length=48, help_text="Its identity.")
    id_tag = Text(max_length=36)
    id_tag_type = serializers.ChoiceField(choices=IdTokenType.choices, default=IdTokenType.ISO14443.value)
    expires_at = Moment(help_text="At most 48 hours ahead: a plug is kept from now on.")
    evse = Whole(min_value=1, max_value=255, required=False, allow_null=True, help_text="Left out: whichever the station keeps.")
    connector_type = serializers.ChoiceField(choices=CONNECTOR_TYPES, required=False, help_text="OCPP 2.0.1 only.")
    group = Text(max_length=36, required=False, help_text="Whose members may use it, too. Left out: the tag's own.")
    number = Whole(
        min_value=0, max_value=HIGHEST, required=False, allow_null=True, help_text="That of a reservation which this one replaces."
    )
    expires_in = Whole(
        min_value=1, max_value=LONGEST_WAIT_S, required=False, help_text="Seconds it waits for a station that is offline; else 45."
    )
    reason = Text(max_length=200, required=False, allow_blank=True)


class ReservationFilters(Filters):
    station = StationFilter("station_id")
    status = filters.ChoiceFilter(choices=ReservationStatus.choices)
    open = YesNoFilter(method="only_open", help_text="true: asked for or kept; false: ended")
    id_tag = filters.CharFilter("id_key", method="of_tag", help_text="without case")
    number = NumberFilter()
    evse = NumberFilter("evse_number")
    since, until = period("created_at").values()
    leads = ("id_tag", "station", "open", "status")
    looks_for = ("number", "evse", "since", "until")

    def only_open(self, rows: QuerySet[Reservation], name: str, value: bool) -> QuerySet[Reservation]:
        return rows.filter(status__in=RESERVATION_OPEN) if value else rows.exclude(status__in=RESERVATION_OPEN)

    def of_tag(self, rows: QuerySet[Reservation], name: str, value: str) -> QuerySet[Reservation]:
        return rows.filter(id_key=value.upper())


class ReservationView(mixins.RetrieveModelMixin, Lists):
    """Plugs that are kept for somebody."""

    model = Reservation
    serializer_class = ReservationRow
    filterset_class: Any = ReservationFilters
    change_verb = "commands.send"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station", "requested_by", "command")

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=Wish,
        responses={
            201: ReservationRow,
            200: OpenApiResponse(ReservationRow, description="The reservation this Idempotency-Key was used for."),
            409: OpenApiResponse(description="This Idempotency-Key was used for something else."),
        },
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask a station to keep a plug. Its `status` says what came of it: requested, active, refused ..."""
        body = Wish(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        station = Station.objects.filter(identity=given.pop("station")).first()
        if station is None:
            raise serializers.ValidationError({"station": ["There is no such station in your network."]})
        options = {name: given.pop(name) for name in ("expires_in", "reason") if name in given}
        command = ReserveNow.of(
            {
                "id_token": given["id_tag"],
                "id_token_type": given["id_tag_type"],
                "expires_at": given["expires_at"].isoformat(),
                "evse": given.get("evse"),
                "connector_type": given.get("connector_type", ""),
                "group": given.get("group", ""),
                "reservation": given.get("number"),
            }
        )
        row = ask(request, station, command, **options)
        made = self.get_queryset().get(command=row)
        return Response(ReservationRow(made).data, status=200 if row.repeated else 201)

    @extend_schema(request=None, responses={202: ReservationRow, 409: OpenApiResponse(description="It has ended already.")})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Give it up: the station is asked, unless the request was not sent yet."""
        return Response(ReservationRow(self.given_up(request)).data, status=202)

    @extend_schema(responses={202: ReservationRow, 409: OpenApiResponse(description="It has ended already.")})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """The same as `cancel`: the reservation stays in the list."""
        return Response(ReservationRow(self.given_up(request)).data, status=202)

    def given_up(self, request: Request) -> Reservation:
        row: Reservation = self.get_object()
        user = request.user if isinstance(request.user, User) else None
        if reserving.cancel(reservation=row, user=user) is None:
            raise Conflict(f"Reservation {row.pk} has ended already: it is {row.get_status_display().lower()}.")
        found: Reservation = self.get_object()
        return found
