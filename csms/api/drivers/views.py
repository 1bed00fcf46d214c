"""The drivers' side: oneself, one's sessions and receipts, starting and stopping, and where to charge."""

from typing import Any, ClassVar, NoReturn

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ParseError, Throttled
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts import audit, drivers
from accounts.models import IdToken, User
from billing import issued, prices
from billing.models import ChargeRecord
from csms.api import signed
from csms.api.commands import LONGEST_KEY
from csms.api.drivers import filters, live, rows
from csms.api.drivers.access import CHARGING, ForDrivers, TooOften
from csms.api.errors import Conflict, Refused
from csms.api.fields import KnownOnly
from csms.api.receipts import PDF, Pdf, pdf_of
from csms.api.views import NowhereView
from stations import charging, places
from stations.models import Command, Site, Transaction
from stations.services import charging as service

KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="Of your choice, new for each start. Asked again with the same key, it is the same start.",
)


NOT_THERE = OpenApiResponse(description="There is no such plug, or no such session of yours.")
NOT_NOW = OpenApiResponse(description="Not as things stand: `detail` says why and what to do, `code` the reason in a word.")


class NotOfferedView(NowhereView):
    """An address of allauth's that no app needs."""

    authentication_classes = permission_classes = ()


class MeView(ForDrivers):
    """The driver who is logged in."""

    @extend_schema(operation_id="me_retrieve", responses=rows.Me)
    def get(self, request: Request) -> Response:
        """Who I am, and in which network I charge."""
        return Response(rows.Me(self.driver).data)

    @extend_schema(operation_id="me_update", request=rows.MyChanges, responses=rows.Me)
    def patch(self, request: Request) -> Response:
        """Change my name or the language of my pages ("": that of the browser)."""
        asked = rows.MyChanges(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(rows.Me(drivers.change(driver=self.driver, **asked.validated_data)).data)

    @extend_schema(
        operation_id="me_destroy", responses={204: None, 400: OpenApiResponse(description="You are charging: stop it first.")}
    )
    def delete(self, request: Request) -> Response:
        """Delete my account for good. What I charged stays, as nobody's, as the law on receipts wants."""
        with audit.acting(self.driver, via="api"):
            drivers.delete_account(driver=self.driver)
        return Response(status=204)


class Mine(ForDrivers, mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """Base of a driver's own lists, newest first."""

    orderings: ClassVar[dict[str, tuple[str, ...]]] = {"-id": ("id",)}
    lookup_value_regex = "[0-9]{1,18}"
    model: ClassVar[Any]

    def get_queryset(self) -> QuerySet[Any]:
        # The schema is made outside any scope, for nobody.
        fake = getattr(self, "swagger_fake_view", False)
        queryset: QuerySet[Any] = self.model._default_manager.none() if fake else self.mine()
        return queryset

    def mine(self) -> QuerySet[Any]:
        raise NotImplementedError

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.detail else super().filter_queryset(queryset)


class MyIdTagView(Mine):
    """My id tags: the one with which the app starts, and the cards the operator gave me."""

    model = IdToken
    orderings = {"id": ("id",)}
    serializer_class = rows.MyIdTag
    filterset_class = filters.NoFilters

    def mine(self) -> QuerySet[Any]:
        return charging.tokens(self.driver)


class MySessionView(mixins.RetrieveModelMixin, Mine):
    """What I charge and have charged."""

    model = Transaction
    serializer_class = rows.MySession
    filterset_class = filters.MySessionFilters

    def mine(self) -> QuerySet[Any]:
        return charging.history(self.driver)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            shown = args[0] if kwargs.get("many") else [args[0]]
            kwargs["context"] = {**self.get_serializer_context(), "costs": prices.costs(shown)}
        return super().get_serializer(*args, **kwargs)


class MySignedView(ForDrivers):
    """What the meter signed of a session of mine."""

    renderer_classes = [JSONRenderer, signed.Xml, signed.Plain]

    @extend_schema(operation_id="me_sessions_signed", parameters=[signed.AS], responses=signed.FILE)
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        """The file that transparency software opens, to see for myself that the meter counted right."""
        found = charging.history(self.driver).filter(pk=pk).first()
        return signed.file_of(found, request.query_params.get("as", "xml"))


class LiveView(ForDrivers):
    """A session of mine as it goes."""

    renderer_classes = [live.EventStream, JSONRenderer]

    @extend_schema(
        operation_id="me_sessions_live",
        parameters=[OpenApiParameter("Last-Event-ID", OpenApiTypes.STR, OpenApiParameter.HEADER, description="Of the last event.")],
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                OpenApiTypes.STR,
                description="Server-sent events: `session` with each change, `ended` with the last state, as in me/sessions/<id>/.",
            ),
            204: OpenApiResponse(description="It has ended, and you know it: do not come again."),
        },
    )
    def get(self, request: Request, pk: str) -> HttpResponse:
        """My session live, as server-sent events. Come again whenever the stream ends before `ended`: it does so now and then."""
        last = request.headers.get("Last-Event-ID", "")[:40]
        now = live.state(self.driver.pk, int(pk))
        if now is None:
            raise NotFound("There is no such session of yours.")
        if now.ended and now.id == last:
            return Response(status=204)
        if live.full(self.driver):
            raise Throttled(live.HEARTBEAT_S, f"You watch {live.MOST} sessions already: close one.")
        return live.stream(self.driver, int(pk), last)  # type: ignore[return-value]  # an HttpResponseBase


class MyReceiptView(mixins.RetrieveModelMixin, Mine):
    """What my sessions cost, credit notes among them. For people there is a page that prints well, /driver/receipts/<id>/."""

    model = ChargeRecord
    serializer_class = rows.MyReceipt
    filterset_class = filters.NoFilters

    def mine(self) -> QuerySet[Any]:
        return issued.records_of(self.driver)

    @extend_schema(operation_id="me_receipts_pdf", responses=PDF)
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, Pdf])
    def pdf(self, request: Request, **kwargs: Any) -> HttpResponse:
        """My receipt as a PDF."""
        return pdf_of(getattr(self.get_object(), "receipt", None))


class Charge(ForDrivers):
    throttle_classes = CHARGING

    def throttled(self, request: Request, wait: float) -> NoReturn:
        raise TooOften(wait)

    def told(self, command: Command, status: int = 200) -> Response:
        start = charging.follow(command, driver=self.driver)
        return Response(rows.Asked(command, context={"start": start}).data, status=status)


class StartView(Charge):
    """Starting."""

    @extend_schema(
        operation_id="charge_start",
        parameters=[KEY],
        request=rows.StartAsked,
        responses={202: rows.Asked, 404: NOT_THERE, 409: NOT_NOW},
    )
    def post(self, request: Request) -> Response:
        """Start charging at a plug. Follow what comes of it at charge/commands/<id>/."""
        body = rows.StartAsked(data=request.data)
        body.is_valid(raise_exception=True)
        key = request.headers.get("Idempotency-Key", "").strip()
        if len(key) > LONGEST_KEY - 30:
            raise ParseError(f"An Idempotency-Key has at most {LONGEST_KEY - 30} characters.")
        plug = charging.plug(body.validated_data["station"], body.validated_data["evse"], driver=self.driver)
        if plug is None:
            raise NotFound("There is no such plug: check the code on the charger, and the number of the plug.")
        try:
            command = service.start(driver=self.driver, evse=plug.evse, idempotency_key=key or None)
        except service.Refused as error:
            raise Refused(str(error), error.code) from error
        if (command.station_id, command.params.get("evse")) != (plug.station.pk, plug.evse.number):
            raise Conflict("This Idempotency-Key was used for a start at another plug: use a new one for each start.")
        return self.told(command, 202)


class StopView(Charge):
    """Stopping."""

    @extend_schema(
        operation_id="charge_stop",
        request=rows.StopAsked,
        responses={202: rows.Asked, 404: NOT_THERE, 409: NOT_NOW},
    )
    def post(self, request: Request) -> Response:
        """Stop a session of mine. Follow what comes of it at charge/commands/<id>/."""
        body = rows.StopAsked(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        which = (
            Q(pk=asked["session"])
            if "session" in asked
            else Q(station__identity=asked["station"], evse__number=asked["evse"], status="active")
        )
        session = charging.history(self.driver).filter(which).first()
        if session is None:
            raise NotFound("There is no such session of yours.")
        try:
            command = service.stop(driver=self.driver, transaction=session)
        except service.Refused as error:
            raise Refused(str(error), error.code) from error
        return self.told(command, 202)


class AskedView(Charge):
    """What I asked of chargers."""

    throttle_classes = CHARGING[:1]

    @extend_schema(operation_id="charge_commands_retrieve", responses=rows.Asked)
    def get(self, request: Request, pk: str) -> Response:
        """What came of a start or stop so far."""
        return self.told(get_object_or_404(charging.starts(self.driver), pk=int(pk)))


class Where(KnownOnly):
    """Where to look for locations."""

    lat = serializers.FloatField(min_value=-90, max_value=90, required=False, help_text="Degrees north.")
    lon = serializers.FloatField(min_value=-180, max_value=180, required=False, help_text="Degrees east.")
    radius_m = serializers.IntegerField(min_value=1, max_value=100_000, default=10_000)
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)
    offset = serializers.IntegerField(min_value=0, max_value=100_000, default=0, help_text="As found in `next`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("lat" in attrs) != ("lon" in attrs):
            raise serializers.ValidationError("Give both lat and lon, or neither.")
        return attrs


class Found(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    results = rows.LocationRow(many=True)


class LocationsView(ForDrivers):
    """Where I can charge."""

    @extend_schema(operation_id="locations_list", parameters=[Where], responses=Found)
    def get(self, request: Request) -> Response:
        """Sites with their plugs as they are now, and the price: the nearest first, or without a place by name."""
        where = Where(data=request.query_params)
        where.is_valid(raise_exception=True)
        asked = where.validated_data
        found = places.near(asked["lat"], asked["lon"], asked["radius_m"]) if "lat" in asked else places.sites()
        end = asked["offset"] + asked["limit"]
        sites = list(found[asked["offset"] : end + 1])
        further = replace_query_param(request.build_absolute_uri(), "offset", end) if len(sites) > asked["limit"] else None
        return Response({"next": further, "results": shown(sites[: asked["limit"]], self.driver)})


class LocationView(ForDrivers):
    """One of them."""

    @extend_schema(operation_id="locations_retrieve", responses=rows.LocationRow)
    def get(self, request: Request, pk: str) -> Response:
        """A site with its plugs as they are now, and the price."""
        site = get_object_or_404(places.sites(), pk=int(pk))
        return Response(shown([site], self.driver)[0])


def shown(sites: list[Site], driver: User) -> Any:
    assert driver.operator is not None
    context = {"prices": prices.Prices(driver.operator, driver), "plugs": places.plugs(sites, driver=driver)}
    return rows.LocationRow(sites, many=True, context=context).data
