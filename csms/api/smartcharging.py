"""What limits stations, for programs: profiles, limits of others, composite schedules, and what cars need and choose."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from csms.api.filters import HIGHEST_EVSE, Filters, NumberFilter, StationFilter, YesNoFilter, period
from csms.api.serializers import Rows
from csms.api.views import Lists
from stations import charginglists
from stations.domain.chargingprofiles import EXTERNAL, PURPOSES, SOURCES, UNITS
from stations.models import ChargingLimit, ChargingProfile, EvChargingNeeds, EvChargingSchedule, Station

OBJECT = {"type": "object", "additionalProperties": {}}


@extend_schema_field({**OBJECT, "nullable": True})
class Plain(serializers.JSONField):
    """A profile or schedule, as `set_charging_profile` takes it."""


@extend_schema_field({"type": "array", "items": OBJECT})
class Plains(serializers.JSONField):
    """Schedules or stretches."""


class ChargingProfileRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number", help_text="0: the whole station, or each EVSE of it.")
    transaction = serializers.CharField(source="ocpp_transaction_id", help_text="Of a TxProfile, its id in OCPP.")
    state = serializers.SerializerMethodField(
        help_text="set: accepted, not read back; confirmed: the station reports it so; differs: it reports another; "
        "missing: it does not report it; found: it reports it, and we did not set it."
    )
    wanted = Plain(read_only=True, allow_null=True, help_text="As it was sent and accepted.")
    reported = Plain(read_only=True, allow_null=True, help_text="As the station reports it.")

    class Meta:
        model = ChargingProfile
        fields = read_only_fields = [
            *("id", "station", "evse", "profile_id", "purpose", "kind", "stack_level", "source", "transaction", "state"),
            *("wanted", "reported", "set_at", "reported_at", "checked_at"),
        ]

    @extend_schema_field({"type": "string", "enum": list(charginglists.STATES)})
    def get_state(self, row: ChargingProfile) -> str:
        return charginglists.state_of(row)


class ChargingProfileFilters(Filters):
    station = StationFilter("station_id")
    evse = NumberFilter("evse_number", max_value=HIGHEST_EVSE, help_text="0: the whole station, or each EVSE of it.")
    purpose = django_filters.ChoiceFilter(choices=[(one, one) for one in (*PURPOSES, EXTERNAL)])
    source = django_filters.ChoiceFilter(choices=[(one, one) for one in SOURCES])
    looks_for = ("evse", "purpose", "source")


class ChargingProfileView(Lists):
    """The charging profiles that stations hold. To set, clear and read them: `stations/<identity>/commands/`."""

    model = ChargingProfile
    serializer_class = ChargingProfileRow
    filterset_class = ChargingProfileFilters


class ChargingLimitRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number", help_text="0: the whole station.")
    schedules = Plains(read_only=True)

    class Meta:
        model = ChargingLimit
        fields = read_only_fields = [
            *("id", "station", "evse", "source", "grid_critical", "schedules", "reported_at", "cleared_at"),
        ]


class ChargingLimitFilters(Filters):
    station = StationFilter("station_id")
    source = django_filters.ChoiceFilter(choices=[(one, one) for one in SOURCES])
    in_force = YesNoFilter(method="still", help_text="Whether it has not been cleared.")
    looks_for = ("source", "in_force")

    def still(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return rows.filter(cleared_at__isnull=value)


class ChargingLimitView(Lists):
    """Limits that others than us set: the grid's operator, an energy management at the site."""

    model = ChargingLimit
    serializer_class = ChargingLimitRow
    filterset_class = ChargingLimitFilters


class EvChargingNeedsRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number")
    transaction = serializers.CharField(source="ocpp_transaction_id", help_text="Its id in OCPP; empty: not known then.")
    needs = Plain(read_only=True, help_text="energy_wh, min_a, max_a, max_v, max_w, soc_percent ..., as far as it told.")

    class Meta:
        model = EvChargingNeeds
        fields = read_only_fields = [
            *("id", "station", "evse", "transaction", "mode", "departure_at", "schedules_taken", "needs", "answer", "state"),
            *("received_at", "offered_at"),
        ]


class OfStationFilters(Filters):
    station = StationFilter("station_id")
    evse = NumberFilter("evse_number", max_value=HIGHEST_EVSE)
    since, until = period("received_at").values()
    looks_for = ("evse", "since", "until")


class EvChargingNeedsView(Lists):
    """What the car at an EVSE last said it needs, and what it was answered."""

    model = EvChargingNeeds
    serializer_class = EvChargingNeedsRow
    filterset_class = OfStationFilters


class EvChargingScheduleRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number")
    transaction = serializers.CharField(source="ocpp_transaction_id", help_text="Its id in OCPP; empty: not known then.")
    schedule = Plain(read_only=True)

    class Meta:
        model = EvChargingSchedule
        fields = read_only_fields = ["id", "station", "evse", "transaction", "start_at", "schedule", "exceeds", "received_at"]


class EvChargingScheduleView(Lists):
    """The schedule that the car at an EVSE last chose, and whether it is above what is allowed."""

    model = EvChargingSchedule
    serializer_class = EvChargingScheduleRow
    filterset_class = OfStationFilters


class ReportedSchedule(serializers.Serializer[Any]):
    unit = serializers.CharField()
    start_at = serializers.DateTimeField()
    duration_s = serializers.IntegerField()
    periods = Plains()
    ours = Plains(help_text="What we expected then.")
    difference = serializers.CharField(help_text="Where the two parted; empty: they did not.")
    reported_at = serializers.DateTimeField()


class ComputedSchedule(serializers.Serializer[Any]):
    """From `start_at` on; each period until the next one. A limit of null: nothing limits it."""

    evse = serializers.IntegerField(help_text="0: the whole station.")
    unit = serializers.CharField()
    start_at = serializers.DateTimeField()
    duration_s = serializers.IntegerField()
    periods = Plains()
    volts = serializers.FloatField(help_text="By which ampere and watt are converted, between a phase and neutral.")
    volts_from = serializers.CharField(help_text="measured or settings, as the station told it; empty: assumed.")
    hardware = serializers.BooleanField(help_text="Whether what its EVSEs can do at most is known, and counts.")
    reported = ReportedSchedule(allow_null=True)


class CompositeRow(serializers.Serializer[Any]):
    station = serializers.CharField(source="identity")
    schedules = ComputedSchedule(many=True, source="composites")


class CompositeFilters(Filters):
    station = django_filters.CharFilter("identity")
    evse = NumberFilter(method="as_it_is", max_value=HIGHEST_EVSE, help_text="Only this one; 0 is the whole station.")
    unit = django_filters.ChoiceFilter(choices=[(one, one) for one in UNITS], method="as_it_is", help_text="A unless said.")
    duration_s = NumberFilter(method="as_it_is", max_value=charginglists.LONGEST_S, help_text="A day unless said.")

    def as_it_is(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return rows


class CompositeScheduleView(Lists):
    """What stations may draw from now on by all that limits them, computed here, beside what they last reported of it."""

    model = Station
    serializer_class = CompositeRow
    filterset_class = CompositeFilters
    orderings = {"station": ("identity",)}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

    def paginate_queryset(self, queryset: Any) -> Any:
        stations = super().paginate_queryset(queryset)
        query = self.request.query_params
        charginglists.attach(
            stations or [],
            evse=int(query["evse"]) if "evse" in query else None,
            unit=query.get("unit", "A"),
            duration_s=int(query.get("duration_s", 0)) or charginglists.DAY_S,
            now=timezone.now(),
        )
        return stations
