"""Where leniency lives: a payload that breaks its schema is mended by the schema's own errors (kind and path).

Each mend leaves a note, which becomes a finding; the payload is validated again after each round, so decoders see clean
payloads only. What cannot be understood is not guessed at: `InvalidPayload` says why. Field cases: mobilityhouse/ocpp#54,
#122, #273, #296; lbbrhzn/ocpp#210, #1144.
"""

import copy
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from csms.ocpp import schemas, times
from csms.ocpp.errors import Code, InvalidPayload
from stations.domain.values import Note

#: Each round mends what the one before brought to light (an object for a list, then what the object lacks).
ROUNDS = 8
NUMBER = re.compile(r"\s*[+-]?\d{1,40}(?:[.,]\d{1,40})?(?:[eE][+-]?\d{1,3})?\s*\Z")
#: No number of OCPP is larger; beyond it a number is a mistake that must not be rounded into a plausible one.
LARGEST = 1e15

#: What stations say for a value of an enumeration, in lower case without punctuation, where it is not the value itself.
SYNONYMS = {
    "celcius": "Celsius",
    "error": "OtherError",
    "none": "NoError",
    "noerrors": "NoError",
    "charge": "Charging",
    "occupied": "Preparing",
    "percentage": "Percent",
    "%": "Percent",
    "trigger": "Trigger",
    # 1.6's states where 2.x has but one (and where they are values of their own, they are found before).
    "preparing": "Occupied",
    "charging": "Occupied",
    "suspendedev": "Occupied",
    "suspendedevse": "Occupied",
    "finishing": "Occupied",
}

#: What an unknown value of an enumeration becomes, by the property's name, where a word for "another one" exists or the value
#: does not matter; None: the property is left out.
UNKNOWN_VALUES: dict[str, tuple[str, ...] | None] = {
    "errorCode": ("OtherError",),
    "reason": ("Other", "Unknown"),
    "stoppedReason": ("Other",),
    "triggerReason": ("Trigger",),
    "chargingState": None,
    "mutability": None,
    "dataType": ("string",),
}
#: Marks a sampled value that cannot be read where the schema wants a number all the same; decoders skip it.
UNREADABLE = {"vendorId": "unreadable"}

#: A register that was not sent, where the schema wants a number: no meter says this, and decoders know it.
NO_REGISTER = -(10**15)
#: What stands in for a required property that is missing: a value, or a function of the time of receipt.
MISSING: dict[tuple[str, str], Any] = {
    ("StartTransaction", "meterStart"): NO_REGISTER,
    ("StopTransaction", "meterStop"): NO_REGISTER,
    ("StartTransaction", "timestamp"): times.emit,
    ("StopTransaction", "timestamp"): times.emit,
    ("StatusNotification", "errorCode"): "NoError",
    ("BootNotification", "chargePointModel"): "unknown",
    ("BootNotification", "chargePointVendor"): "unknown",
    ("MeterValues", "timestamp"): times.emit,
    # Decoders skip an empty value.
    ("MeterValues", "value"): "",
    ("StopTransaction", "value"): "",
    ("StopTransaction", "meterValue.timestamp"): times.emit,
    # 2.0.1
    ("BootNotification", "reason"): "Unknown",
    ("BootNotification", "vendorName"): "unknown",
    ("BootNotification", "model"): "unknown",
    ("StatusNotification", "timestamp"): times.emit,
    ("TransactionEvent", "timestamp"): times.emit,
    ("TransactionEvent", "triggerReason"): "Trigger",
    ("TransactionEvent", "seqNo"): 0,
    ("TransactionEvent", "value"): "",
    ("NotifyEvent", "generatedAt"): times.emit,
    ("NotifyEvent", "timestamp"): times.emit,
    ("NotifyEvent", "seqNo"): 0,
    ("NotifyReport", "generatedAt"): times.emit,
    ("NotifyReport", "seqNo"): 0,
    ("NotifyReport", "dataType"): "string",
    ("NotifyReport", "supportsMonitoring"): False,
}

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
    sent, payload = payload, copy.deepcopy(payload)
    notes: list[Note] = []
    if payload is None or payload == []:
        notes.append(Note("mended_type", "", f"{'null' if payload is None else 'An empty list'} stood for an empty object."))
        payload = {}
    for _ in range(ROUNDS):
        errors = list(validator.iter_errors(payload))
        if not errors:
            return payload, notes
        for number, error in enumerate(errors):
            note = _mend_one(action, payload, error, received_at)
            if note is not None:
                notes.append(note)
            elif number == 0:
                raise _of_another_version(protocol, action, sent) or _invalid(error)
            else:
                break  # perhaps an earlier mend of this round mended it too; the next round will tell
    raise _invalid(errors[0])


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


def _mend_one(action: str, payload: Any, error: Any, received_at: datetime) -> Note | None:
    """Mend one violation in place. None: it cannot be mended."""
    path = list(error.instance_path)
    kind = error.kind
    mender = MENDERS.get(kind.name)
    if "customData" in path:
        return _without_custom_data(payload, path)
    if mender is None:
        return None
    if action == "TransactionEvent" and len(path) > 1 and isinstance(payload.get("timestamp"), str):
        # What lacks a time within an event happened when the event did.
        received_at = times.parse(payload["timestamp"], "", []) or received_at
    parent: Any = payload
    try:
        for step in path[:-1]:
            parent = parent[step]
        value = parent[path[-1]] if path else payload
    except (KeyError, IndexError, TypeError):
        # An earlier mend of this round took it away; the next round looks again.
        return Note("mended_removed", _dotted(path), "Removed together with the value it stood in.")
    detail = mender(action, parent, path, value, kind, received_at)
    return None if detail is None else Note(f"mended_{kind.name}", _dotted(path), detail)


def _without_custom_data(payload: Any, path: list[Any]) -> Note:
    """What a vendor adds of its own is not worth a refusal."""
    parent = payload
    for step in path[: path.index("customData")]:
        parent = parent[step]
    parent.pop("customData", None)
    return Note("mended_removed", _dotted(path), "The vendor's own data is not as the schema wants it; left out.")


def _mend_type(action: str, parent: Any, path: list[Any], value: Any, kind: Any, received_at: datetime) -> str | None:
    if not path:
        return None
    if value is None:
        return _remove(parent, path, "was null; taken as absent")
    for wanted in kind.types:
        coerced = _coerced(value, wanted)
        if coerced is not None:
            parent[path[-1]] = coerced
            return f"was {_kind_of(value)}, read as {wanted}"
    if "number" in kind.types and len(path) > 2 and path[-3] == "sampledValue" and path[-1] == "value":
        # As an empty value, which decoders skip, where values are numbers.
        parent.clear()
        parent |= {"value": 0, "customData": dict(UNREADABLE)}
        return f"no number ({_kind_of(value)}); left out"
    return None


def _coerced(value: Any, wanted: str) -> Any:
    """The value as the type wanted, or None. Never a guess: "1,5" is 1.5, "abc" is no number."""
    if wanted == "array" and isinstance(value, dict | str | int | float):
        return [value]
    if wanted == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    if wanted in ("integer", "number"):
        if isinstance(value, str) and NUMBER.match(value):
            value = float(value.replace(",", ".")) if re.search(r"[.,eE]", value) else int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST < value < LARGEST:
            return None
        return round(value) if wanted == "integer" else value
    if wanted == "boolean" and isinstance(value, str | int):
        return {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())
    if wanted == "object" and isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        return value[0]
    return None


def _mend_extra(action: str, parent: Any, path: list[Any], value: Any, kind: Any, received_at: datetime) -> str | None:
    names = list(kind.unexpected)
    for name in names:
        value.pop(name, None)
    return f"unknown properties left out: {', '.join(names)[:150]}"


def _mend_enum(action: str, parent: Any, path: list[Any], value: Any, kind: Any, received_at: datetime) -> str | None:
    if not path or not isinstance(value, str):
        return None
    plain = _plain(value)
    for option in kind.options:
        if isinstance(option, str) and _plain(option) == plain:
            parent[path[-1]] = option
            return f"{value[:40]!r} read as {option!r}"
    synonym = SYNONYMS.get(plain)
    if synonym in kind.options:
        parent[path[-1]] = synonym
        return f"{value[:40]!r} read as {synonym!r}"
    if len(path) > 2 and path[-3] == "sampledValue":
        # A vendor's own measurand, unit, context or phase: the value is kept under its own name, past the schema's list.
        if path[-1] == "measurand":
            siblings = parent.get("unit")
            return _remove_sample(parent, f"unknown measurand {value[:40]!r} (unit {str(siblings)[:10]!r}) left out")
        return _remove(parent, path, f"unknown value {value[:40]!r} left out")
    if path[-1] in UNKNOWN_VALUES:
        others = UNKNOWN_VALUES[path[-1]]
        if others is None:
            return _remove(parent, path, f"unknown value {value[:40]!r} left out")
        other = next((one for one in others if one in kind.options), None)
        if other is not None:
            parent[path[-1]] = other
            return f"unknown {value[:40]!r} read as {other!r}"
    return None


def _mend_length(action: str, parent: Any, path: list[Any], value: Any, kind: Any, received_at: datetime) -> str | None:
    # A token or a transaction id cut short would be somebody else's.
    if not path or path[-1] in ("idTag", "idToken", "additionalIdToken", "transactionId"):
        return None
    parent[path[-1]] = value[: kind.limit]
    return f"{len(value)} characters cut to {kind.limit}"


def _mend_missing(action: str, parent: Any, path: list[Any], value: Any, kind: Any, received_at: datetime) -> str | None:
    name = kind.property
    key = (action, name)
    if action == "StopTransaction" and path and name == "timestamp":
        key = (action, "meterValue.timestamp")
    stand_in = MISSING.get(key)
    if stand_in is None:
        return None
    value[name] = stand_in(received_at) if callable(stand_in) else stand_in
    return f"required {name!r} was missing"


def _mend_few(action: str, parent: Any, path: list[Any], value: Any, kind: Any, received_at: datetime) -> str | None:
    """An empty list where at least one element is due: as if it were absent."""
    return _remove(parent, path, "was an empty list; taken as absent") if path and not value else None


def _remove(parent: Any, path: list[Any], why: str) -> str | None:
    if isinstance(parent, dict):
        del parent[path[-1]]
        return why
    return None


def _remove_sample(sample: dict[str, Any], why: str) -> str:
    """Mark a sampled value as unreadable without disturbing its neighbours' indices: decoders skip an empty value."""
    sample["value"] = ""
    del sample["measurand"]
    return why


def _plain(text: str) -> str:
    return re.sub(r"[\s._-]", "", text).lower()


def _dotted(path: list[Any]) -> str:
    """A path for people and for counting: list positions do not matter."""
    return ".".join(step for step in path if isinstance(step, str))


def _kind_of(value: Any) -> str:
    return {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")


MENDERS: dict[str, Callable[[str, Any, list[Any], Any, Any, datetime], str | None]] = {
    "type": _mend_type,
    "additionalProperties": _mend_extra,
    "enum": _mend_enum,
    "maxLength": _mend_length,
    "required": _mend_missing,
    "minItems": _mend_few,
}
