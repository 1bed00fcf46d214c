"""Asking stations for something, and what came of it."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from csms.api import filters
from csms.api.commands import LONGEST_KEY, Asked, CommandRow, ask, key_of
from csms.api.errors import Conflict
from csms.api.logs import ask_for_log
from csms.api.permissions import demand
from csms.api.schema import asked
from csms.api.views import Lists
from stations.domain.commands import COMMANDS, BadCommand, GetLog
from stations.models import Command, Station
from stations.services import commandends

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="Of your choice, new for each command. Asked again with the same key, it is the same command.",
)


class CommandView(mixins.RetrieveModelMixin, Lists):
    """What was asked of stations, and what came of it."""

    model = Command
    serializer_class = CommandRow
    filterset_class: Any = filters.CommandFilters
    change_verb = "commands.send"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station", "requested_by")

    @extend_schema(request=None, responses={200: CommandRow, 409: OpenApiResponse(description="It was sent already.")})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Take back a command that was not sent yet."""
        return Response(CommandRow(self.taken_back()).data)

    @extend_schema(responses={204: None, 409: OpenApiResponse(description="It was sent already.")})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """The same as `cancel`: the command stays in the list."""
        self.taken_back()
        return Response(status=204)

    def taken_back(self) -> Command:
        row: Command = self.get_object()
        taken = commandends.cancel(command=row)
        row = self.get_object()
        if not taken:
            raise Conflict(f"It is too late to take command {row.pk} back: it is {row.get_status_display().lower()}.")
        return row


class CommandsOfStationView(Lists):
    """What was asked of one station."""

    model = Command
    serializer_class = CommandRow
    filterset_class = filters.CommandsOfStation
    change_verb = "commands.send"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(station=self.station()).select_related("station", "requested_by")

    def station(self) -> Station:
        return get_object_or_404(Station.objects.all(), identity=self.kwargs["identity"])

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": asked()},
        responses={
            201: CommandRow,
            200: OpenApiResponse(CommandRow, description="The command this Idempotency-Key was used for."),
            409: OpenApiResponse(description="This Idempotency-Key was used for another command."),
        },
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask something of the station. It waits for a station that is offline until it expires."""
        station = self.station()
        body = Asked(data=request.data)
        body.is_valid(raise_exception=True)
        kind, params, options = body.validated_data.pop("command"), body.validated_data.pop("params"), body.validated_data
        if ours := COMMANDS[kind].ours & params.keys():
            raise BadCommand("%(name)s is not for you to say.", name=", ".join(sorted(ours)))
        if kind == GetLog.kind and not params.get("location"):
            demand(request, "logs.fetch")
            row = ask_for_log(request, station, params, key_of(request), **options)
        else:
            row = ask(request, station, COMMANDS[kind].of(params), **options)
        return Response(CommandRow(row).data, status=200 if row.repeated else 201)
