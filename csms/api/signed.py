"""What meters signed, for programs: the readings and what came of their check, the files for transparency software, the keys."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from billing import meterkeys
from billing.models import KeySource, MeterKey
from billing.signedmeter import CURVES, LONGEST_KEY, Verdict
from csms.api.errors import Conflict
from csms.api.fields import KnownOnly, Moment, Text, Whole
from csms.api.filters import Filters, NumberFilter, StationFilter, YesNoFilter, period
from csms.api.serializers import Rows
from csms.api.views import Lists, Scoped
from csms.files.signed import signed_file
from stations.models import Evse, SignedReading, Station, Transaction

VERDICTS = [(one.value, one.value) for one in Verdict]
FORMS = {"xml": "application/xml", "txt": "text/plain"}


class Register(serializers.Serializer[Any]):
    """A reading in a record, as it was signed."""

    at = serializers.DateTimeField(allow_null=True)
    clock = serializers.CharField(help_text="S synchronised, R relative, I informative, U unknown.")
    reason = serializers.CharField(help_text="B begin; E, L, R, A, P end; others see OCMF.")
    value = serializers.CharField(allow_null=True, help_text="As signed, with its decimals.")
    unit = serializers.CharField()
    obis = serializers.CharField()
    errors = serializers.CharField()  # type: ignore[assignment]  # a field, not what is wrong
    state = serializers.CharField(help_text="G: the meter works.")


@extend_schema_field(Register(many=True))
class Registers(serializers.JSONField):
    """The readings of a record, as they were read."""


class SignedReadingRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number")
    transaction = serializers.IntegerField(source="transaction_id", allow_null=True)
    verdict = serializers.ChoiceField(
        choices=VERDICTS, source="check_result.verdict", default=None, allow_null=True, help_text="Null: not checked yet."
    )
    reason = serializers.CharField(source="check_result.reason", default="", help_text="Why it is not verified.")
    key = serializers.IntegerField(
        source="check_result.key_id", default=None, allow_null=True, help_text="Of `meter-keys/`: with which it was checked."
    )
    meter_serial = serializers.CharField(source="check_result.meter_serial", default="")
    pagination = serializers.CharField(source="check_result.pagination", default="")
    readings = Registers(source="check_result.readings", default=list)  # type: ignore[arg-type]  # a list is JSON, too
    checked_at = Moment(source="check_result.checked_at", default=None, allow_null=True)

    class Meta:
        model = SignedReading
        fields = read_only_fields = [
            *("id", "station", "evse", "transaction", "at", "context", "encoding", "signing_method", "data", "public_key"),
            *("received_at", "verdict", "reason", "key", "meter_serial", "pagination", "readings", "checked_at"),
        ]


class SignedReadingFilters(Filters):
    looks_for = ("station", "verdict", "since", "until")

    station = StationFilter("station_id")
    transaction = NumberFilter("transaction_id")
    verdict = filters.ChoiceFilter("check_result__verdict", choices=VERDICTS)
    since, until = period("at").values()


class SignedReadingView(mixins.RetrieveModelMixin, Lists):
    """What meters signed, as stations sent it, and whether it is right."""

    model = SignedReading
    serializer_class = SignedReadingRow
    filterset_class: Any = SignedReadingFilters

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station", "check_result")


class Plain(JSONRenderer):
    """For whoever accepts such a file only; what goes wrong is told in JSON all the same."""

    media_type = FORMS["txt"]
    format = "txt"


class Xml(JSONRenderer):
    """The same of XML."""

    media_type = FORMS["xml"]
    format = "xml"


AS = OpenApiParameter(
    "as", {"type": "string", "enum": list(FORMS), "default": "xml"}, description="xml for transparency software, txt in plain."
)
FILE = {(200, kind): OpenApiResponse(OpenApiTypes.STR, description="The file.") for kind in FORMS.values()} | {
    404: OpenApiResponse(description="There is no such session, or its meter signed nothing.")
}


def file_of(transaction: Transaction | None, form: str) -> HttpResponseBase:
    """The download of a session. Raises NotFound, ParseError."""
    if form not in FORMS:
        raise ParseError(f"as: use one of {', '.join(FORMS)}.")
    answer = signed_file(transaction, form) if transaction else None
    if answer is None:
        raise NotFound("There is no such session, or its meter signed nothing.")
    return answer


class SignedFileView(Scoped):
    """What the meter signed of a session, as a file."""

    renderer_classes = [JSONRenderer, Xml, Plain]

    @extend_schema(operation_id="transactions_signed", parameters=[AS], responses=FILE)
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        """The file that transparency software opens, with the public key if it is known."""
        found: Transaction = get_object_or_404(Transaction.objects.all(), pk=pk)
        return file_of(found, request.query_params.get("as", "xml"))


class MeterKeyRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse.number", default=None, allow_null=True, help_text="Null: all of the station.")
    registered_by = serializers.EmailField(source="registered_by.email", default=None, allow_null=True)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a field of this name
        choices=KeySource.choices, help_text="Who says that it is the meter's."
    )

    class Meta:
        model = MeterKey
        fields = read_only_fields = [
            *("id", "station", "evse", "meter_serial", "public_key", "fingerprint", "curve", "source", "trusted", "note"),
            *("registered_by", "created_at", "retired_at"),
        ]


class NewMeterKey(KnownOnly):
    """A key as it is printed on the meter."""

    station = Text(max_length=48, help_text="Its identity.")
    public_key = Text(max_length=LONGEST_KEY, help_text="PEM; DER or a bare point in hex or Base64.")
    evse = Whole(min_value=1, max_value=32767, required=False, allow_null=True, help_text="Its number; else all of the station.")
    meter_serial = Text(max_length=50, required=False, allow_blank=True, default="")
    curve = serializers.ChoiceField(choices=list(CURVES), required=False, help_text="Of a bare point, which does not say it.")
    note = Text(max_length=200, required=False, allow_blank=True, default="")


class MeterKeyFilters(Filters):
    looks_for = ("station", "fingerprint", "trusted", "retired")

    station = StationFilter("station_id")
    fingerprint = filters.CharFilter(lookup_expr="istartswith")
    trusted = YesNoFilter()
    retired = YesNoFilter("retired_at", "isnull", exclude=True)


class MeterKeyView(mixins.RetrieveModelMixin, mixins.DestroyModelMixin, Lists):
    """The keys with which meters sign: registered by people, or sent by stations."""

    model = MeterKey
    serializer_class = MeterKeyRow
    filterset_class: Any = MeterKeyFilters
    change_verb = "stations.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station", "evse", "registered_by")

    @extend_schema(request=NewMeterKey, responses={201: MeterKeyRow})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Register the key of a meter. The newest sessions are checked with it."""
        body = NewMeterKey(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        station = Station.objects.filter(identity=given.pop("station")).first()
        if station is None:
            raise serializers.ValidationError({"station": ["There is no such station in your network."]})
        number = given.pop("evse", None)
        evse = Evse.objects.filter(station=station, number=number).first() if number is not None else None
        if number is not None and evse is None:
            raise serializers.ValidationError({"evse": ["The station has no EVSE of this number."]})
        made = meterkeys.register(station=station, evse=evse, user=_user(request), **given)
        return Response(MeterKeyRow(made).data, status=201)

    @extend_schema(request=None, responses={200: MeterKeyRow, 409: OpenApiResponse(description="It is trusted already.")})
    @action(detail=True, methods=["post"])
    def trust(self, request: Request, **kwargs: Any) -> Response:
        """Say that a key which the station sent is the meter's: somebody compared them."""
        if not meterkeys.trust(key=self.get_object(), user=_user(request)):
            raise Conflict("It is registered and trusted already.")
        return Response(MeterKeyRow(self.get_object()).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Retire it: the meter was exchanged. Sessions that began before are still checked with it."""
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: MeterKey) -> None:
        meterkeys.retire(key=instance)


def _user(request: Request) -> User | None:
    return request.user if isinstance(request.user, User) else None
