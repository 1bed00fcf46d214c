"""Logs of stations for programs: asked for as a command, listed, downloaded, deleted."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.models import User
from accounts.tokens import parse_moment
from csms.api.errors import Conflict
from csms.api.filters import Filters, StationFilter, period
from csms.api.serializers import Rows
from csms.api.views import Lists
from csms.files.downloads import log_file
from stations.domain.commands import GetLog
from stations.models import Command, LogKind, LogStatus, LogUpload, Station
from stations.services import diagnostics, logkeeping


class LogRow(Rows):
    station = serializers.CharField(source="station.identity")
    command = serializers.IntegerField(source="command_id", allow_null=True, help_text="To be found at `commands/<id>/`.")
    requested_by = serializers.EmailField(source="requested_by.email", default=None, allow_null=True)

    class Meta:
        model = LogUpload
        fields = read_only_fields = [
            *("id", "station", "kind", "status", "reason", "since", "until", "filename", "size", "sha256", "location"),
            *("command", "requested_by", "created_at", "started_at", "finished_at"),
        ]


class LogFilters(Filters):
    looks_for = ("kind", "status", "since", "until")

    station = StationFilter("station_id")
    kind = filters.ChoiceFilter(choices=LogKind.choices)
    status = filters.ChoiceFilter(choices=LogStatus.choices)
    since, until = period("created_at").values()


class Binary(JSONRenderer):
    """For whoever accepts files only; what goes wrong is told in JSON all the same."""

    media_type = "application/octet-stream"
    format = "file"


class LogView(mixins.RetrieveModelMixin, mixins.DestroyModelMixin, Lists):
    """Logs that stations were asked for. To ask: `get_log` at `stations/<identity>/commands/`."""

    model = LogUpload
    serializer_class = LogRow
    filterset_class: Any = LogFilters
    change_verb = "logs.fetch"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station", "requested_by")

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, description="The file as it came."),
            404: OpenApiResponse(description="It is not there, or its file has not come."),
        }
    )
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, Binary], view_verb="logs.fetch")
    def download(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """The file. Needs the scope and the role to fetch logs."""
        return log_file(self.get_object())

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Delete it, and its file. One that is awaited is given up."""
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: LogUpload) -> None:
        logkeeping.delete(upload=instance)


def ask_for_log(request: Request, station: Station, params: dict[str, Any], key: str | None, **options: Any) -> Command:
    """The command that asks for a log to be sent to us."""
    wanted = GetLog.of(params)
    try:
        since, until = (parse_moment(text) if text is not None else None for text in (wanted.since, wanted.until))
    except ValueError as error:
        raise ParseError(str(error)) from None
    upload = diagnostics.request_log(
        station=station,
        kind=wanted.log,
        since=since,
        until=until,
        retries=wanted.retries,
        retry_interval_s=wanted.retry_interval_s,
        user=request.user if isinstance(request.user, User) else None,
        idempotency_key=key,
        **options,
    )
    assert upload.command is not None
    kept = GetLog.of(upload.command.params)
    same = (upload.station_id, upload.kind, upload.since, upload.until) == (station.pk, wanted.log, since, until)
    if not same or (kept.retries, kept.retry_interval_s) != (wanted.retries, wanted.retry_interval_s):
        raise Conflict(f"This Idempotency-Key was used for another log (id {upload.pk}): use a new one for each.")
    return upload.command
