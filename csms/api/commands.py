"""Commands as programs see and ask them. No rule lives here: `stations.services.commands` has them."""

from typing import Any

import orjson
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from accounts.models import User
from csms.api.errors import Conflict
from csms.api.fields import KnownOnly, Text, Whole
from csms.api.permissions import demand
from csms.api.serializers import Rows
from csms.ocpp.masking import masked, params_shown
from stations.domain import commands
from stations.models import Command, Station
from stations.services import commands as life
from stations.services.commands import LONGEST_WAIT_S

LONGEST_KEY = 100


class Error(serializers.Serializer[Any]):
    """Why a command failed: the station's error, or ours."""

    code = serializers.CharField()
    description = serializers.CharField()


@extend_schema_field(Error(allow_null=True))
class Failure(serializers.Field[Command, Any, Any, Any]):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, value: Command) -> dict[str, str] | None:
        return {"code": value.error_code, "description": value.detail} if value.error_code else None


class CommandRow(Rows):
    station = serializers.CharField(source="station.identity")
    command = serializers.ChoiceField(choices=list(commands.COMMANDS), source="kind")
    params = serializers.SerializerMethodField(help_text="Secrets masked.")
    requested_by = serializers.EmailField(source="requested_by.email", default=None, allow_null=True)
    run = serializers.IntegerField(source="run_id", allow_null=True, help_text="Shared by those asked of many stations at once.")
    error = Failure()
    response = serializers.JSONField(read_only=True, allow_null=True, help_text="What the station answered; a list of several.")
    asked_then = serializers.CharField(
        source="facts.asked_then", default=None, allow_null=True, help_text="The command asked next because nothing was seen of it."
    )

    class Meta:
        model = Command
        fields = read_only_fields = [
            *("id", "station", "command", "params", "status", "reason", "requested_by", "created_at", "expires_at", "sent_at"),
            *("answered_at", "finished_at", "detail", "error", "response", "action", "run", "asked_then"),
        ]

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_params(self, row: Command) -> Any:
        return orjson.loads(masked(orjson.dumps(params_shown(row.kind, row.params)).decode()))


class Asked(KnownOnly):
    """What is asked of a station. `csms.api.schema` describes it for each command."""

    command = serializers.ChoiceField(
        choices=list(commands.COMMANDS),
        error_messages={"invalid_choice": f'There is no command "{{input}}". There are {", ".join(commands.COMMANDS)}.'},
    )
    params = serializers.DictField(default=dict)
    expires_in = Whole(min_value=1, max_value=LONGEST_WAIT_S, required=False, allow_null=True)
    reason = Text(max_length=200, required=False, allow_blank=True)


def key_of(request: Request) -> str | None:
    """The Idempotency-Key, if there is one."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY:
        raise ParseError(f"An Idempotency-Key has at most {LONGEST_KEY} characters.")
    return key or None


def ask(request: Request, station: Station, command: commands.Command, **options: Any) -> Command:
    """The command; with an Idempotency-Key that was used before it is the one of then, `repeated`."""
    key = key_of(request)
    # The view's own verb lets in whoever may send commands; some need more.
    demand(request, command.verb)
    user = request.user if isinstance(request.user, User) else None
    row = life.issue(station=station, command=command, user=user, idempotency_key=key, **options)
    # Secrets are sealed in the row, and gone once they were said.
    same = row.kind == command.kind and _said(type(command).of(row.params)) == _said(command)
    if row.station_id != station.pk or not same:
        raise Conflict(f"This Idempotency-Key was used for another command (id {row.pk}): use a new one for each command.")
    return row


def _said(command: commands.Command) -> dict[str, Any]:
    """What whoever asks says of a command, without its secrets."""
    return {name: value for name, value in command.without_secrets().items() if name not in command.ours}
