"""What stations show on their displays, for programs. To set, read or clear: the commands of a station."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from rest_framework import serializers

from csms.api.filters import Filters, NumberFilter, StationFilter, period
from csms.api.serializers import Rows
from csms.api.views import Lists
from stations import choices, showing
from stations.models import DisplayMessage
from stations.showing import MessageStatus

STATUSES = [(one.value, one.value) for one in MessageStatus]


class DisplayMessageRow(Rows):
    station = serializers.CharField(source="station.identity")
    number = serializers.IntegerField(help_text="The id by which the station knows it.")
    status = serializers.ChoiceField(choices=STATUSES, help_text="Shown, waiting for its start, over, or removed before that.")
    transaction = serializers.CharField(source="ocpp_transaction_id", help_text="As the station calls it; empty: of none.")
    evse = serializers.IntegerField(source="evse_number", help_text="Of the display; 0: that of the station.")
    connector = serializers.IntegerField(source="connector_number", help_text="Of the display; 0: of none.")

    class Meta:
        model = DisplayMessage
        fields = read_only_fields = [
            *("id", "station", "number", "status", "priority", "state", "format", "language", "content", "start_at", "end_at"),
            *("transaction", "component", "component_instance", "evse", "connector", "set_at", "removed_at"),
        ]


class DisplayMessageFilters(Filters):
    looks_for = ("number", "status", "priority", "state", "transaction", "since", "until")

    station = StationFilter("station_id")
    number = NumberFilter(max_value=2**31 - 1)
    status = filters.ChoiceFilter(choices=STATUSES)
    priority = filters.ChoiceFilter(choices=choices.MESSAGE_PRIORITY)
    state = filters.ChoiceFilter(choices=choices.MESSAGE_STATE)
    transaction = filters.CharFilter("ocpp_transaction_id")
    since, until = period("set_at").values()


class DisplayMessageView(Lists):
    """Messages on the displays of stations: what they accepted or reported."""

    model = DisplayMessage
    serializer_class = DisplayMessageRow
    filterset_class: Any = DisplayMessageFilters

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return showing.with_status(queryset).select_related("station")
