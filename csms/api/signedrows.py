"""What the signed readings of a session come to, as programs are told."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.models import SignedSession
from billing.signedmodels import SESSION_VERDICTS
from csms.api.fields import Moment, Number


class Difference(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


@extend_schema_field(Difference(many=True))
class Differences(serializers.JSONField):
    """Where what is signed says something else than the session."""


class SignedRow(serializers.Serializer[SignedSession]):
    """What the signed readings of a session come to."""

    verdict = serializers.ChoiceField(choices=SESSION_VERDICTS)
    energy_wh = Number(allow_null=True, help_text="Null: the begin or the end is not among them.")
    readings = serializers.IntegerField()
    differences = Differences()
    checked_at = Moment()
