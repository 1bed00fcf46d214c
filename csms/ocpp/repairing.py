"""A message that nobody understood, put right by a person and handled as if it had come so: once, and as received then."""

import time
from dataclasses import replace
from typing import Any

import orjson
import structlog
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from csms.ocpp import exchange, frames, mend, registry
from csms.ocpp.errors import MessageError
from csms.ocpp.exchange import Inbound
from csms.ocpp.masking import MASK
from stations.batch import of_one
from stations.domain.events import TransactionStarted
from stations.models import Connection, MessageLogEntry, RepairMessage, Transaction
from stations.services import repairs

#: As long as a frame may be.
LONGEST = 1 << 20

log = structlog.get_logger(__name__)


def protocol_of(message: RepairMessage) -> str:
    """What the station spoke; of a message kept before that was kept, what it spoke last."""
    if message.protocol:
        return message.protocol
    spoken = Connection.objects.filter(station=message.station_id).values_list("protocol", flat=True).first() or ""
    return spoken if spoken in registry.PROTOCOLS else registry.PROTOCOLS[-1]


def payload_of(message: RepairMessage) -> Any:
    """The payload as it came; None if the frame is cut or holds none."""
    try:
        frame = orjson.loads(message.frame)
    except orjson.JSONDecodeError:
        return None
    return frame[3] if isinstance(frame, list) and len(frame) > 3 else None


def written(message: RepairMessage, about: Transaction | None = None) -> str:
    """The payload as a person can change it; with `about`, as if it named that session."""
    payload = payload_of(message)
    if about is not None and isinstance(payload, dict):
        number: Any = about.ocpp_transaction_id
        if isinstance(payload.get("transactionInfo"), dict) or message.action == "TransactionEvent":
            info = payload.get("transactionInfo")
            payload = payload | {"transactionInfo": (info if isinstance(info, dict) else {}) | {"transactionId": number}}
        elif message.action != "StartTransaction" and number.isascii() and number.isdigit():
            payload = payload | {"transactionId": int(number)}
    return orjson.dumps(payload, option=orjson.OPT_INDENT_2).decode() if payload is not None else message.frame


def problems(message: RepairMessage, text: str) -> list[str]:
    """What is wrong with a payload, place by place; empty: it can be played. What can be mended is no problem."""
    try:
        _inbound(message, text)
    except ValidationError as error:
        return error.messages
    return []


def play(*, message: RepairMessage, text: str, reason: str) -> str:
    """Handle the message with this payload. Returns the answer that the station would have had.

    A start gets the id that the station was told then. Nothing is sent to the station, and nothing is added to the message log,
    which tells what was on the wire. Raises ValidationError if it cannot be understood, or was resolved before.
    """
    inbound = _inbound(message, text)
    call = inbound.call
    assert call is not None
    try:
        with of_one(message.station_id, now=timezone.now()) as batch:
            repairs.resolve(message=message, resolution="played", reason=reason)
            state = batch.states[message.station_id]
            # A state of this batch's own: whether the station is let in now does not matter to what it said then.
            state.accepted, state.strict = True, False
            needs = exchange.read(inbound, state)
            if inbound.error is not None:
                raise ValidationError({"payload": inbound.error.description})
            batch.look_up(needs)
            if isinstance(inbound.event, TransactionStarted) and inbound.event.transaction_id is None:
                told = _id_told(message)
                if told and not Transaction.objects.filter(station=message.station_id, ocpp_transaction_id=told).exists():
                    inbound.event = replace(inbound.event, transaction_id=told)
            answer = exchange.answer(inbound, batch)
            batch.added.pop(MessageLogEntry, None)
            if answer.startswith("[4"):
                raise ValidationError(_("It was refused: %(why)s") % {"why": orjson.loads(answer)[3]})
    except ValidationError:
        raise
    except Exception as error:
        log.exception("a message could not be played", station=message.station_id, message=message.pk)
        words = _("Handling it failed (%(error)s). That is a fault of this system; the message is kept, and nothing was changed.")
        raise ValidationError(words % {"error": type(error).__name__}) from error
    return answer


def _inbound(message: RepairMessage, text: str) -> Inbound:
    if len(text) > LONGEST:
        raise ValidationError({"payload": _("The text is too long: a frame has 1 MiB at most.")})
    try:
        payload = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        words = _("This is no JSON: %(why)s, in line %(line)s, at character %(column)s.")
        raise ValidationError({"payload": words % {"why": error.msg, "line": error.lineno, "column": error.colno}}) from error
    if not isinstance(payload, dict):
        raise ValidationError({"payload": _("A payload is an object: { … }.")})
    if f'"{MASK}"' in text:
        words = _("It holds a value that was masked (%(mask)s): put the right one in its place, or leave it out.")
        raise ValidationError({"payload": words % {"mask": MASK}})
    protocol = protocol_of(message)
    try:
        registry.incoming(protocol, message.action)
        mend.mend(protocol, message.action, payload, message.received_at)
    except MessageError as error:
        places = [sentence for _path, sentence in mend.violations(protocol, message.action, payload)]
        raise ValidationError({"payload": list(dict.fromkeys(places))[:20] or [error.description]}) from error
    frame = orjson.dumps([2, _message_id(message), message.action, payload]).decode()
    call = frames.parse(frame)
    assert isinstance(call, frames.Call)
    return Inbound(message.station_id, 0, protocol, call, frame, message.received_at, time.monotonic())


def _message_id(message: RepairMessage) -> str:
    try:
        known = orjson.loads(message.frame)[1]
    except (orjson.JSONDecodeError, IndexError, KeyError, TypeError):
        known = None
    return str(known) if isinstance(known, str | int) and known else f"repair-{message.pk}"


def _id_told(message: RepairMessage) -> str:
    """The id that the station was given for its start, and calls the session by."""
    try:
        told = orjson.loads(message.answer)[2].get("transactionId")
    except (orjson.JSONDecodeError, IndexError, KeyError, TypeError, AttributeError):
        return ""
    return str(told) if told else ""
