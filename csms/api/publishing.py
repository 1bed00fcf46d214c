"""Firmware that local controllers hand on, as programs see it."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from rest_framework import mixins, serializers

from csms.api.filters import Filters, NumberFilter, StationFilter, YesNoFilter, period
from csms.api.serializers import Rows
from csms.api.views import Lists
from stations.models import FirmwarePublication, PublicationStatus


class PublicationRow(Rows):
    station = serializers.CharField(source="station.identity")
    firmware = serializers.IntegerField(source="firmware_id", allow_null=True)
    command = serializers.IntegerField(source="command_id", allow_null=True)
    locations = serializers.ListField(child=serializers.CharField(), help_text="Where the stations behind it fetch the file.")

    class Meta:
        model = FirmwarePublication
        fields = read_only_fields = [
            *("id", "station", "firmware", "location", "checksum", "command", "request_id", "status", "status_at", "detail"),
            *("locations", "bytes_served", "created_at", "finished_at"),
        ]


class PublicationFilters(Filters):
    looks_for = ("firmware", "status", "open", "since", "until")

    station = StationFilter("station_id")
    firmware = NumberFilter("firmware_id")
    status = filters.ChoiceFilter(choices=PublicationStatus.choices)
    open = YesNoFilter("finished_at", "isnull", help_text="those that are under way, or those that are not")
    since, until = period("created_at").values()


class FirmwarePublicationView(mixins.RetrieveModelMixin, Lists):
    """Files that stations were asked to hand on to those behind them. To ask: the commands `publish_firmware` and
    `unpublish_firmware` at `stations/<identity>/commands/`.
    """

    model = FirmwarePublication
    serializer_class = PublicationRow
    filterset_class: Any = PublicationFilters

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station")
