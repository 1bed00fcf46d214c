"""Sessions in doubt put right, and messages that were not understood, as programs do it."""

from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.permissions import may
from csms.api.errors import Conflict
from csms.api.fields import KnownOnly, Moment, Text, Whole, Wire
from csms.api.filters import Filters, StationFilter, YesNoFilter, period
from csms.api.serializers import Rows, Values
from csms.api.views import Lists
from csms.ocpp import repairing
from stations.models import Repair, RepairMessage, Transaction
from stations.services import repairs
from stations.services.repairplans import STATE

FIXES = ("close", "attach", "recalculate", "accept", "write_off", "undo")
TAKES = ("started_at", "meter_start_wh", "stopped_at", "meter_stop_wh", "method")


class RepairRow(Rows):
    """What somebody decided about a session."""

    transaction = serializers.IntegerField(source="transaction_id")
    stop = serializers.IntegerField(source="orphan_id", allow_null=True, help_text="The stop that was attached.")
    params = Values(read_only=True)
    before = Values(read_only=True)
    after = Values(read_only=True)
    made_by = serializers.CharField(source="made_by.email", default=None, allow_null=True)

    class Meta:
        model = Repair
        fields = read_only_fields = [
            *("id", "transaction", "fix", "stop", "params", "before", "after", "reason", "made_by", "made_at", "undone_at"),
        ]


class Register(serializers.DecimalField):
    """A register in Wh."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=15, decimal_places=3, min_value=0, required=False, **kwargs)


class NewRepair(KnownOnly):
    """How a session is put right."""

    fix = serializers.ChoiceField(choices=FIXES)
    started_at = Moment(required=False, help_text="close: when it began, if its start is missing.")
    meter_start_wh = Register(help_text="close: the register when it began, if that is not known.")
    stopped_at = Moment(required=False, help_text="close: when it ended.")
    meter_stop_wh = Register(help_text="close: the register when it ended.")
    method = serializers.ChoiceField(
        choices=["span", "rises"], required=False, help_text="recalculate: the last register less the first, or what it rose by."
    )
    stop = Whole(min_value=1, required=False, help_text="attach: the transaction of which only the stop is known.")
    reason = Text(max_length=200, required=False, allow_blank=True, help_text="Needed for close and write_off.")


class RepairsOfTransactionView(Lists):
    """How a session was put right."""

    model = Repair
    serializer_class = RepairRow
    filterset_class = Filters
    change_verb = "transactions.repair"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(transaction=self.transaction()).select_related("made_by")

    def transaction(self, pk: int | None = None) -> Transaction:
        return get_object_or_404(Transaction.objects.all(), pk=self.kwargs["pk"] if pk is None else pk)

    @extend_schema(
        request=NewRepair,
        responses={
            201: RepairRow,
            200: OpenApiResponse(RepairRow, description="It was put right in this way before; or it is undone."),
            409: OpenApiResponse(description="The session waits for nobody, was billed, or has changed."),
        },
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Put it right. The same once more changes nothing."""
        transaction = self.transaction()
        body = NewRepair(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        user = request.user if isinstance(request.user, User) else None
        try:
            if given["fix"] == "undo":
                return Response(RepairRow(repairs.undo(transaction=transaction, reason=given.get("reason", ""))).data)
            row = repairs.repair(
                transaction=transaction,
                fix=given["fix"],
                params={name: given[name] for name in TAKES if name in given},
                orphan=self.transaction(given["stop"]) if "stop" in given else None,
                user=user,
                reason=given.get("reason", ""),
            )
        except ValidationError as error:
            raise conflict(error) from error
        return Response(RepairRow(row).data, status=200 if row.repeated else 201)


def conflict(error: ValidationError) -> Exception:
    """That things do not stand so that it could be done is 409; what is wrong with the request stays 400."""
    ones = [one for errors in error.error_dict.values() for one in errors] if hasattr(error, "error_dict") else error.error_list
    return Conflict(" ".join(error.messages)) if any(one.code == STATE for one in ones) else error


class RepairMessageRow(Rows):
    """A message about a session that could not be understood, and was answered all the same."""

    station = serializers.CharField(source="station.identity")
    frame = Wire()
    answer = Wire()
    resolution = serializers.ChoiceField(choices=["played", "discarded"], allow_blank=True, help_text="Empty while it waits.")

    class Meta:
        model = RepairMessage
        fields = read_only_fields = [
            *(
                "id",
                "station",
                "action",
                "protocol",
                "reason",
                "frame",
                "answer",
                "received_at",
                "resolved_at",
                "resolution",
                "note",
            ),
        ]


class RepairMessageFilters(Filters):
    looks_for = ("station", "since", "until")

    station = StationFilter("station_id")
    open = YesNoFilter("resolved_at", "isnull", help_text="those that wait, or those that were resolved")
    since, until = period("received_at").values()


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Payload(serializers.JSONField):
    """The payload of the message as it should have been."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Must be an object.")
        return orjson.dumps(super().to_internal_value(data)).decode()


class Played(KnownOnly):
    payload = Payload()
    reason = Text(max_length=200, required=False, allow_blank=True)


class Discarded(KnownOnly):
    reason = Text(max_length=200)


class RepairMessageView(mixins.RetrieveModelMixin, Lists):
    """Messages about sessions that could not be understood. They were answered, and wait to be put right."""

    model = RepairMessage
    serializer_class = RepairMessageRow
    filterset_class: Any = RepairMessageFilters
    change_verb = "transactions.repair"

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "hides_tags": not may(self.request.user, "tags.change")}

    @extend_schema(request=Played, responses={200: RepairMessageRow, 409: OpenApiResponse(description="It was resolved before.")})
    @action(detail=True, methods=["post"])
    def play(self, request: Request, **kwargs: Any) -> Response:
        """Handle it with this payload, once, as if it had come so then."""
        message, body = self.get_object(), Played(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            repairing.play(message=message, text=body.validated_data["payload"], reason=body.validated_data.get("reason", ""))
        except ValidationError as error:
            raise conflict(error) from error
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        request=Discarded, responses={200: RepairMessageRow, 409: OpenApiResponse(description="It was resolved before.")}
    )
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, **kwargs: Any) -> Response:
        """Say that it is not needed, and why."""
        message, body = self.get_object(), Discarded(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            repairs.discard(message=message, reason=body.validated_data["reason"])
        except ValidationError as error:
            raise conflict(error) from error
        return Response(self.get_serializer(self.get_object()).data)
