"""Where leniency lives: a payload that breaks its schema is mended by the schema's own errors (kind and path).

Each mend leaves a note, which becomes a finding; the payload is validated again after each round, so decoders see clean
payloads only. What cannot be understood is not guessed at: `InvalidPayload` says why. Field cases: mobilityhouse/ocpp#54,
#122, #273, #296; lbbrhzn/ocpp#210, #1144.
"""

import copy
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from csms.ocpp import schemas, times
from csms.ocpp.errors import Code, InvalidPayload
from csms.ocpp.menders import LARGEST, MENDERS, NOTHING_SAID, UNREADABLE, Message, plain
from stations.domain.values import Note

__all__ = ["MENDERS", "UNREADABLE", "mend", "named", "spelled", "storable", "validate", "violations", "whole"]

#: Each round mends what the one before brought to light (an object for a list, then what the object lacks).
ROUNDS = 12

#: How a violation is told to the station if it cannot be mended.
CODES = {
    "required": Code.OCCURRENCE_CONSTRAINT_VIOLATION,
    "additionalProperties": Code.FORMAT_VIOLATION,
    "minItems": Code.OCCURRENCE_CONSTRAINT_VIOLATION,
    "maxItems": Code.OCCURRENCE_CONSTRAINT_VIOLATION,
    "type": Code.TYPE_CONSTRAINT_VIOLATION,
}


def validate(protocol: str, action: str, payload: Any) -> None:
    """Raise InvalidPayload at the first violation of the action's schema."""
    error = next(iter(schemas.validator(protocol, action).iter_errors(payload)), None)
    if error is not None:
        raise _invalid(error)


def violations(protocol: str, name: str, payload: Any) -> list[tuple[tuple[Any, ...], str]]:
    """Every place where a payload breaks its schema, as steps from the payload's root, and the rule it breaks there."""
    found: list[tuple[tuple[Any, ...], str]] = []
    for error in schemas.validator(protocol, name).iter_errors(payload):
        path, sentence = tuple(error.instance_path), _invalid(error).description
        unknown: list[str] = getattr(error.kind, "unexpected", [])
        found += [((*path, one), sentence) for one in unknown] or [(path, sentence)]
    return found


def mend(protocol: str, action: str, payload: Any, received_at: datetime) -> tuple[Any, list[Note]]:
    """The payload made to fit its schema, and a note for each change. Raises InvalidPayload for what cannot be understood.

    The payload given is not changed.
    """
    validator = schemas.validator(protocol, action)
    notes: list[Note] = []
    sent, payload = payload, _root(copy.deepcopy(payload), notes)
    for _ in range(ROUNDS):
        errors = list(validator.iter_errors(payload))
        if not errors:
            nothing = NOTHING_SAID.get(action)
            if notes and nothing and all(payload[name] == value for name, value in nothing.items()):
                last = next(reversed(nothing))
                lacks = f"the payload lacks the required property {last!r}, and all else that says what it is about."
                raise InvalidPayload(Code.OCCURRENCE_CONSTRAINT_VIOLATION, lacks)
            return payload, notes
        # A property that is only spelt otherwise must not be taken for missing.
        errors = [error for error in errors if error.kind.name == "additionalProperties"] or errors
        message, before = Message(protocol, action, received_at), len(notes)
        for error in errors:
            note = _mend_one(message, payload, error)
            notes += [note] if note is not None else []
            if message.moved:
                break
        if len(notes) == before:
            raise _of_another_version(protocol, action, sent) or _invalid(errors[0])
    raise _invalid(errors[0])


def named(protocol: str, action: str, payload: Any, received_at: datetime, notes: list[Note]) -> Any:
    """The payload with the names of its properties as OCPP spells them, so that what is done about a quirk finds them."""
    validator = schemas.validator(protocol, action)
    if validator.is_valid(payload):
        return payload
    payload = _root(copy.deepcopy(payload), notes)
    for _ in range(ROUNDS):
        errors = [error for error in validator.iter_errors(payload) if error.kind.name == "additionalProperties"]
        if not errors:
            break
        message = Message(protocol, action, received_at)
        notes += [note for note in (_mend_one(message, payload, error) for error in errors) if note is not None]
    return payload


def _root(payload: Any, notes: list[Note]) -> Any:
    """The payload as the object that it is to be, if it can be one."""
    if payload is None or payload == []:
        notes.append(Note("mended_type", "", f"{'null' if payload is None else 'An empty list'} stood for an empty object."))
        return {}
    if isinstance(payload, str) and payload.lstrip().startswith("{"):
        try:
            inner = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return payload
        notes.append(Note("mended_type", "", "The payload stood in a text."))
        return inner
    if isinstance(payload, list) and len(payload) == 1 and isinstance(payload[0], dict):
        notes.append(Note("mended_type", "", "The payload stood in a list."))
        return payload[0]
    return payload


@lru_cache(maxsize=256)
def spelled(protocol: str, action: str) -> str | None:
    """The action that is only spelt otherwise: other letters, other punctuation, "Request" or ".req" at its end."""
    known = {plain(one): one for one in schemas.actions(protocol)}
    said = plain(action)
    return next((known[one] for one in (said, said.removesuffix("request"), said.removesuffix("req")) if one in known), None)


def _of_another_version(protocol: str, action: str, payload: Any) -> InvalidPayload | None:
    """Some stations speak 1.6 on a 2.0.1 socket (lbbrhzn/ocpp#2008): they are told so."""
    for other in schemas.FOLDERS:
        of_its_own = other[:5] != protocol[:5] and action != "DataTransfer" and action in schemas.actions(other)
        if of_its_own and schemas.validator(other, action).is_valid(payload):
            said, spoken = other.removeprefix("ocpp"), protocol.removeprefix("ocpp")
            return InvalidPayload(Code.FORMAT_VIOLATION, f"This is a {action} of OCPP {said}; the connection speaks {spoken}.")
    return None


def whole(value: Any) -> Any:
    """The payload with whole numbers as integers: for JSON schemas 1.0 is one, for tables it is none."""
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST else value


def storable(payload: Any, notes: list[Note]) -> Any:
    """The payload without NUL characters, which PostgreSQL's text cannot hold."""
    if isinstance(payload, dict):
        return {storable(name, notes): storable(value, notes) for name, value in payload.items()}
    if isinstance(payload, list):
        return [storable(value, notes) for value in payload]
    if isinstance(payload, str) and "\x00" in payload:
        notes.append(Note("mended_nul", "", "NUL characters left out."))
        return payload.replace("\x00", "")
    return payload


def _invalid(error: Any) -> InvalidPayload:
    path = _dotted(error.instance_path) or "the payload"
    kind = error.kind.name
    # The message of a validator quotes the value; values can be secrets, so the sentence names the rule only.
    sentence = {
        "required": lambda: f"{path} lacks the required property {error.kind.property!r}.",
        "additionalProperties": lambda: f"{path} has unknown properties {', '.join(map(repr, error.kind.unexpected))[:120]}.",
        "type": lambda: f"{path} must be of type {' or '.join(error.kind.types)}.",
        "enum": lambda: f"{path} is none of the values allowed.",
        "maxLength": lambda: f"{path} is longer than {error.kind.limit} characters.",
    }.get(kind, lambda: f"{path} violates {kind!r}.")()
    return InvalidPayload(CODES.get(kind, Code.PROPERTY_CONSTRAINT_VIOLATION), sentence)


def _mend_one(message: Message, payload: Any, error: Any) -> Note | None:
    """Mend one violation in place. None: it cannot be mended."""
    path = list(error.instance_path)
    kind = error.kind
    mender = MENDERS.get(kind.name)
    if "customData" in path:
        # What a vendor adds of its own is not worth a refusal.
        path, mender = path[: path.index("customData") + 1], _left_out
    if mender is None:
        return None
    if message.action == "TransactionEvent" and len(path) > 1 and isinstance(payload.get("timestamp"), str):
        # What lacks a time within an event happened when the event did.
        message.received_at = times.parse(payload["timestamp"], "", []) or message.received_at
    parent: Any = payload
    try:
        for step in path[:-1]:
            parent = parent[step]
        value = parent[path[-1]] if path else payload
    except (KeyError, IndexError, TypeError):
        # An earlier mend of this round took it away; the next round looks again.
        return Note("mended_removed", _dotted(path), "Removed together with the value it stood in.")
    detail = mender(message, parent, path, value, kind)
    code = "mended_removed" if mender is _left_out else f"mended_{kind.name}"
    return None if detail is None else Note(code, _dotted(path), detail)


def _left_out(message: Message, parent: Any, path: list[Any], value: Any, kind: Any) -> str:
    del parent[path[-1]]
    return "The vendor's own data is not as the schema wants it; left out."


def _dotted(path: list[Any]) -> str:
    """A path for people and for counting: list positions do not matter."""
    return ".".join(step for step in path if isinstance(step, str))
