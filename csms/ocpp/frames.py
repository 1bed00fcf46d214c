"""OCPP-J frames: from text to one of four shapes and back (OCPP-J 1.6 4.2, 2.0.1 Part 4 section 4)."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from csms.ocpp import salvage
from stations.domain.values import Note, Severity

MAX_DEPTH = 64
#: OCPP-J: "Maximum of 36 characters, to allow for GUIDs". Longer ones are answered as they are.
MESSAGE_ID_LENGTH = 36
DESCRIPTION_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Call:
    """`notes`: what had to be put right to read it."""

    message_id: str
    action: str
    payload: Any
    notes: tuple[Note, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class CallResult:
    message_id: str
    payload: Any
    notes: tuple[Note, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class CallError:
    message_id: str
    code: str
    description: str
    details: Any
    notes: tuple[Note, ...] = field(default=(), compare=False)


Frame = Call | CallResult | CallError


class FrameError(Exception):
    """The text is no frame. `message_id` is "-1" where it cannot be read; `answerable` if a CALLERROR is due."""

    def __init__(self, reason: str, *, message_id: str = "-1", answerable: bool = True, unknown_type: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message_id = message_id
        self.answerable = answerable
        self.unknown_type = unknown_type


def parse(text: str) -> Frame:
    """Read a frame. Raises FrameError for anything else than a CALL, CALLRESULT or CALLERROR of the right shape."""
    if _deeper_than(text, MAX_DEPTH):
        raise FrameError(f"The frame is nested more than {MAX_DEPTH} deep.")
    notes: list[Note] = []
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        salvaged = salvage.read(text)
        if salvaged is None:
            raise FrameError(f"The frame is not JSON: {error}.") from None
        frame, wrong = salvaged
        notes.append(Note("frame_salvaged", "", wrong, Severity.WARNING))
    if not isinstance(frame, list) or not frame:
        raise FrameError("The frame is not a JSON array with a message type.")
    # What nearly all frames are, found four times faster than by what follows.
    if frame[0] == 2 and len(frame) == 4 and frame[1] and isinstance(frame[1], str) and isinstance(frame[2], str):
        return Call(frame[1], frame[2], frame[3], tuple(notes))
    return _shaped(_unwrapped(frame, notes), notes)


def _shaped(frame: list[Any], notes: list[Note]) -> Frame:
    match frame:
        case [3, str(message_id), payload]:
            return CallResult(message_id, payload, tuple(notes))
        case [4, str(message_id), *rest]:
            code, description, details = (*rest, None, None, None)[:3]
            told = details if isinstance(details, dict) else {}
            return CallError(message_id, str(code or ""), str(description or ""), told, tuple(notes))
        case [2, str(message_id) | int(message_id), str(action), *rest] if message_id != "" and not isinstance(message_id, bool):
            if isinstance(message_id, int):
                # Seen in the field: numbers for ids. Answered with the number as text.
                _mended(notes, "message id", "A number stood for the message id.")
            if not rest:
                _mended(notes, "payload", "The payload was left out; taken as empty.")
            elif len(rest) > 1:
                _mended(notes, "more", "There was more behind the payload; left out.")
            return Call(str(message_id), action, rest[0] if rest else {}, tuple(notes))
        case [2, *rest]:
            message_id = rest[0] if rest and isinstance(rest[0], str) and rest[0] else "-1"
            raise FrameError("A CALL is [2, message id, action, payload].", message_id=message_id)
        case [3 | 4, *_]:
            raise FrameError("A CALLRESULT is [3, message id, payload], a CALLERROR [4, message id, code, ...].", answerable=False)
    message_id = frame[1] if len(frame) > 1 and isinstance(frame[1], str) and frame[1] else "-1"
    kind = orjson.dumps(frame[0]).decode()[:20]
    raise FrameError(f"Unknown message type {kind}.", message_id=message_id, unknown_type=True)


def _unwrapped(frame: list[Any], notes: list[Note]) -> list[Any]:
    """Out of a list of its own, and with the message type as the number it is."""
    match frame:
        case [[2 | 3 | 4 | "2" | "3" | "4", _, _, *_] as inner]:
            frame = inner
            _mended(notes, "frame", "The frame stood in a list of its own.")
    if frame[0] in ("2", "3", "4"):
        frame = [int(frame[0]), *frame[1:]]
        _mended(notes, "message type", "A text stood for the message type.")
    return frame


def _mended(notes: list[Note], subject: str, detail: str) -> None:
    notes.append(Note("frame_mended", subject, detail))


def _deeper_than(text: str, limit: int) -> bool:
    """Whether brackets nest deeper than `limit`, counted before anything is built; text inside strings does not count."""
    if text.count("[") + text.count("{") <= limit:
        return False
    depth = 0
    in_string = escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif in_string:
            escaped = character == "\\"
            in_string = character != '"'
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > limit:
                return True
        elif character in "]}":
            depth -= 1
    return False


def call(message_id: str, action: str, payload: Any) -> str:
    return orjson.dumps([2, message_id, action, payload]).decode()


def result(message_id: str, payload: Any) -> str:
    return orjson.dumps([3, message_id, payload]).decode()


def error(message_id: str, code: str, description: str, details: dict[str, Any] | None = None) -> str:
    """A CALLERROR. `details` must be an object; the offending message is never echoed, since it may hold secrets."""
    return orjson.dumps([4, message_id, code, description[:DESCRIPTION_LENGTH], details or {}]).decode()
