"""What happens to a message, told once for all versions: gate, validate (mend, validate), decode, handle, encode, validate, log.

`read` is pure and comes first for all messages of a batch, so that their look-ups can be asked together; `answer` acts.
"""

import re
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
import structlog

from csms.ocpp import errands, frames, mend, quirks, registry, schemas, signed
from csms.ocpp.errands import Answered
from csms.ocpp.errors import Code, HandlerFailed, InvalidPayload, MessageError, NotAcceptedYet, spelled
from csms.ocpp.masking import masked
from csms.ocpp.translator import Incoming
from stations import services
from stations.batch import Batch, Frame, clean
from stations.domain.events import Event
from stations.domain.values import Note, Severity
from stations.lookups import Need
from stations.models import MessageLogEntry, RepairMessage
from stations.state import StationState

log = structlog.get_logger(__name__)

#: A number that is whole, but is not written so.
WHOLE = re.compile(r"\d(?:\.0+|[eE]\+?\d+)\s*[,}\]]")


@dataclass(slots=True)
class Inbound:
    """A message of a station on its way: a CALL, or (without `call`) a frame that was none, to be logged with its note.

    `received` is the monotonic clock in seconds. The fields behind `received` are filled in by `read`.
    """

    station_id: int
    fence: int
    protocol: str
    call: frames.Call | None
    text: str
    received_at: datetime
    received: float
    answered: str = ""
    signatures: str | None = None
    translator: type[Incoming] | None = None
    clean: Any = None
    event: Event | None = None
    error: MessageError | None = None
    notes: list[Note] = field(default_factory=list)


Message = Inbound | Answered


def read(inbound: Message, station: StationState) -> Iterable[Need]:
    """Validate, mend and decode; returns what handling will need to look up."""
    if isinstance(inbound, Answered):
        return ()
    call = inbound.call
    if call is None or inbound.event is not None or inbound.error is not None:
        return services.needs(inbound.event, station) if inbound.event is not None else ()
    inbound.notes = list(call.notes)
    try:
        if inbound.notes and station.strict:
            raise InvalidPayload(Code.FORMAT_VIOLATION, inbound.notes[0].detail)
        call = inbound.call = _spelled(call, inbound, station)
        inbound.translator = translator = registry.incoming(inbound.protocol, call.action)
        payload = (
            mend.storable(call.payload, inbound.notes) if "\\u0000" in inbound.text or "\x00" in inbound.text else call.payload
        )
        if station.quirks:
            if not station.strict:
                payload = mend.named(inbound.protocol, call.action, payload, inbound.received_at, inbound.notes)
            payload = quirks.heard(station, inbound.protocol, call.action, payload, inbound.received_at, inbound.notes)
        if not schemas.validator(inbound.protocol, call.action).is_valid(payload):
            if station.strict:
                mend.validate(inbound.protocol, call.action, payload)
            payload, notes = mend.mend(inbound.protocol, call.action, payload, inbound.received_at)
            inbound.notes += notes
        if WHOLE.search(inbound.text):
            payload = mend.whole(payload)
        inbound.clean = payload
        inbound.event = translator.decode(payload, inbound.notes)
    except MessageError as error:
        # Without its trace, which leads back here: circles are looked for seldom (`garbage`), and a bad station makes many.
        inbound.error = error.with_traceback(None)
        return ()
    return services.needs(inbound.event, station)


def _spelled(call: frames.Call, inbound: Inbound, station: StationState) -> frames.Call:
    """The CALL with its action as OCPP spells it, if it is only spelt otherwise."""
    if call.action in schemas.actions(inbound.protocol):
        return call
    if call.action.endswith(signed.SUFFIX) and (said := signed.opened(call.payload)) is not None:
        if note := signed.checked(said, call.action[:50], station.signing_key):
            inbound.notes.append(note)
        action = call.action.removesuffix(signed.SUFFIX)
        # What is in it is kept as if it were said openly: in Base64 nobody would find its secrets, nor read the log.
        inbound.text, inbound.signatures = frames.call(call.message_id, action, orjson.Fragment(said.text)), said.kept
        return replace(call, action=action, payload=said.payload)
    if station.strict:
        return call
    proper = mend.spelled(inbound.protocol, call.action[:50])
    if proper is None:
        return call
    inbound.notes.append(Note("mended_action", proper, f"{call.action[:50]!r} read as {proper!r}"))
    return replace(call, action=proper)


def answer(inbound: Message, batch: Batch) -> str:
    """Act on a message that was read. Returns the frame to send, "" for none."""
    if isinstance(inbound, Answered):
        errands.settle(inbound, batch)
        return ""
    station = batch.states[inbound.station_id]
    batch.frame = _frame(inbound, station)
    call = inbound.call
    if call is None:
        for note in inbound.notes:
            batch.note(note)
        _log(batch, inbound, "", "")
        return ""
    if not station.accepted and call.action != "BootNotification" and not services.asked_for(inbound.event, batch):
        return _refuse(batch, inbound, call, NotAcceptedYet("The station is not accepted: send a BootNotification first."))
    if isinstance(inbound.error, InvalidPayload):
        return _invalid(batch, inbound, call, inbound.error)
    if inbound.error is not None:
        return _refuse(batch, inbound, call, inbound.error)
    try:
        assert inbound.event is not None
        assert inbound.translator is not None
        reply = services.handle(inbound.event, batch)
        payload = inbound.translator.encode(reply)
        if station.quirks:
            payload = quirks.answered(station, inbound.protocol, call.action, payload, inbound.received_at, inbound.notes)
        mend.validate(inbound.protocol, f"{call.action}Response", payload)
    except InvalidPayload as error:
        return _invalid(batch, inbound, call, error)
    except MessageError as error:
        return _refuse(batch, inbound, call, error)
    for note in inbound.notes:
        batch.note(note)
    text = frames.result(call.message_id, payload)
    _log(batch, inbound, text, "result")
    return text


def fail(inbound: Message, batch: Batch, error: BaseException) -> str:
    """The handler raised, or the rows could not be written. A transaction message is stored for repair and answered normally."""
    if isinstance(inbound, Answered):
        station = batch.states[inbound.station_id].identity
        about = {"station": station, "message_id": message_id(inbound), "command": inbound.errand.claimed.id}
        log.error("an answer failed", **about, exc_info=error)
        errands.give_up(inbound, batch)
        return ""
    batch.frame = _frame(inbound, batch.states[inbound.station_id])
    call = inbound.call
    log.error("message failed", station=batch.station.identity, action=call and call.action, exc_info=error)
    trace = "".join(traceback.format_exception(error))[-1500:]
    note = Note("handler_failed", call.action if call else "", trace, Severity.ERROR)
    if call is None:
        batch.note(note)
        return ""
    if inbound.translator is not None and inbound.translator.transactional and batch.station.accepted:
        return _store_for_repair(batch, inbound, call, note)
    batch.note(note)
    return _refuse(batch, inbound, call, HandlerFailed("The message could not be handled; the operator was told."), noted=True)


def _invalid(batch: Batch, inbound: Inbound, call: frames.Call, error: InvalidPayload) -> str:
    note = Note("payload_invalid", call.action, error.description, Severity.ERROR)
    transactional = inbound.translator is not None and inbound.translator.transactional
    if inbound.event is not None:
        # The station's payload was fine: the answer we made is not. Our fault.
        raise error
    if transactional and not batch.station.strict:
        return _store_for_repair(batch, inbound, call, note)
    batch.note(note)
    return _refuse(batch, inbound, call, error, noted=True)


def _store_for_repair(batch: Batch, inbound: Inbound, call: frames.Call, note: Note) -> str:
    """Nothing of a transaction is lost: the raw message is kept for repair and the station gets the smallest valid answer."""
    assert inbound.translator is not None
    transaction_id = str(batch.next_id("short_transaction_id"))
    text = frames.result(call.message_id, inbound.translator.salvage(transaction_id))
    batch.note(note)
    batch.add(
        RepairMessage,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        action=call.action,
        frame=clean(masked(inbound.text)),
        answer=text,
        reason=note.detail,
        received_at=inbound.received_at,
        protocol=inbound.protocol,
    )
    _log(batch, inbound, text, "result")
    return text


def _refuse(batch: Batch, inbound: Inbound, call: frames.Call, error: MessageError, *, noted: bool = False) -> str:
    code = spelled(error.code, inbound.protocol)
    text = frames.error(call.message_id, code, error.description)
    if not noted and error.code is not Code.SECURITY_ERROR:
        batch.note(Note(f"refused_{error.code.value}", clean(call.action)[:50], error.description, Severity.WARNING))
    _log(batch, inbound, text, code)
    return text


def _frame(inbound: Inbound, station: StationState) -> Frame:
    call = inbound.call
    return Frame(
        station,
        inbound.received_at,
        call.message_id if call else "",
        call.action if call else "",
        inbound.protocol,
    )


def stamp(batch: Batch) -> None:
    """Right before the flush: how long each message took until now, in microseconds."""
    now = time.monotonic()
    for row in batch.added[MessageLogEntry].values():
        row["handling_us"] = min(int((now - row["handling_us"]) * 1e6), 2**31 - 1)


def message_id(message: Message) -> str:
    """Of the call that it is, or answers; for the log."""
    if isinstance(message, Answered):
        return message.errand.message_id(1)
    return message.call.message_id if message.call else ""


def last_resort(inbound: Message) -> str:
    """What a station hears when not even its message's failure could be stored: nothing was kept, so it should send again."""
    if isinstance(inbound, Answered) or inbound.call is None:
        return ""
    code = spelled(Code.INTERNAL_ERROR, inbound.protocol)
    return frames.error(inbound.call.message_id, code, "The message could not be handled.")


def _log(batch: Batch, inbound: Inbound, answered: str, outcome: str) -> None:
    call = inbound.call
    row: dict[str, Any] = {
        "operator_id": batch.station.operator_id,
        "station_id": inbound.station_id,
        "direction": "in",
        "protocol": inbound.protocol,
        "message_id": clean(call.message_id)[: frames.MESSAGE_ID_LENGTH] if call else "",
        "action": clean(call.action)[:50] if call else "",
        "event": type(inbound.event).__name__ if inbound.event is not None else "",
        "outcome": outcome,
        "call": clean(masked(inbound.text)),
        "answer": masked(answered or inbound.answered),
        "received_at": inbound.received_at,
        # The monotonic clock at receipt, until `stamp` makes it the time from receipt to flush.
        "handling_us": inbound.received,
        "signatures": inbound.signatures,
    }
    batch.add(MessageLogEntry, **row)
