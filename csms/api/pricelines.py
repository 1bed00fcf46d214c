"""What a price is made of, as it was stored."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class PriceLine(serializers.Serializer[Any]):
    """A part of what a transaction cost. Every number is a decimal string."""

    dimension = serializers.CharField(
        help_text="What is priced, in OCPI's words: FLAT, ENERGY, TIME, PARKING_TIME; RESERVATION, of what was reserved before; or "
        "what a limit adds: MIN_PRICE, MAX_PRICE."
    )
    volume = serializers.CharField(help_text="How much of it, in `unit`.")
    unit = serializers.CharField()
    price = serializers.CharField(help_text="Of one unit, without tax.")
    cost_excl_tax = serializers.CharField()
    vat_percent = serializers.CharField(
        required=False, allow_null=True, help_text="Null: the price names none. Records of before credits do not have it."
    )


@extend_schema_field(PriceLine(many=True))
class Lines(serializers.JSONField):
    """The lines of a charge record, as they were stored."""


class TaxOfRate(serializers.Serializer[Any]):
    """What was taxed at one rate. Every number is a decimal string."""

    percent = serializers.CharField()
    net = serializers.CharField()
    tax = serializers.CharField()


@extend_schema_field(TaxOfRate(many=True))
class Taxes(serializers.JSONField):
    """The taxes of a charge record by rate: they sum to its totals."""


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class Codes(serializers.JSONField):
    """Codes of findings."""
