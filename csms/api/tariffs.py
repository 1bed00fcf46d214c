"""Tariffs as programs see and change them: prices, their versions, and where and for whom each applies."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import IdTokenGroup, User
from billing import choosing, prices, retiring, series, simple, tariffs
from billing.models import Audience, Tariff, TariffAssignment, TariffVersion
from csms.api import filters
from csms.api.errors import Conflict
from csms.api.fields import Flag, KnownOnly, Moment, Text
from csms.api.repairs import conflict
from csms.api.serializers import Rows
from csms.api.views import Lists
from stations.models import Evse, Site, Station

CHANGE = "tariffs.change"
#: Assignments that a refusal names, and what it says of each.
MOST_NAMED, WHERE = 10, ("site", "station", "evse__station")


@extend_schema_field(
    {
        "type": "object",
        "properties": {"elements": {"type": "array", "items": {"type": "object", "additionalProperties": {}}}},
        "additionalProperties": {},
    }
)
class Ocpi(serializers.DictField):
    """What an OCPI 2.2.1 Tariff object says of prices."""


class Price(serializers.DecimalField):
    """A price without tax, of the element that always applies, or null. In a body: of a tariff of just such prices."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 12, "decimal_places": 4, "min_value": 0, "required": False, "allow_null": True} | kwargs)


class TariffRow(KnownOnly):
    """What charging costs. A new one is made of `ocpi`, or of the prices."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=120)
    currency = Text(max_length=3, default="EUR")
    price_per_kwh = Price()
    price_per_minute = Price()
    price_per_session = Price()
    tax_percent = Price(max_digits=5, decimal_places=2)
    ocpi = Ocpi(required=False, help_text="An OCPI 2.2.1 Tariff object: that of the version which is valid now.")
    sentence = serializers.CharField(read_only=True, help_text="As drivers read it, tax included.")
    version = serializers.IntegerField(read_only=True, help_text="Which version is valid now.")
    is_default = Flag(default=False, help_text="It applies where no other is assigned.")
    retired_at = Moment(read_only=True, allow_null=True, help_text="Since when it is not to be chosen or assigned any more.")
    created_at = Moment(read_only=True)

    def to_representation(self, instance: Tariff) -> dict[str, Any]:
        version = choosing.version_at(list(instance.versions.all()), timezone.now())
        ocpi = choosing.as_ocpi(version) if version else {}
        read = series.parse(ocpi) if version else None
        base = simple.base(read) if read else None

        def told(name: str) -> str | None:
            price = getattr(base, name, None)
            return (
                None
                if price is None
                else self.fields["tax_percent" if name == "tax_percent" else "price_per_kwh"].to_representation(price)
            )

        return {
            "id": instance.pk,
            "name": instance.name,
            "currency": instance.currency,
            "price_per_kwh": told("per_kwh"),
            "price_per_minute": told("per_minute"),
            "price_per_session": told("per_session"),
            "tax_percent": told("tax_percent"),
            "ocpi": ocpi,
            "sentence": prices.price_of(read).sentence if read else "",
            "version": version.number if version else None,
            "is_default": instance.is_default,
            "retired_at": self.fields["retired_at"].to_representation(instance.retired_at) if instance.retired_at else None,
            "created_at": self.fields["created_at"].to_representation(instance.created_at),
        }


class TariffChange(KnownOnly):
    """What of a tariff can be changed by itself; its prices change by a new version."""

    name = Text(max_length=120, required=False)
    is_default = Flag(required=False, help_text="Only true: another tariff is made the default instead.")
    retired = Flag(required=False, help_text="True: it is not to be chosen or assigned any more. False: it is brought back.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Say what to change: name, is_default or retired.")
        return attrs


class VersionRow(Rows):
    """What a tariff is from a moment on."""

    tariff = serializers.IntegerField(source="tariff_id")
    ocpi = Ocpi()
    sentence = serializers.SerializerMethodField(help_text="As drivers read it, tax included.")
    created_by = serializers.CharField(source="created_by.email", default=None, allow_null=True)

    class Meta:
        model = TariffVersion
        fields = read_only_fields = [
            *("id", "tariff", "number", "valid_from", "ocpi", "sentence", "note", "created_by", "created_at"),
        ]

    def get_sentence(self, row: TariffVersion) -> str:
        return prices.price_of(series.parse(choosing.as_ocpi(row))).sentence


class NewVersion(KnownOnly):
    """How a tariff changes."""

    ocpi = Ocpi()
    valid_from = Moment(required=False, help_text="From when on; from now, if it is left out. Never in the past.")
    note = Text(max_length=200, required=False, allow_blank=True)


class AssignmentRow(KnownOnly):
    """Where and for whom a tariff applies: at most one place, else the whole network."""

    id = serializers.IntegerField(read_only=True)
    tariff = serializers.IntegerField(source="tariff_id", min_value=1, max_value=2**63 - 1)
    site = serializers.IntegerField(source="site_id", required=False, allow_null=True, min_value=1, max_value=2**63 - 1)
    station = Text(source="station.identity", required=False, allow_null=True, max_length=48)
    evse = serializers.IntegerField(
        source="evse_id", required=False, allow_null=True, min_value=1, max_value=2**63 - 1, help_text="The id of an EVSE."
    )
    audience = serializers.ChoiceField(choices=Audience.choices, required=False, allow_blank=True)
    group = Text(source="group.name", required=False, allow_null=True, max_length=255)
    created_at = Moment(read_only=True)


class TariffFilters(filters.Filters):
    is_default = filters.YesNoFilter()
    currency = filters.filters.CharFilter()
    retired = filters.YesNoFilter(
        "retired_at", "isnull", exclude=True, help_text="those that are not to be chosen any more; left out, those that are"
    )

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data["retired"] in (True, False) else rows.filter(retired_at=None)


class VersionFilters(filters.Filters):
    tariff = filters.NumberFilter("tariff_id")


class AssignmentFilters(filters.Filters):
    looks_for = ("station",)

    tariff = filters.NumberFilter("tariff_id")
    station = filters.StationFilter()


def user_of(request: Request) -> User:
    user = request.user
    assert isinstance(user, User)  # MayUse lets nobody anonymous in
    if user.operator is None:
        raise serializers.ValidationError("You belong to no operator whose tariff this could be.")
    return user


@contextmanager
def as_things_stand(tariff: Tariff) -> Iterator[None]:
    """A refusal for how things stand is a conflict; one that is assigned says where."""
    try:
        yield
    except ValidationError as error:
        if getattr(error, "code", "") != retiring.STATE:
            raise
        where = [_where(one) for one in TariffAssignment.objects.filter(tariff=tariff).select_related(*WHERE)[:MOST_NAMED]]
        told = f" It is assigned: {'; '.join(where)}." if where else ""
        path = f" DELETE them at tariff-assignments/, which ?tariff={tariff.pk} lists." if where else ""
        raise Conflict(" ".join(error.messages) + told + path) from error


def _where(one: TariffAssignment) -> str:
    plug = f"{one.evse.station.identity} EVSE {one.evse.number}" if one.evse else ""
    place = plug or str(one.station or one.site or "the whole network")
    return f"{place} (id {one.pk})"


def named(rows: QuerySet[Any], field: str, **key: Any) -> Any:
    """What a body names. Raises ValidationError if it is not there."""
    found = rows.filter(**key).first()
    if found is None:
        raise serializers.ValidationError({field: [f"There is no such {field} in your network."]})
    return found


class TariffView(mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, Lists):
    """What charging costs, without tax. Prices change by versions; what applied when a session started stays applied."""

    model = Tariff
    serializer_class = TariffRow
    filterset_class = TariffFilters
    orderings = {"name": ("name", "id")}
    change_verb = CHANGE

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        versions = TariffVersion.objects.order_by("valid_from").select_related("tariff")
        return queryset.prefetch_related(Prefetch("versions", versions))

    def perform_create(self, serializer: serializers.BaseSerializer[Any]) -> None:
        user = user_of(self.request)
        assert user.operator is not None
        given = {name: value for name, value in serializer.validated_data.items() if value is not None}
        if "ocpi" in given and (both := sorted(given.keys() & set(tariffs.SIMPLE))):
            raise serializers.ValidationError({both[0]: ["ocpi says all prices already: send one of the two."]})
        serializer.instance = tariffs.add_tariff(operator=user.operator, user=user, **given)

    @extend_schema(
        request=TariffChange,
        responses={200: TariffRow, 409: OpenApiResponse(description="It is the default, still assigned, or retired.")},
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Rename it, make it the default of the network, retire it or bring it back."""
        changed: Tariff = self.get_object()
        body = TariffChange(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        with transaction.atomic(), as_things_stand(changed):
            if "name" in given:
                retiring.rename(tariff=changed, name=given["name"])
            if given.get("retired") is False:
                retiring.bring_back(tariff=changed)
            if given.get("is_default"):
                tariffs.set_default_tariff(tariff=changed)
            elif "is_default" in given and changed.is_default:
                raise Conflict("It is the default: make another tariff the default instead.")
            if given.get("retired"):
                retiring.retire(tariff=changed)
        return Response(TariffRow(self.get_object()).data)

    @extend_schema(
        responses={
            204: None,
            200: OpenApiResponse(TariffRow, description="Sessions were billed by it: it is retired."),
            409: OpenApiResponse(description="It is the default, or still assigned: `detail` says where."),
        }
    )
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete it, if no session was billed by it; else retire it."""
        removed: Tariff = self.get_object()
        with as_things_stand(removed):
            kept = retiring.remove(tariff=removed)
        return Response(TariffRow(self.get_object()).data) if kept else Response(status=204)


class VersionsOfTariffView(mixins.CreateModelMixin, Lists):
    """The versions of a tariff."""

    model = TariffVersion
    serializer_class = VersionRow
    filterset_class = filters.Filters
    orderings = {"-number": ("number", "id")}
    change_verb = CHANGE

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        of = get_object_or_404(Tariff, pk=self.kwargs["pk"])
        return queryset.filter(tariff=of).select_related("tariff", "created_by")

    @extend_schema(request=NewVersion, responses={201: VersionRow})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the tariff from a moment on."""
        changed = get_object_or_404(Tariff, pk=kwargs["pk"])
        body = NewVersion(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            made = tariffs.add_version(tariff=changed, user=user_of(request), **body.validated_data)
        except ValidationError as error:
            raise conflict(error) from error
        return Response(VersionRow(made).data, status=201)


class VersionView(mixins.RetrieveModelMixin, mixins.DestroyModelMixin, Lists):
    """Versions of all tariffs; one that is not valid yet can be taken back."""

    model = TariffVersion
    serializer_class = VersionRow
    filterset_class = VersionFilters
    orderings = {"-id": ("id",)}
    change_verb = CHANGE

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("tariff", "created_by")

    @extend_schema(responses={204: None, 409: OpenApiResponse(description="It is valid, or has been.")})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: TariffVersion) -> None:
        if not tariffs.withdraw_version(version=instance):
            raise Conflict("It is valid, or has been: what applied stays applied. Add a new version instead.")


class AssignmentView(mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, Lists):
    """Where and for whom tariffs apply. For whom goes before where, the nearer place before the farther."""

    model = TariffAssignment
    serializer_class = AssignmentRow
    filterset_class = AssignmentFilters
    orderings = {"id": ("id",)}
    change_verb = CHANGE

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station", "group")

    def perform_create(self, serializer: serializers.BaseSerializer[Any]) -> None:
        user_of(self.request)
        asked = serializer.validated_data
        station, group = asked.get("station") or {}, asked.get("group") or {}
        given = {
            "tariff": named(Tariff.objects.all(), "tariff", pk=asked["tariff_id"]),
            "site": named(Site.objects.all(), "site", pk=asked["site_id"]) if asked.get("site_id") else None,
            "station": named(Station.objects.all(), "station", identity=station["identity"]) if station.get("identity") else None,
            "evse": named(Evse.objects.select_related("station"), "evse", pk=asked["evse_id"]) if asked.get("evse_id") else None,
            "audience": asked.get("audience", ""),
            "group": named(IdTokenGroup.objects.all(), "group", name=group["name"]) if group.get("name") else None,
        }
        try:
            serializer.instance = tariffs.assign(**given)
        except ValidationError as error:
            raise conflict(error) from error

    def perform_destroy(self, instance: TariffAssignment) -> None:
        tariffs.unassign(assignment=instance)
