"""The message log as programs see it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from csms.api.fields import Wire
from csms.api.serializers import Rows
from stations.models import MessageLogEntry


class SignatureOfMessage(serializers.Serializer[Any]):
    """A JSON Web Signature's parts (RFC 7515), as they came."""

    protected = serializers.CharField(required=False)
    header = serializers.DictField(required=False)
    signature = serializers.CharField(required=False)


@extend_schema_field(SignatureOfMessage(many=True, allow_null=True))
class Signatures(Wire):
    """Of what the station signed. A tag that is hidden could be guessed by them."""

    def to_representation(self, value: str) -> Any:
        return None if self.context.get("hides_tags") else super().to_representation(value)


class MessageRow(Rows):
    station = serializers.CharField(source="station.identity")
    signatures = Signatures(help_text="Of what the station signed: the call, or its answer to ours; null: it signed nothing.")
    call = Wire()
    answer = Wire()
    transaction = serializers.IntegerField(source="of_transaction", allow_null=True, read_only=True, help_text="The session's id.")
    command = serializers.IntegerField(source="of_command", allow_null=True, read_only=True, help_text="The command's id.")
    findings = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="Codes of what was odd about it.")

    class Meta:
        model = MessageLogEntry
        fields = read_only_fields = [
            *("id", "station", "direction", "protocol", "message_id", "action", "event", "outcome", "call", "answer"),
            *("received_at", "handling_us", "transaction", "command", "findings", "signatures"),
        ]
