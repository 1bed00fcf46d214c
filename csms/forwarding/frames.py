"""What of the message log goes to a second back end, and in what words. Pure: no socket, no table, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from csms.forwarding.models import Style
from csms.ocpp import frames, times
from csms.ocpp.forward import WORDINGS

#: The WebSocket sub-protocol of envelopes; a server need not know it.
ENVELOPES = "csms.mirror.1"
#: Who speaks in a DataTransfer that tells of a call to the station.
VENDOR = "org.csms.mirror"
#: What waits longer is let go of: samples and states soon, since newer ones say it better; the rest when it has become history.
SAMPLE_AGE, AGE = timedelta(minutes=15), timedelta(days=7)
#: Sessions of which their number is remembered, for each station.
MOST_NUMBERS = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the message log. `inward`: the station's own call."""

    id: int
    inward: bool
    protocol: str
    message_id: str
    action: str
    outcome: str
    call: str
    answer: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """What of it the other back end is to see."""

    style: str
    from_station: bool = True
    to_station: bool = False
    only: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()

    def wants(self, entry: Entry) -> bool:
        if not (self.from_station if entry.inward else self.to_station):
            return False
        if entry.protocol not in WORDINGS:
            return False
        if not entry.action and self.style == Style.OCPP:
            return False  # no message at all: of use to those only who look for what is wrong
        return entry.action in self.only if self.only else entry.action not in self.never


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it leaves. `message_id` empty: no answer is due, a pong will do. `ours`: what our own answer was."""

    text: str
    message_id: str = ""
    action: str = ""
    protocol: str = ""
    ours: Any = None


@dataclass(frozen=True, slots=True)
class Unsaid:
    """It is not told: too old or unreadable ("dropped"), or about a session of which they know nothing ("unmatched")."""

    counter: str


def message_id(entry_id: int) -> str:
    """Unique for the station at that back end, and the same when it is sent again."""
    return f"m{entry_id}"


def is_stale(entry: Entry, now: datetime) -> bool:
    """Whether it waited too long. Samples and states go first, sessions last."""
    age = now - entry.received_at
    if age <= SAMPLE_AGE:
        return False
    if age > AGE:
        return True
    payload = _payload(entry.call)
    return entry.inward and isinstance(payload, dict) and WORDINGS[entry.protocol].is_sample(entry.action, payload)


def say(entry: Entry, station: str, style: str, numbers: Mapping[str, int]) -> Said | Unsaid:
    """The frame that tells of an entry."""
    if style == Style.ENVELOPE:
        return Said(envelope(entry, station))
    name = message_id(entry.id)
    if not entry.inward:
        told = {"at": times.emit(entry.received_at), "call": _json(entry.call), "answer": _json(entry.answer)}
        payload = {"vendorId": VENDOR, "messageId": entry.action, "data": orjson.dumps(told).decode()}
        return Said(frames.call(name, "DataTransfer", payload), name, "DataTransfer", entry.protocol)
    payload = _payload(entry.call)
    if not isinstance(payload, dict):
        return Unsaid("dropped")
    said = WORDINGS[entry.protocol].translated(entry.action, payload, numbers)
    if said is None:
        return Unsaid("unmatched")
    return Said(frames.call(name, entry.action, said), name, entry.action, entry.protocol, _result(entry.answer))


def envelope(entry: Entry, station: str) -> str:
    """A line of JSON with the call and its answer, as the message log has them."""
    return orjson.dumps(
        {
            "id": entry.id,
            "station": station,
            "protocol": entry.protocol,
            "direction": "from_station" if entry.inward else "to_station",
            "at": entry.received_at.isoformat().replace("+00:00", "Z"),
            "action": entry.action,
            "outcome": entry.outcome,
            "call": _json(entry.call),
            "answer": _json(entry.answer),
        }
    ).decode()


@dataclass(slots=True)
class Numbers:
    """Their numbers of our transactions, the newest last; the oldest are forgotten."""

    known: dict[str, int] = field(default_factory=dict)

    def learn(self, said: Said, theirs: Any) -> None:
        pair = WORDINGS[said.protocol].numbered(said.action, said.ours, theirs) if said.protocol else None
        if pair is not None:
            self.known.pop(pair[0], None)
            self.known[pair[0]] = pair[1]
            while len(self.known) > MOST_NUMBERS:
                del self.known[next(iter(self.known))]


def _payload(text: str) -> Any:
    try:
        frame = frames.parse(text)
    except frames.FrameError:
        return None
    return frame.payload if isinstance(frame, frames.Call) else None


def _result(text: str) -> Any:
    """The payload of our answer, if it was a result."""
    frame = _json(text)
    return frame[2] if isinstance(frame, list) and len(frame) == 3 and frame[0] == 3 else None


def _json(text: str) -> Any:
    """As JSON where it is, else as text; None for none."""
    try:
        found = orjson.loads(text) if text else None
        orjson.dumps(found)  # refuses what is nested too deeply
    except (ValueError, TypeError):
        return text
    return found
