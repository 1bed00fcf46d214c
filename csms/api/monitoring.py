"""What stations hold and watch, for programs: reports, monitors, what they noticed, and what they keep of a customer."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from csms.api.errors import Conflict
from csms.api.filters import Filters, NumberFilter, StationFilter, YesNoFilter, period
from csms.api.serializers import Rows
from csms.api.views import Lists
from stations.domain.commands.monitoring import LEAST_SEVERE, TYPES
from stations.models import DeviceModel, Monitor, MonitorEvent, MonitorOrigin, Report, ReportKind, ReportStatus
from stations.services import customerinformation, monitoring, reports

TRIGGERS = ("Alerting", "Delta", "Periodic")
#: What a column for a number of OCPP holds.
INT32 = 2**31 - 1


@extend_schema_field({"type": "object", "additionalProperties": {}})
class About(serializers.JSONField):
    """What was asked for: the parameters of the command."""


class ReportRow(Rows):
    id = serializers.IntegerField(source="command_id", help_text="That of the command that asked for it.")
    station = serializers.CharField(source="station.identity")
    about = About(read_only=True)
    pages = serializers.SerializerMethodField(help_text="How many came.")
    missing = serializers.SerializerMethodField(help_text="The numbers of the pages that have not come; empty: none is missing.")
    repeat_of = serializers.IntegerField(source="repeat_of_id", allow_null=True, help_text="Asked again for the pages of this one.")

    class Meta:
        model = Report
        fields = read_only_fields = [
            *("id", "station", "kind", "request_id", "about", "status", "pages", "missing", "items", "detail", "repeat_of"),
            *("created_at", "heard_at", "finished_at"),
        ]

    def get_pages(self, row: Report) -> int:
        return reports.count(row)

    def get_missing(self, row: Report) -> str:
        return reports.gaps(row) if reports.count(row) else ""


class ReportFilters(Filters):
    looks_for = ("kind", "status", "since", "until")

    station = StationFilter("station_id")
    kind = filters.ChoiceFilter(choices=[one for one in ReportKind.choices if one[0] != ReportKind.CUSTOMER])
    status = filters.ChoiceFilter(choices=ReportStatus.choices)
    since, until = period("created_at").values()


class ReportView(mixins.RetrieveModelMixin, Lists):
    """Reports of settings and monitors that stations were asked for, and which of their pages came. To ask: `get_base_report`,
    `get_report` and `get_monitoring_report` at `stations/<identity>/commands/`."""

    model = Report
    serializer_class = ReportRow
    filterset_class: Any = ReportFilters
    orderings = {"-id": ("command_id",)}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(kind=ReportKind.CUSTOMER).select_related("station")


class CustomerReportRow(ReportRow):
    text = serializers.SerializerMethodField(help_text="What came, in the order of its pages. In the list it is null.")

    class Meta(ReportRow.Meta):
        fields = read_only_fields = [*(name for name in ReportRow.Meta.fields if name not in ("kind", "repeat_of")), "text"]

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_text(self, row: Report) -> str | None:
        return customerinformation.text_of(row) if self.context["whole"] else None


class CustomerReportFilters(Filters):
    looks_for = ("status", "since", "until")

    station = StationFilter("station_id")
    status = filters.ChoiceFilter(choices=ReportStatus.choices)
    since, until = period("created_at").values()


class CustomerReportView(mixins.RetrieveModelMixin, mixins.DestroyModelMixin, Lists):
    """What stations were asked to tell of customers, or to forget, and what they told. Personal data: kept for 30 days. To ask:
    `customer_information` at `stations/<identity>/commands/`."""

    model = Report
    serializer_class = CustomerReportRow
    filterset_class: Any = CustomerReportFilters
    orderings = {"-id": ("command_id",)}
    view_verb = "customers.fetch"
    change_verb = "customers.fetch"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=ReportKind.CUSTOMER).select_related("station")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "whole": self.detail}

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Delete what came, before its term."""
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: Report) -> None:
        customerinformation.delete(report=instance)


class MonitoringRow(Rows):
    station = serializers.CharField(source="station.identity")

    class Meta:
        model = DeviceModel
        fields = read_only_fields = ["station", "base", "base_at", "level", "level_at", "inventory_at", "monitors_at"]


class MonitoringFilters(Filters):
    station = StationFilter("station_id")


class MonitoringView(Lists):
    """How stations watch themselves, as far as they were told: the monitoring base and level; and when all their settings and
    their monitors were last asked for."""

    model = DeviceModel
    serializer_class = MonitoringRow
    filterset_class: Any = MonitoringFilters
    orderings = {"station": ("station_id",)}


class NamedRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number", help_text="0: of no EVSE.")
    connector = serializers.IntegerField(source="connector_number", help_text="0: of no connector.")
    NAME = ("component", "component_instance", "evse", "connector", "variable", "variable_instance")


class MonitorRow(NamedRow):
    origin = serializers.ChoiceField(
        choices=MonitorOrigin.choices, allow_blank=True, read_only=True, help_text="Empty: a report does not say whose it is."
    )

    class Meta:
        model = Monitor
        fields = read_only_fields = [
            *("id", "station", "monitor_id", *NamedRow.NAME, "type", "value", "severity", "transaction", "origin"),
            *("known", "reported_at"),
        ]


class MonitorFilters(Filters):
    looks_for = ("component", "variable", "type", "severity", "origin", "known")

    station = StationFilter("station_id")
    component = filters.CharFilter()
    variable = filters.CharFilter()
    type = filters.ChoiceFilter(choices=[(one, one) for one in TYPES])
    severity = NumberFilter(max_value=LEAST_SEVERE)
    origin = filters.ChoiceFilter(choices=MonitorOrigin.choices)
    known = YesNoFilter(help_text="whether the newest report of the station still had it")


class MonitorView(Lists):
    """The monitors of stations, as they last told of them. To set and clear some: `set_variable_monitoring` and
    `clear_variable_monitoring` at `stations/<identity>/commands/`."""

    model = Monitor
    serializer_class = MonitorRow
    filterset_class: Any = MonitorFilters


class MonitorEventRow(NamedRow):
    class Meta:
        model = MonitorEvent
        fields = read_only_fields = [
            *("id", "station", "event_id", "at", "received_at", *NamedRow.NAME, "value", "trigger", "notification", "cleared"),
            *("severity", "monitor_id", "cause_id", "ocpp_transaction_id", "tech_code", "tech_info", "open", "since"),
            *("closed_at", "closed_because"),
        ]


class MonitorEventFilters(Filters):
    looks_for = ("component", "variable", "trigger", "severity", "monitor_id", "since", "until")

    station = StationFilter("station_id")
    open = YesNoFilter(help_text="alerts that are not over")
    component = filters.CharFilter()
    variable = filters.CharFilter()
    trigger = filters.ChoiceFilter(choices=[(one, one) for one in TRIGGERS])
    severity = NumberFilter(lookup_expr="lte", max_value=LEAST_SEVERE, help_text="this severe or more: 0 is danger")
    monitor_id = NumberFilter(max_value=INT32)
    since, until = period("at").values()


class MonitorEventView(mixins.RetrieveModelMixin, Lists):
    """What parts of stations noticed. An alert is `open` until its station says that it is over, or somebody closes it."""

    model = MonitorEvent
    serializer_class = MonitorEventRow
    filterset_class: Any = MonitorEventFilters
    change_verb = "commands.send"

    @extend_schema(request=None, responses={200: MonitorEventRow, 409: OpenApiResponse(description="It is not open.")})
    @action(detail=True, methods=["post"])
    def close(self, request: Request, **kwargs: Any) -> Response:
        """Say that an alert is over though its station does not."""
        event: MonitorEvent = self.get_object()
        if not monitoring.close(event=event, user=request.user if isinstance(request.user, User) else None):
            raise Conflict(f"Event {event.pk} is no open alert: there is nothing to close.")
        return Response(self.get_serializer(self.get_object()).data)
