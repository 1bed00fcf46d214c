"""What a session, past or described, would cost under a tariff, with the lines that explain it."""

from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from billing import choosing, tariff, whatif
from billing.models import Tariff
from billing.whatif import LONGEST, MOST_SAMPLES
from csms.api.fields import Flag, KnownOnly, Moment, Text, Whole
from csms.api.views import Scoped
from stations.models import Transaction


class Amount(serializers.DecimalField):
    """A number or a text of digits, exact."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=20, decimal_places=6, min_value=0, **kwargs)


class OneSample(KnownOnly):
    """The energy since the start of the session. Power and current hold until the next sample."""

    at = Moment()
    energy_wh = Amount()
    power_w = Amount(required=False, allow_null=True)
    current_a = Amount(required=False, allow_null=True)


class OneReservation(KnownOnly):
    """What was reserved before; if it expired there is no session."""

    start = Moment()
    end = Moment()
    expired = Flag(default=False)


class DescribedSession(KnownOnly):
    """What happened, or might. Until `charging_end` (else until the end) the vehicle charges, after it is only parked."""

    start = Moment()
    end = Moment()
    time_zone = Text(max_length=80, default="UTC")
    samples = serializers.ListField(child=OneSample(), max_length=MOST_SAMPLES)
    charging_end = Moment(required=False, allow_null=True)
    reservation = OneReservation(required=False, allow_null=True)

    def validate(self, attrs: Any) -> tariff.Session:
        if attrs["end"] - attrs["start"] > LONGEST:
            raise ValidationError({"end": f"A session may last {LONGEST.days} days at most."})
        reserved = attrs.get("reservation")
        if reserved and reserved["end"] - reserved["start"] > LONGEST:
            raise ValidationError({"reservation": f"A reservation may last {LONGEST.days} days at most."})
        return tariff.Session(
            start=attrs["start"],
            end=attrs["end"],
            time_zone=attrs["time_zone"],
            samples=[tariff.Sample(**sample) for sample in attrs["samples"]],
            charging_end=attrs.get("charging_end") or attrs["end"],
            reserved=tariff.Reserved(**reserved) if reserved else None,
        )


class Question(KnownOnly):
    """A tariff and a session: one that is described, or a transaction."""

    tariff = serializers.DictField(help_text='An OCPI 2.2.1 Tariff object, or {"id": ...} of one of ours.')
    session = DescribedSession(required=False)
    transaction = Whole(min_value=1, max_value=2**63 - 1, required=False, help_text="The id of one of ours, instead of a session.")

    def validate(self, attrs: Any) -> Any:
        if ("session" in attrs) == ("transaction" in attrs):
            raise ValidationError({"session": "Describe the session, or name a transaction: one of the two is required."})
        return attrs


class PricedLine(serializers.Serializer[Any]):
    """A volume, in whole steps, at a price without tax; before minimum and maximum price."""

    dimension = serializers.ChoiceField(choices=[kind.value for kind in tariff.Dimension])
    volume = serializers.CharField()
    unit = serializers.CharField()
    price = serializers.CharField()
    cost_excl_tax = serializers.CharField()


class PricedSession(serializers.Serializer[Any]):
    """`total_incl_tax` is left out if no price that was used names a tax."""

    lines = PricedLine(many=True)
    total_excl_tax = serializers.CharField()
    total_incl_tax = serializers.CharField(required=False)
    currency = serializers.CharField()


class WhatIfView(Scoped):
    """What a session would cost. Nothing is kept."""

    change_verb = "view"

    @extend_schema(
        request=Question,
        responses={
            200: PricedSession,
            400: OpenApiResponse(description="It is no tariff, or no session, or the tariff has no price for one of its hours."),
            404: OpenApiResponse(description="There is no such tariff, or no such transaction."),
        },
    )
    def post(self, request: Request) -> Response:
        """Price a session."""
        question = Question(data=request.data)
        question.is_valid(raise_exception=True)
        asked = question.validated_data
        try:
            session = asked.get("session") or _past(asked["transaction"])
            ocpi, owner = _object(asked["tariff"], session.start)
            priced = whatif.priced(ocpi, session, operator_id=owner or getattr(request.user, "operator_id", None))
        except tariff.InvalidTariff as error:
            raise ValidationError({"tariff": [str(error)]}) from error
        except (tariff.InvalidSession, tariff.NoPrice) as error:
            raise ValidationError({"session": [str(error)]}) from error
        answer: dict[str, Any] = {
            "lines": [
                {
                    "dimension": line.dimension.value,
                    "volume": f"{line.volume:f}",
                    "unit": line.unit,
                    "price": f"{line.price:f}",
                    "cost_excl_tax": f"{line.cost_excl_tax:f}",
                }
                for line in priced.lines
            ],
            "total_excl_tax": f"{priced.total_excl_tax}",
        }
        if priced.total_incl_tax is not None:
            answer["total_incl_tax"] = f"{priced.total_incl_tax}"
        return Response(answer | {"currency": priced.currency})


class Named(KnownOnly):
    """One of our tariffs."""

    id = Whole(min_value=1, max_value=2**63 - 1)


def _object(given: dict[str, Any], at: datetime) -> tuple[dict[str, Any], int | None]:
    """The Tariff object that is given, or that of the version, valid then, of the tariff which is named, and whose it is.

    Raises Http404.
    """
    if given.keys() != {"id"}:
        return given, None
    named = Named(data=given)
    named.is_valid(raise_exception=True)
    known = get_object_or_404(Tariff, pk=named.validated_data["id"])
    version = choosing.version_at(list(known.versions.select_related("tariff").order_by("valid_from")), at)
    return (choosing.as_ocpi(version) if version else {}), known.operator_id


def _past(pk: int) -> tariff.Session:
    """A transaction of ours as it went. Raises Http404, InvalidSession."""
    return whatif.past(get_object_or_404(Transaction.objects.select_related("operator", "station__site", "site"), pk=pk))
