"""OCPP-J frames: from text to one of four shapes and back (OCPP-J 1.6 4.2, 2.0.1 Part 4 section 4)."""

import json
from dataclasses import dataclass
from typing import Any

import orjson

MAX_DEPTH = 64
#: OCPP-J: "Maximum of 36 characters, to allow for GUIDs". Longer ones are answered as they are.
MESSAGE_ID_LENGTH = 36
DESCRIPTION_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Call:
    message_id: str
    action: str
    payload: Any


@dataclass(frozen=True, slots=True)
class CallResult:
    message_id: str
    payload: Any


@dataclass(frozen=True, slots=True)
class CallError:
    message_id: str
    code: str
    description: str
    details: Any


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
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        frame = _with_broken_characters(text)
        if frame is None:
            raise FrameError(f"The frame is not JSON: {error}.") from None
    if not isinstance(frame, list) or not frame:
        raise FrameError("The frame is not a JSON array with a message type.")
    # What nearly all frames are, found four times faster than by the patterns below.
    if frame[0] == 2 and len(frame) == 4 and frame[1] and isinstance(frame[1], str) and isinstance(frame[2], str):
        return Call(frame[1], frame[2], frame[3])
    match frame:
        case [3, str(message_id), payload]:
            return CallResult(message_id, payload)
        case [4, str(message_id), *rest]:
            code, description, details = (*rest, None, None, None)[:3]
            return CallError(message_id, str(code or ""), str(description or ""), details if isinstance(details, dict) else {})
        case [2, int(message_id), str(action), payload] if not isinstance(message_id, bool):
            # Seen in the field: numbers for ids. Answered with the number as text.
            return Call(str(message_id), action, payload)
        case [2, *rest]:
            message_id = rest[0] if rest and isinstance(rest[0], str) and rest[0] else "-1"
            raise FrameError("A CALL is [2, message id, action, payload].", message_id=message_id)
        case [3 | 4, *_]:
            raise FrameError("A CALLRESULT is [3, message id, payload], a CALLERROR [4, message id, code, ...].", answerable=False)
    message_id = frame[1] if len(frame) > 1 and isinstance(frame[1], str) and frame[1] else "-1"
    kind = orjson.dumps(frame[0]).decode()[:20]
    raise FrameError(f"Unknown message type {kind}.", message_id=message_id, unknown_type=True)


def _with_broken_characters(text: str) -> Any:
    """JSON that is fine but for halves of characters (a text cut in the middle of an emoji): those become "?".

    Such a frame may be a stop, and a stop must not be lost for the sake of a half character in a tag.
    """
    if "\\ud" not in text.lower():
        return None
    try:
        return orjson.loads(json.dumps(json.loads(text), ensure_ascii=False).encode(errors="replace"))
    except ValueError:
        return None


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
