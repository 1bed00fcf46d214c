"""What lists can be narrowed by."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions
from rest_framework.request import Request

from accounts import history
from accounts.models import IdTokenStatus, IdTokenType, User
from accounts.tokens import parse_moment
from billing.models import RecordKind
from stations import choices
from stations.cases import took_place_at
from stations.domain.commands import COMMANDS
from stations.domain.values import TransactionStatus
from stations.models import CommandStatus, Site, Station, Transaction

#: Samples of a transaction are looked for this long around it: clocks are set while it runs.
AROUND = timedelta(days=1)
#: How far back the status history of all stations can be looked into: a day, and an hour for whoever follows its pages.
RECENT = timedelta(hours=25)
#: How long a time a text is looked for in at once.
MONTH = timedelta(days=31)
#: What a column for an EVSE's number holds.
HIGHEST_EVSE = 2**15 - 1


class MomentField(forms.CharField):
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return parse_moment(text) if text else None
        except ValueError as error:
            # Not as the message itself: a "%" in what was asked would be taken for a place to fill.
            raise ValidationError("%(why)s", params={"why": str(error)}) from error


class MomentFilter(filters.Filter):
    """A date or a time, UTC where no zone is given."""

    field_class = MomentField


class NumberField(forms.IntegerField):
    re_decimal = re.compile(r"(?!)")  # Django's would take 5.0 for 5


class NumberFilter(filters.Filter):
    """An id, or a number of OCPP."""

    field_class = NumberField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, **kwargs)
        # Not what the column could hold: the document says what is taken.
        said = {"maximum": kwargs.get("max_value"), "description": kwargs.get("help_text")}
        known = {name: value for name, value in said.items() if value is not None}
        extend_schema_field({"type": "integer", "minimum": 0} | known)(self)


@extend_schema_field(OpenApiTypes.BOOL)
class YesNoFilter(filters.TypedChoiceFilter):
    """`true` or `false`, and nothing that might be meant so."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        words = [("true", "true"), ("false", "false")]
        super().__init__(*args, choices=words, coerce=lambda text: text == "true", **kwargs)


class StationFilter(filters.CharFilter):
    """By identity. Looked up first, so that the rows are found by the index on their station."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return qs
        station = Station.objects.filter(identity=value).values_list("pk", flat=True).first()
        return qs.none() if station is None else qs.filter(**{self.field_name: station})


def period(field: str) -> dict[str, MomentFilter]:
    """`since` (that moment included) and `until` (excluded)."""
    return {
        "since": MomentFilter(field, "gte", help_text=f"{field} at or after this time"),
        "until": MomentFilter(field, "lt", help_text=f"{field} before this time"),
    }


class Backend(DjangoFilterBackend):
    """Refuses what narrows nothing: a filter that is misspelt or empty would show everything, and nobody would see why."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        paging = [parameter["name"] for parameter in view.paginator.get_schema_operation_parameters(view)]
        form = ["format"] if len(view.renderer_classes) > 1 else []
        known = [*view.filterset_class.base_filters, *paging, *form]
        if unknown := [name for name in request.query_params if name not in known]:
            hint = f"There is no such parameter here. There are {', '.join(known)}."
            raise exceptions.ValidationError({name: [hint] for name in unknown})
        if empty := [name for name, value in request.query_params.items() if not str(value).strip()]:
            raise exceptions.ValidationError({name: ["Is empty: say what to look for, or leave it out."] for name in empty})
        if twice := [name for name, values in request.query_params.lists() if len(values) > 1]:
            raise exceptions.ValidationError({name: ["Is given more than once."] for name in twice})
        given = request.query_params.dict()
        looked_for = {name: given.pop(name) for name in view.filterset_class.looking_for(given) if name in given}
        rows = narrowed(view, queryset, given)
        if not looked_for:
            return rows
        view.looked_through = rows
        return narrowed(view, rows, looked_for)


def narrowed(view: Any, rows: QuerySet[Any], given: dict[str, str]) -> QuerySet[Any]:
    found = view.filterset_class(given, queryset=rows, request=view.request)
    if not found.is_valid():
        raise translate_validation(found.errors)
    narrowed: QuerySet[Any] = found.qs
    return narrowed


class Filters(filters.FilterSet):
    """Base. `looks_for`: filters without an index of their own. The paginator looks through a bounded number of rows for them.

    `leads`: filters that each have an index in the list's order, but none together, the rarer first. The first of them that is
    given leads; the others are looked for among its rows.
    """

    looks_for: ClassVar[tuple[str, ...]] = ()
    leads: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def looking_for(cls, given: Mapping[str, str]) -> tuple[str, ...]:
        """Those that have no index beside the others that are given."""
        leading = next((name for name in cls.leads if name in given), None)
        return cls.looks_for + tuple(name for name in cls.leads if name != leading)

    @classmethod
    def ordering_of(cls, given: Mapping[str, str]) -> str:
        """The order in which what is asked for is found by an index, where that is not the list's own."""
        return ""


class SiteFilters(Filters):
    station = filters.CharFilter("stations__identity", help_text="the site of this station")
    city = filters.CharFilter()


class StationFilters(Filters):
    station = filters.CharFilter("identity")
    site = filters.CharFilter("site__name")
    status = filters.ChoiceFilter(choices=choices.CONNECTOR_STATUS)
    registration = filters.ChoiceFilter(choices=choices.REGISTRATION)
    online = YesNoFilter()
    controller = StationFilter("controller_id", help_text="those behind this local controller")


class EvseFilters(Filters):
    station = StationFilter("station_id")


class ConnectorFilters(Filters):
    station = StationFilter("evse__station_id")
    evse = NumberFilter("evse__number", max_value=HIGHEST_EVSE)
    status = filters.ChoiceFilter(choices=choices.CONNECTOR_STATUS)


class TransactionFilters(Filters):
    """A time and an id tag are found by an index in the order of starts only, a doubt in that of ids only; a station in both."""

    leads = ("ocpp_transaction_id", "doubt", "station")
    looks_for = ("id_tag", "since", "until")

    station = StationFilter("station_id")
    status = filters.ChoiceFilter(choices=choices.TRANSACTION_STATUS)
    id_tag = filters.CharFilter(lookup_expr="iexact")
    ocpp_transaction_id = filters.CharFilter(method="of_ocpp")
    doubt = filters.ChoiceFilter(choices=[choice for choice in choices.DOUBT if choice[0]])
    since, until = period("started_at").values()

    @classmethod
    def looking_for(cls, given: Mapping[str, str]) -> tuple[str, ...]:
        if given.get("status") == TransactionStatus.ACTIVE:
            return ()  # those that run have an index of their own, and are few
        ordering = given.get("ordering") or cls.ordering_of(given)
        if ordering.removeprefix("-") == "started_at":
            return ("doubt", "station") if "id_tag" in given else ("doubt",)
        return super().looking_for(given)

    @classmethod
    def ordering_of(cls, given: Mapping[str, str]) -> str:
        by_start = not {"since", "until", "id_tag"}.isdisjoint(given) and {"ocpp_transaction_id", "doubt"}.isdisjoint(given)
        return "-started_at" if by_start else ""

    def of_ocpp(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """By the stations too, which is what there is an index for."""
        return rows.filter(ocpp_transaction_id=value, station__in=Station.objects.order_by().values("pk"))


class ChargeRecordFilters(Filters):
    looks_for = ("station", "site", "tariff", "kind", "currency", "valid")

    station = StationFilter("transaction__station_id")
    site = filters.CharFilter(method="of_site", help_text="where the session took place")
    transaction = NumberFilter("transaction_id")
    tariff = NumberFilter("tariff_id")
    kind = filters.ChoiceFilter(choices=RecordKind.choices)
    currency = filters.CharFilter()
    valid = YesNoFilter(method="that_count", help_text="charges that no credit takes back, or all others")
    since, until = period("created_at").values()

    def of_site(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        site = Site.objects.filter(name=value).values_list("pk", flat=True).first()
        return rows.none() if site is None else rows.filter(took_place_at(site, "transaction__"))

    def that_count(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        counts = Q(kind=RecordKind.CHARGE, credited_by=None)
        return rows.filter(counts if value else ~counts)


class MeterSampleFilters(Filters):
    looks_for = ("evse",)

    station = StationFilter("station_id")
    transaction = NumberFilter(method="of_transaction")
    evse = NumberFilter("evse_number", max_value=HIGHEST_EVSE)
    since, until = period("at").values()

    def of_transaction(self, rows: QuerySet[Any], name: str, value: int) -> QuerySet[Any]:
        """By station and time too, which is what there is an index for."""
        found = Transaction.objects.filter(pk=value).first()
        if found is None:
            return rows.none()
        rows = rows.filter(transaction_id=found.pk, station_id=found.station_id, at__gte=found.started_at - AROUND)
        return rows if found.stopped_at is None else rows.filter(at__lte=found.stopped_at + AROUND)


class MeterQuarterFilters(Filters):
    looks_for = ("evse",)

    station = StationFilter("station_id")
    evse = NumberFilter("evse_number", max_value=HIGHEST_EVSE)
    since, until = period("start").values()


class MeterDayFilters(Filters):
    looks_for = ("evse",)

    station = StationFilter("station_id")
    evse = NumberFilter("evse_number", max_value=HIGHEST_EVSE)
    since = filters.DateFilter("day", "gte", help_text="this day and later")
    until = filters.DateFilter("day", "lt", help_text="earlier than this day")


class MessageFilters(Filters):
    looks_for = ("action", "direction", "event", "outcome", "message_id")

    station = StationFilter("station_id")
    action = filters.CharFilter()
    direction = filters.ChoiceFilter(choices=[("in", "from the station"), ("out", "to the station")])
    event = filters.CharFilter()
    outcome = filters.CharFilter()
    message_id = filters.CharFilter()
    since, until = period("received_at").values()


class RefusalFilters(Filters):
    station = filters.CharFilter("identity")
    reason = filters.CharFilter()
    since, until = period("last_at").values()


class FindingFilters(Filters):
    looks_for = ("code", "severity", "vendor", "model", "firmware")

    station = StationFilter("station_id")
    transaction = NumberFilter("transaction_id")
    code = filters.CharFilter()
    vendor = filters.CharFilter("station__vendor", help_text="of stations of this vendor")
    model = filters.CharFilter("station__model", help_text="of stations of this model")
    firmware = filters.CharFilter("station__firmware_version", help_text="of stations that run this firmware now")
    severity = filters.ChoiceFilter(choices=choices.SEVERITY)
    since, until = period("last_at").values()

    @classmethod
    def looking_for(cls, given: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(one for one in cls.looks_for if one != "code") if "station" in given else cls.looks_for


class CommandsOfStation(Filters):
    looks_for = ("kind", "status", "since", "until")

    kind = filters.ChoiceFilter(choices=[(kind, kind) for kind in COMMANDS])
    status = filters.ChoiceFilter(choices=CommandStatus.choices)
    since, until = period("created_at").values()


class CommandFilters(CommandsOfStation):
    station = StationFilter("station_id")
    run = NumberFilter("run_id", help_text="asked of many stations at once, as a command's `run` says")


class VariableFilters(Filters):
    looks_for = ("component", "variable", "attribute", "monitorable", "known")

    station = StationFilter("station_id")
    component = filters.CharFilter()
    variable = filters.CharFilter()
    attribute = filters.ChoiceFilter(choices=[(one, one) for one in ("Actual", "Target", "MinSet", "MaxSet")])
    monitorable = YesNoFilter(help_text="whether monitors can watch it")
    known = YesNoFilter(help_text="whether the station has it")


class ConnectionFilters(Filters):
    looks_for = ("protocol", "since", "until")

    station = StationFilter("station_id")
    protocol = filters.CharFilter()
    since, until = period("opened_at").values()


class EventFilters(Filters):
    """Without a station the last day only: the history is found by station and time."""

    station = StationFilter("station_id")
    since, until = period("at").values()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().filter_queryset(queryset)
        if self.form.cleaned_data["station"]:
            return rows
        since, recent = self.form.cleaned_data["since"], timezone.now() - RECENT
        if since is not None and since < recent:
            raise exceptions.ValidationError({"since": ["Name a ?station= to look further back than a day."]})
        # By station and time, which is what there is an index for.
        return rows.filter(at__gte=recent, station__in=Station.objects.order_by().values("pk"))


class IdTagFilters(Filters):
    looks_for = ("type", "status", "group")

    value = filters.CharFilter("key", method="without_case")
    type = filters.ChoiceFilter(choices=IdTokenType.choices)
    status = filters.ChoiceFilter(choices=IdTokenStatus.choices)
    group = filters.CharFilter("group__name")

    def without_case(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(**{name: value.upper()})


class AuditFilters(Filters):
    """A text is looked for in the changes of a month at most: there is no index of words."""

    looks_for = ("kind", "via")
    person = filters.CharFilter(method="of_person", help_text="the e-mail address of who did it")
    action = filters.CharFilter(help_text="such as id_token.changed")
    kind = filters.CharFilter("object_type", help_text="such as station, idtoken, tariff")
    thing = filters.CharFilter("object_id", help_text="the key of a thing of this `kind`")
    station = filters.CharFilter(method="of_station", help_text="what was done to this station")
    via = filters.ChoiceFilter(choices=[(via, via) for via in ("page", "api", "shell", "job")])
    q = filters.CharFilter(method="mentioned", max_length=100, help_text="in the name, the reason, before or after; with a `since`")
    since, until = period("at").values()

    @classmethod
    def looking_for(cls, given: Mapping[str, str]) -> tuple[str, ...]:
        return ("via",) if "thing" in given else cls.looks_for

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        given = self.form.cleaned_data
        if given["thing"] and not given["kind"]:
            raise exceptions.ValidationError({"thing": ["Name its ?kind= too: things of every kind have such a key."]})
        since, until = given["since"], given["until"]
        if given["q"] and (since is None or (until or timezone.now()) - since > MONTH):
            raise exceptions.ValidationError({"q": ["Name a ?since= and ?until= of 31 days at most: it is looked for there."]})
        return super().filter_queryset(history.within(queryset, since, until))

    def of_person(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Looked up first, so that the rows are found by the index on them."""
        person = User.objects.filter(email=value.strip().lower()).values_list("pk", flat=True).first()
        return rows.none() if person is None else rows.filter(actor=person)

    def of_station(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        station = Station.objects.filter(identity=value).values_list("pk", flat=True).first()
        return rows.none() if station is None else rows.filter(object_type="station", object_id=str(station))

    def mentioned(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return history.texts(rows).filter(history.mentions(value))
