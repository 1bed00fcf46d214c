"""What transactions cost, and how a program corrects it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import corrections
from billing.models import ChargeRecord, Tariff
from csms.api import filters
from csms.api import serializers as rows
from csms.api.commands import key_of
from csms.api.commandviews import IDEMPOTENCY_KEY
from csms.api.fields import KnownOnly, Text, Whole
from csms.api.repairs import conflict
from csms.api.views import Lists


class NewCorrection(KnownOnly):
    """How a charge record is corrected."""

    reason = Text(max_length=300, help_text="Stands in both records, and in the audit.")
    pricing = serializers.ChoiceField(
        choices=corrections.PRICING,
        required=False,
        help_text="By the version that it had (same), by what is assigned now, or none: it is only credited.",
    )
    tariff = Whole(min_value=1, required=False, help_text="Price it under this tariff instead, in its version of the start.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "pricing" in attrs and "tariff" in attrs:
            raise serializers.ValidationError("Give pricing or tariff, not both.")
        return attrs


class CorrectionRow(serializers.Serializer[Any]):
    """What was made; both null: it costs the same, so nothing was made."""

    credit = rows.ChargeRecordRow(allow_null=True)
    charge = rows.ChargeRecordRow(allow_null=True)


class ChargeRecordView(mixins.RetrieveModelMixin, Lists):
    """What transactions cost. A record is never changed: a credit takes it back, and a new one comes after it."""

    model = ChargeRecord
    serializer_class = rows.ChargeRecordRow
    filterset_class: Any = filters.ChargeRecordFilters
    orderings = {"-created_at": ("created_at", "id")}
    change_verb = "billing.correct"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("transaction__station__site", "transaction__site", "tariff", "version", "credited_by")

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NewCorrection,
        responses={
            201: CorrectionRow,
            200: OpenApiResponse(CorrectionRow, description="Nothing to change; or it was asked for before, with this key."),
            409: OpenApiResponse(
                description="It is a credit, was credited before, its session is not trusted now, or the key was used for another."
            ),
        },
    )
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, **kwargs: Any) -> Response:
        """Credit it and price its session anew, as that is now. Where it comes to the same, nothing is made."""
        record, body = self.get_object(), NewCorrection(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        tariff = get_object_or_404(Tariff.objects.all(), pk=given["tariff"]) if "tariff" in given else None
        pricing = given.get("pricing", corrections.SAME)
        key = key_of(request) or ""
        try:
            made = corrections.correct(record=record, reason=given["reason"], pricing=pricing, tariff=tariff, request_key=key)
        except ValidationError as error:
            raise conflict(error) from error
        shown = {"credit": self._row(made.credit), "charge": self._row(made.charge)}
        return Response(CorrectionRow(shown).data, status=200 if made.repeated or made.credit is None else 201)

    def _row(self, made: ChargeRecord | None) -> ChargeRecord | None:
        """With what its serializer needs."""
        return None if made is None else self.get_queryset().get(pk=made.pk)
