"""The raw door: any CALL of a station's own OCPP version, as that version defines it, and what the station answers."""

import asyncio
import threading
import time
from typing import Any

from asgiref.sync import async_to_sync
from django.db import close_old_connections
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from csms.api.commands import Failure, ask
from csms.api.commandviews import IDEMPOTENCY_KEY
from csms.api.errors import Conflict
from csms.api.fields import KnownOnly
from csms.api.serializers import Rows
from csms.api.views import Scoped
from csms.db import run_in_db
from csms.ocpp import mend, registry, schemas
from csms.ocpp.errors import InvalidPayload
from csms.ocpp.translator import Outgoing
from stations.models import Command, CommandStatus, Station

LONGEST_WAIT_S, WAIT_S = 120, 30
#: Seconds between two looks at the row.
SOONEST, RAREST = 0.05, 0.1
UNANSWERED = (CommandStatus.QUEUED, CommandStatus.SENT)
#: How many requests of a process may wait at once. Whoever is one more is answered 202 without waiting.
waiting = threading.BoundedSemaphore(64)


class Waiting(KnownOnly):
    wait = serializers.IntegerField(
        min_value=0, max_value=LONGEST_WAIT_S, default=WAIT_S, help_text="How long to wait for the answer, in seconds."
    )


class Answer(Rows):
    command = serializers.IntegerField(source="id", help_text="To be found at `commands/<id>/`.")
    response = serializers.JSONField(read_only=True, allow_null=True)
    error = Failure()

    class Meta:
        model = Command
        fields = read_only_fields = ["command", "status", "response", "error"]


class RawView(Scoped):
    """Any CALL of the station's OCPP version."""

    change_verb = "commands.send"

    @extend_schema(
        parameters=[Waiting, IDEMPOTENCY_KEY],
        request={"application/json": {"type": "object", "additionalProperties": {}}},
        responses={
            200: OpenApiResponse(Answer, description="The station has answered, or never will."),
            202: OpenApiResponse(Answer, description="It has not answered within `wait` seconds."),
            **{400: OpenApiResponse(description="The payload breaks the version's schema.")},
            **{404: OpenApiResponse(description="No such station, or no such action to be sent.")},
            **{409: OpenApiResponse(description="Its version is not known, or the Idempotency-Key was used for another command.")},
        },
    )
    def post(self, request: Request, identity: str, action: str) -> Response:
        """Send a CALL with exactly this payload, and wait for the answer."""
        station: Station = get_object_or_404(Station.objects.select_related("connection"), identity=identity)
        protocol = station.connection.protocol
        if protocol not in registry.BY_ACTION:
            raise Conflict(f"{identity} never connected, so the OCPP version it speaks is not known.")
        translator = _translator(protocol, action)
        query = Waiting(data=request.query_params)
        query.is_valid(raise_exception=True)
        payload: Any = request.data
        try:
            mend.validate(protocol, action, payload)
        except InvalidPayload as error:
            raise ParseError(f"{protocol.removeprefix('ocpp')} {action}: {error.description}") from None
        command = translator.parse(payload)
        command.check()
        row = ask(request, station, command, raw={"action": action, "payload": payload})
        row = _answered(row, query.validated_data["wait"])
        return Response(Answer(row).data, status=202 if row.status in UNANSWERED else 200)


def _translator(protocol: str, action: str) -> type[Outgoing]:
    translator = registry.BY_ACTION[protocol].get(action)
    if translator is not None:
        return translator
    version = protocol.removeprefix("ocpp")
    if action not in schemas.actions(protocol):
        raise NotFound(f"OCPP {version} has no action {action}.")
    raise NotFound(f"{action} is what a station of OCPP {version} sends, not what it is asked.")


def _answered(row: Command, wait_s: int) -> Command:
    """The command as soon as the station has answered, or else after this time. Holds no database connection meanwhile."""
    if not wait_s or row.status not in UNANSWERED or not waiting.acquire(blocking=False):
        return row
    try:
        close_old_connections()
        # In the event loop, so that whoever hangs up ends the wait.
        async_to_sync(_until_answered)(row.pk, time.monotonic() + wait_s)
    finally:
        waiting.release()
    row.refresh_from_db()
    return row


async def _until_answered(pk: int, deadline: float) -> None:
    pause = SOONEST
    while (left := deadline - time.monotonic()) > 0:
        await asyncio.sleep(min(pause, left))
        if await run_in_db(_status, pk) not in UNANSWERED:
            return
        pause = min(pause * 1.1, RAREST)


def _status(pk: int) -> str:
    return Command.objects.values_list("status", flat=True).get(pk=pk)
