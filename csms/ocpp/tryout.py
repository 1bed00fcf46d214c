"""What would become of a frame: read as a station's would be, with nobody answered and nothing kept."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from csms.ocpp import exchange, frames, quirks, registry
from csms.ocpp.exchange import Inbound
from csms.ocpp.fixtures import as_json
from csms.ocpp.translator import Unsayable
from stations.domain.values import Note, Registration
from stations.state import StationState

#: A frame in an address.
LONGEST = 6000


@dataclass(slots=True)
class Tried:
    """`clean`: its payload as our rules see it; `event`: what it tells them. `error`: why neither is there."""

    action: str = ""
    clean: str = ""
    event: str = ""
    error: str = ""
    notes: list[Note] = field(default_factory=list)


def tried(text: str, protocol: str, odd: str, zone: str, *, strict: bool = False) -> Tried:
    """A CALL of a station that has these quirks; or one of ours to it."""
    try:
        frame = frames.parse(text)
    except frames.FrameError as error:
        return Tried(error=error.reason)
    if not isinstance(frame, frames.Call):
        return Tried(
            error="This is an answer; what can be tried is a CALL: [2, message id, action, payload].", notes=list(frame.notes)
        )
    if frame.action in registry.BY_ACTION[protocol] and frame.action not in registry.INCOMING[protocol]:
        return _ours(frame, protocol, odd)
    now = datetime.now(UTC)
    station = StationState(
        *(0, 0, "", 0, Registration.ACCEPTED, True, strict, 300, "", None, True), quirks="" if strict else odd, time_zone=zone
    )
    inbound = Inbound(0, 0, protocol, frame, text, now, 0.0)
    exchange.read(inbound, station)
    found = Tried(inbound.call.action if inbound.call else "", notes=inbound.notes)
    if inbound.error is not None:
        found.error = inbound.error.description
    if inbound.clean is not None:
        found.clean = _written(inbound.clean)
    if inbound.event is not None:
        found.event = _written(as_json(inbound.event))
    return found


def _ours(call: frames.Call, protocol: str, odd: str) -> Tried:
    payload = call.payload if isinstance(call.payload, dict) else {}
    try:
        calls, notes = quirks.sent(odd, protocol, call.action, [payload])
    except Unsayable as error:
        return Tried(call.action, error=str(error))
    return Tried(call.action, clean="\n".join(_written(one) for one in calls), notes=notes)


def _written(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
