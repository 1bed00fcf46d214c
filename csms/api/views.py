"""The lists of the API."""

from contextlib import ExitStack
from typing import Any, ClassVar, NoReturn

from django.db import transaction
from django.db.models import Exists, F, Model, OuterRef, Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ApiKey, AuditEntry
from accounts.permissions import may
from billing.selectors import valid
from csms.api import filters, sessionprices
from csms.api import serializers as rows
from csms.api.errors import TooMany
from csms.api.messagerows import MessageRow
from csms.api.renderers import ByFormat, Csv
from csms.ocpp import links
from csms.tenancy import acting, scope_of
from stations import plugtypes, selectors
from stations.models import (
    ConnectionHistory,
    Connector,
    Evse,
    Finding,
    MessageLogEntry,
    MeterDay,
    MeterQuarter,
    MeterSample,
    Refusal,
    Site,
    Station,
    StatusHistory,
    Transaction,
    Variable,
)
from stations.services import localcontrollers, registry, securityprofiles
from stations.services import plugtypes as saying


class Scoped(APIView):
    """Runs in the scope of whoever the API authenticated: with a key that is not the session's person, whom the middleware saw."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with ExitStack() as self.scopes:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.scopes.enter_context(scope_of(request.user))
        key = request.auth.prefix if isinstance(request.auth, ApiKey) else ""
        self.scopes.enter_context(acting(request.user, via="api", key=key))

    def throttled(self, request: Request, wait: float) -> NoReturn:
        raise TooMany(wait)


class Lists(Scoped, mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """Base: a list, read only, newest first."""

    model: ClassVar[type[Model]]
    view_verb: ClassVar[str] = "view"
    orderings: ClassVar[dict[str, tuple[str, ...]]] = {"-id": ("id",)}
    lookup_value_regex = "[0-9]+"

    def get_queryset(self) -> QuerySet[Any]:
        manager = self.model._default_manager
        # The schema is made outside any scope.
        queryset: QuerySet[Any] = manager.none() if getattr(self, "swagger_fake_view", False) else self.narrow(manager.all())
        return queryset

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        # Filters are those of the list: one row is named by its address.
        return queryset if self.detail else super().filter_queryset(queryset)

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what their serializer needs."""
        return queryset.select_related("station")


class SiteView(mixins.RetrieveModelMixin, Lists):
    """Places with charging stations."""

    model = Site
    serializer_class = rows.SiteRow
    filterset_class = filters.SiteFilters
    orderings = {"name": ("name", "id")}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class StationView(mixins.RetrieveModelMixin, Lists):
    """Charging stations and their live state."""

    model = Station
    serializer_class = rows.StationRow
    filterset_class = filters.StationFilters
    orderings = {"identity": ("identity",), "created_at": ("created_at", "id")}
    lookup_field = "identity"
    lookup_value_regex = r"[^/:\x00-\x1f\x7f]+"
    change_verb = "stations.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        online = Exists(selectors.online().filter(pk=OuterRef("pk")))
        return (
            queryset.annotate(online=online)
            .select_related("site", "connection", "controller")
            .prefetch_related("evses__connectors")
        )

    @extend_schema(request=rows.StationChange, responses=rows.StationRow)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change whether what breaks the schema is refused, the local controller it is behind, the key with which it signs,
        whether it may come less securely than before."""
        station = self.get_object()
        body = rows.StationChange(data=request.data)
        body.is_valid(raise_exception=True)
        changes = body.validated_data
        with transaction.atomic():
            if "strict" in changes:
                registry.set_strict(station=station, strict=changes["strict"])
            if "controller" in changes:
                name = changes["controller"]
                controller = Station.objects.filter(identity=name).first() if name is not None else None
                if name is not None and controller is None:
                    raise serializers.ValidationError({"controller": ["There is no such station."]})
                localcontrollers.set_controller(station=station, controller=controller)
            if "signing_key" in changes:
                localcontrollers.set_signing_key(station=station, pem=changes["signing_key"])
            if "allow_lower_profile" in changes:
                securityprofiles.allow_lower(station=station, reason=changes["allow_lower_profile"])
        return Response(self.get_serializer(self.get_object()).data)


class EvseView(Lists):
    """Parts of a station that charge one vehicle at a time."""

    model = Evse
    serializer_class = rows.EvseRow
    filterset_class = filters.EvseFilters
    orderings = {"station": ("station__identity", "number")}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station").prefetch_related("connectors")


class ConnectorView(mixins.RetrieveModelMixin, Lists):
    """Sockets and cables, and their state."""

    model = Connector
    serializer_class = rows.ConnectorRow
    filterset_class = filters.ConnectorFilters
    orderings = {"station": ("evse__station__identity", "evse__number", "number")}
    change_verb = "stations.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return plugtypes.annotated(queryset).select_related("evse__station")

    @extend_schema(request=rows.ConnectorChange, responses=rows.ConnectorRow)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say of which type it is, by which id tags may be held to it: many stations do not tell."""
        plug = self.get_object()
        body = rows.ConnectorChange(data=request.data)
        body.is_valid(raise_exception=True)
        saying.say(station=plug.evse.station, types={(plug.evse.number, plug.number): body.validated_data["type"]})
        return Response(self.get_serializer(self.get_object()).data)


class TransactionView(mixins.RetrieveModelMixin, Lists):
    """What was charged, and what it cost. `cost` is null until the charge record is made; `tariff` says by which one, and why."""

    model = Transaction
    serializer_class = rows.TransactionRow
    filterset_class = filters.TransactionFilters
    orderings = {"-id": ("id",), "-started_at": ("started_at", "id")}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        records = Prefetch("charge_records", valid().order_by("-revision").select_related("tariff"))
        return queryset.select_related("station", "evse", "id_token", "signed").prefetch_related("findings", records)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            shown = args[0] if kwargs.get("many") else [args[0]]
            kwargs["context"] = {**self.get_serializer_context(), **sessionprices.context(shown)}
        return super().get_serializer(*args, **kwargs)


class MeterSampleView(Lists):
    """Meter readings."""

    model = MeterSample
    serializer_class = rows.MeterSampleRow
    filterset_class = filters.MeterSampleFilters
    orderings = {"-at": ("at", "id")}


class MeterQuarterView(Lists):
    """What the samples of an EVSE say of each quarter of an hour. Kept when the samples are gone."""

    model = MeterQuarter
    serializer_class = rows.MeterQuarterRow
    filterset_class = filters.MeterQuarterFilters
    orderings = {"-start": ("start", "id")}
    renderer_classes = [JSONRenderer, Csv]
    content_negotiation_class = ByFormat


class MeterDayView(Lists):
    """What the samples of an EVSE say of each day, in the time zone of the station's site. Kept for good."""

    model = MeterDay
    serializer_class = rows.MeterDayRow
    filterset_class = filters.MeterDayFilters
    orderings = {"-day": ("day", "id")}
    renderer_classes = [JSONRenderer, Csv]
    content_negotiation_class = ByFormat


class MessageView(Lists):
    """OCPP calls and their answers as they were on the wire, secrets masked; id tags too for those who may not change them."""

    model = MessageLogEntry
    serializer_class = MessageRow
    filterset_class = filters.MessageFilters
    orderings = {"-received_at": ("received_at", "id")}

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "hides_tags": not may(self.request.user, "tags.change")}

    def paginate_queryset(self, queryset: Any) -> Any:
        rows = super().paginate_queryset(queryset)
        return links.attach(rows) if rows else rows


class EventView(Lists):
    """What state stations and connectors were in, and when. Without a `station` that of the last day."""

    model = StatusHistory
    serializer_class = rows.EventRow
    filterset_class = filters.EventFilters
    orderings = {"-at": ("at", "id")}


class ConnectionView(Lists):
    """The sockets of stations, from their acceptance to their end."""

    model = ConnectionHistory
    serializer_class = rows.ConnectionRow
    filterset_class = filters.ConnectionFilters
    orderings = {"-id": ("id",)}


class VariableView(Lists):
    """Settings of stations: what they reported, and what is wanted."""

    model = Variable
    serializer_class = rows.VariableRow
    filterset_class = filters.VariableFilters
    orderings = {
        "station": (
            *("station__identity", "component", "component_instance", "evse_number", "connector_number"),
            *("variable", "variable_instance", "attribute"),
        )
    }

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        # Says what is so anyway, lest the stations of all operators are walked through in the order of their names.
        return queryset.filter(station__operator=F("operator")).select_related("station")


class RefusalView(Lists):
    """Stations that were turned away at the OCPP endpoint."""

    model = Refusal
    serializer_class = rows.RefusalRow
    filterset_class = filters.RefusalFilters
    orderings = {"-last_at": ("last_at", "id")}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class FindingView(Lists):
    """What is wrong with what stations say."""

    model = Finding
    serializer_class = rows.FindingRow
    filterset_class = filters.FindingFilters
    orderings = {"-last_at": ("last_at", "id")}


class AuditView(Lists):
    """Who changed what, with before and after. Kept for good, never altered."""

    model = AuditEntry
    serializer_class = rows.AuditRow
    filterset_class = filters.AuditFilters
    view_verb = "audit.view"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


@extend_schema(exclude=True)
class NowhereView(APIView):
    """An address that is none, answered as any other error."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        slash = "" if request.path.endswith("/") else " Addresses end in a slash."
        raise NotFound(f"There is nothing at this address.{slash} See /api/docs/.")

    post = put = patch = delete = get
