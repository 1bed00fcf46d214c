"""The library of firmware, and the updates of stations, as programs see them."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from csms.api.commands import ask
from csms.api.commandviews import IDEMPOTENCY_KEY
from csms.api.errors import Conflict
from csms.api.fields import KnownOnly, Moment, Text, Whole
from csms.api.filters import Filters, NumberFilter, StationFilter, YesNoFilter, period
from csms.api.serializers import Rows
from csms.api.views import Lists
from csms.files import images
from stations.domain import commands
from stations.models import Firmware, FirmwareUpdate, Station, UpdateFailure, UpdateStatus
from stations.services import firmware
from stations.services.commands import LONGEST_WAIT_S


class FirmwareRow(Rows):
    file = serializers.CharField(source="name")
    signed = serializers.BooleanField(help_text="Whether it has a signature and the certificate for it.")

    class Meta:
        model = Firmware
        fields = read_only_fields = [
            *("id", "vendor", "model", "version", "file", "size", "sha256", "md5", "signed", "notes", "created_at", "withdrawn_at"),
        ]


class NewFirmware(serializers.Serializer[Any]):
    """An image to take in, as `multipart/form-data`."""

    file = serializers.FileField(allow_empty_file=True)
    vendor = serializers.CharField(max_length=50)
    model = serializers.CharField(max_length=50, required=False, help_text="Left out: for all models of the vendor.")
    version = serializers.CharField(max_length=100, help_text="Exactly as a station tells it in its BootNotification.")
    notes = serializers.CharField(max_length=2000, required=False)
    signature = serializers.CharField(max_length=2000, required=False, help_text="Base64.")
    signing_certificate = serializers.CharField(max_length=8000, required=False, help_text="PEM.")

    def to_internal_value(self, data: Any) -> Any:
        if unknown := set(data) - set(self.fields):
            raise serializers.ValidationError({"": [f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(self.fields)}."]})
        return super().to_internal_value(data)


class UpdateRow(Rows):
    station = serializers.CharField(source="station.identity")
    firmware = serializers.IntegerField(
        source="firmware_id", allow_null=True, help_text="Null: an address that is not the library's."
    )
    version = serializers.CharField(source="firmware.version", default=None, allow_null=True)
    command = serializers.IntegerField(source="command_id", allow_null=True)
    reason = serializers.ChoiceField(choices=UpdateFailure.choices, allow_blank=True, help_text="Why it failed; else empty.")
    steps = serializers.SerializerMethodField(help_text="What happened when, the oldest first.")

    class Meta:
        model = FirmwareUpdate
        fields = read_only_fields = [
            *("id", "station", "firmware", "version", "location", "command", "attempt", "status", "status_at", "reason", "detail"),
            *("signed", "firmware_before", "retrieve_at", "install_at", "bytes_served", "created_at", "finished_at", "steps"),
        ]

    def get_steps(self, row: FirmwareUpdate) -> list[dict[str, str]]:
        return [{"at": at, "status": status, "detail": detail} for at, status, detail in row.steps]


class NewUpdate(KnownOnly):
    """Which image a station shall take, and when."""

    firmware = Whole(min_value=1)
    retrieve_at = Moment(required=False, allow_null=True, help_text="When it is fetched; null: at once.")
    install_at = Moment(required=False, allow_null=True, help_text="When it is installed; null: once it is fetched.")
    signed = serializers.ChoiceField(choices=["auto", "yes", "no"], default="auto")
    reason = Text(max_length=200, required=False, allow_blank=True)
    expires_in = Whole(min_value=1, max_value=LONGEST_WAIT_S, required=False, allow_null=True)

    def command(self) -> commands.UpdateFirmware:
        given = self.validated_data
        times = {name: at.isoformat() for name in ("retrieve_at", "install_at") if (at := given.get(name))}
        return commands.UpdateFirmware(firmware=given["firmware"], retries=firmware.RETRIES, signed=given["signed"], **times)


class FirmwareFilters(Filters):
    vendor = filters.CharFilter("vendor", "iexact")
    model = filters.CharFilter("model", "iexact")
    version = filters.CharFilter("version", "iexact")
    withdrawn = YesNoFilter("withdrawn_at", "isnull", exclude=True)


class UpdatesOfStation(Filters):
    looks_for = ("firmware", "status", "open", "since", "until")

    firmware = NumberFilter("firmware")
    status = filters.ChoiceFilter(choices=UpdateStatus.choices)
    open = YesNoFilter("finished_at", "isnull", help_text="those that have not ended, or those that have")
    since, until = period("created_at").values()


class UpdateFilters(UpdatesOfStation):
    station = StationFilter("station")


class FirmwareView(mixins.RetrieveModelMixin, Lists):
    """Images of firmware that stations can be asked to take."""

    model = Firmware
    serializer_class = FirmwareRow
    filterset_class: Any = FirmwareFilters
    change_verb = "firmware.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

    def get_parsers(self) -> list[Any]:
        return [MultiPartParser()]

    @extend_schema(
        request={"multipart/form-data": NewFirmware},
        responses={201: FirmwareRow, 409: OpenApiResponse(description="The library has this version already.")},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take an image in, as `multipart/form-data`."""
        user = request.user if isinstance(request.user, User) else None
        operator = user.operator if user else None
        if operator is None:
            raise serializers.ValidationError("You belong to no operator whose firmware this could be.")
        body = NewFirmware(data=request.data)
        body.is_valid(raise_exception=True)
        told = dict(body.validated_data)
        upload = told.pop("file")
        with images.stored(upload.chunks(), operator_id=operator.pk) as stored:
            image = firmware.add_firmware(operator=operator, name=upload.name or "", user=user, **told, **stored)
        return Response(FirmwareRow(image).data, status=201)

    @extend_schema(request=None, responses={200: FirmwareRow, 409: OpenApiResponse(description="It was withdrawn before.")})
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, **kwargs: Any) -> Response:
        """Offer an image no more. Updates that are under way go on."""
        image: Firmware = self.get_object()
        if image.withdrawn_at is not None:
            raise Conflict(f"Firmware {image.pk} was withdrawn before.")
        firmware.withdraw(firmware=image)
        return Response(FirmwareRow(image).data)


class FirmwareUpdateView(mixins.RetrieveModelMixin, Lists):
    """Attempts to bring an image onto a station."""

    model = FirmwareUpdate
    serializer_class = UpdateRow
    filterset_class: Any = UpdateFilters
    change_verb = "firmware.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station", "firmware", "operator")

    @extend_schema(request=None, responses={200: UpdateRow, 409: OpenApiResponse(description="It has ended, or installs.")})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Take an update back that does not install yet."""
        update: FirmwareUpdate = self.get_object()
        if not firmware.cancel(update=update):
            raise Conflict(f"It is too late to take update {update.pk} back: it has ended, or the station installs.")
        return Response(UpdateRow(self.get_object()).data)


class FirmwareOfStationView(Lists):
    """Attempts to bring an image onto one station."""

    model = FirmwareUpdate
    serializer_class = UpdateRow
    filterset_class = UpdatesOfStation
    change_verb = "firmware.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(station=self.station()).select_related("station", "firmware")

    def station(self) -> Station:
        return get_object_or_404(Station.objects.all(), identity=self.kwargs["identity"])

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NewUpdate,
        responses={201: UpdateRow, 200: OpenApiResponse(UpdateRow, description="The update this Idempotency-Key was used for.")},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask a station to take an image; the same as its command `update_firmware`."""
        station = self.station()
        body = NewUpdate(data=request.data)
        body.is_valid(raise_exception=True)
        options = {name: body.validated_data[name] for name in ("reason", "expires_in") if name in body.validated_data}
        row = ask(request, station, body.command(), **options)
        update = get_object_or_404(self.get_queryset(), command=row)
        return Response(UpdateRow(update).data, status=200 if row.repeated else 201)
