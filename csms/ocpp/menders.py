"""What is done about each kind of violation of a schema, by the kind's name. `csms.ocpp.mend` calls them, round by round.

A mender changes the payload in place and says what it did, or returns None: it cannot be mended. Never a guess: "1,5" is 1.5, "abc"
is no number, and a tag cut short would be somebody else's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from csms.ocpp import schemas, signedvalues, times
from csms.ocpp.words import SYNONYMS, UNKNOWN_VALUES

NUMBER = re.compile(r"\s*[+-]?\d{1,40}(?:[.,]\d{1,40})?(?:[eE][+-]?\d{1,3})?\s*\Z")
#: No number of OCPP is larger; beyond it a number is a mistake that must not be rounded into a plausible one.
LARGEST = 1e15
#: Marks a sampled value that cannot be read where the schema wants a number all the same; decoders skip it.
UNREADABLE = {"vendorId": "unreadable"}
YES_NO = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
#: Cut short, each of these would be another one's.
NEVER_CUT = ("idTag", "idToken", "additionalIdToken", "transactionId")
#: Texts for people, without which a message means the same.
REMARKS = {"info", "vendorId", "vendorErrorCode", "techInfo", "iccid", "imsi", "meterType", "meterSerialNumber", "signedMeterValue"}
#: The kind of token where a station sends the bare number, as 1.6 has it: that of most cards.
USUAL_TYPE = "ISO14443"


@dataclass(slots=True)
class Message:
    """What is being mended. `moved`: places in lists have changed, so the other errors of this round name wrong ones."""

    protocol: str
    action: str
    received_at: datetime
    moved: bool = False

    @property
    def now(self) -> str:
        return times.emit(self.received_at)

    @property
    def nothing_sampled(self) -> list[dict[str, Any]]:
        """A list of sampled values that fits the schema and of which decoders read none."""
        return [{"value": ""} if self.protocol == "ocpp1.6" else {"value": 0, "customData": dict(UNREADABLE)}]


Mender = Callable[[Message, Any, list[Any], Any, Any], str | None]


def _now(message: Message) -> str:
    return message.now


def _nothing(message: Message) -> list[dict[str, Any]]:
    return message.nothing_sampled


#: A register that was not sent, where the schema wants a number: no meter says this, and decoders know it.
NO_REGISTER = -(10**15)
#: What stands in for a required property that is missing: a value, or a function of the message.
MISSING: dict[tuple[str, str], Any] = {
    ("StartTransaction", "meterStart"): NO_REGISTER,
    ("StopTransaction", "meterStop"): NO_REGISTER,
    ("StartTransaction", "timestamp"): _now,
    # Who pays is then nobody; which connector, the rule finds out where there is but one.
    ("StartTransaction", "idTag"): "",
    ("StartTransaction", "connectorId"): 0,
    ("StopTransaction", "timestamp"): _now,
    # As stations say it that do not know the id: it is attached to the session it fits.
    ("StopTransaction", "transactionId"): -1,
    ("StatusNotification", "errorCode"): "NoError",
    ("BootNotification", "chargePointModel"): "unknown",
    ("BootNotification", "chargePointVendor"): "unknown",
    ("MeterValues", "timestamp"): _now,
    ("MeterValues", "meterValue"): lambda message: [{"timestamp": message.now, "sampledValue": message.nothing_sampled}],
    ("MeterValues", "sampledValue"): _nothing,
    # Decoders skip an empty value.
    ("MeterValues", "value"): "",
    ("StopTransaction", "value"): "",
    ("StopTransaction", "sampledValue"): _nothing,
    ("StopTransaction", "meterValue.timestamp"): _now,
    # 2.0.1
    ("BootNotification", "reason"): "Unknown",
    ("BootNotification", "vendorName"): "unknown",
    ("BootNotification", "model"): "unknown",
    ("StatusNotification", "timestamp"): _now,
    # Whoever only asks may ask again; a session is not lost for the kind of its token.
    ("TransactionEvent", "type"): USUAL_TYPE,
    ("TransactionEvent", "timestamp"): _now,
    ("TransactionEvent", "triggerReason"): "Trigger",
    ("TransactionEvent", "seqNo"): 0,
    ("TransactionEvent", "sampledValue"): _nothing,
    ("TransactionEvent", "value"): "",
    ("NotifyEvent", "generatedAt"): _now,
    ("NotifyEvent", "timestamp"): _now,
    ("NotifyEvent", "seqNo"): 0,
    ("NotifyEvent", "eventId"): 0,
    ("NotifyEvent", "trigger"): "Delta",
    ("NotifyEvent", "eventNotificationType"): "HardWiredNotification",
    ("NotifyReport", "generatedAt"): _now,
    ("NotifyReport", "seqNo"): 0,
    ("NotifyReport", "dataType"): "string",
    ("NotifyReport", "supportsMonitoring"): False,
}
#: A message of which only this is there says nothing: a stop that could end any session waits for a person.
NOTHING_SAID: dict[str, dict[str, Any]] = {
    "StartTransaction": {"connectorId": 0, "idTag": "", "meterStart": NO_REGISTER},
    "StopTransaction": {"transactionId": -1, "meterStop": NO_REGISTER},
}


def _type(message: Message, parent: Any, path: list[Any], value: Any, kind: Any) -> str | None:
    if not path:
        return None
    if value is None:
        return _absent(message, parent, path, "was null; taken as absent")
    if isinstance(value, str) and not value.strip() and path[-1] != "value":
        return _absent(message, parent, path, "was empty; taken as absent")
    for wanted in kind.types:
        coerced = _coerced(value, wanted)
        if coerced is not None:
            parent[path[-1]] = coerced
            return f"was {_kind_of(value)}, read as {wanted}"
    return _of_another_shape(message, parent, path, value, kind.types)


def _of_another_shape(message: Message, parent: Any, path: list[Any], value: Any, types: list[str]) -> str | None:
    """What means something where it stands, though not as a value of the type."""
    name, number = path[-1], "number" in types or "integer" in types
    bare = isinstance(value, str | int | float) and not isinstance(value, bool)
    if "number" in types and path[-3:-2] == ["sampledValue"] and name == "value":
        # As an empty value, which decoders skip, where values are numbers.
        parent.clear()
        parent |= {"value": 0, "customData": dict(UNREADABLE)}
        return f"no number ({_kind_of(value)}); left out"
    if "object" in types and bare and path[-2:-1] == ["sampledValue"]:
        parent[name] = {"value": value}
        return "a sampled value stood without its properties"
    if "object" in types and bare and name in ("idToken", "groupIdToken") and message.action != "Authorize":
        parent[name] = {"idToken": str(value), "type": USUAL_TYPE}
        return f"a token stood without its type; read as {USUAL_TYPE}"
    if number and name == "transactionId":
        # No id of ours: as if the station knew none.
        if message.action == "StopTransaction":
            parent[name] = -1
            return "is no id of a transaction; taken as unknown"
        return _absent(message, parent, path, "is no id of a transaction; taken as absent")
    return _absent(message, parent, path, f"cannot be read ({_kind_of(value)}); left out") if name in REMARKS else None


def _coerced(value: Any, wanted: str) -> Any:
    """The value as the type wanted, or None."""
    if wanted == "array":
        if isinstance(value, dict) and value and all(name.isdigit() for name in value):
            return list(value.values())
        return [value] if isinstance(value, dict | str | int | float) else None
    if isinstance(value, list) and len(value) == 1 and wanted in ("object", "string"):
        inner = value[0]
        return inner if isinstance(inner, dict if wanted == "object" else str) else None
    if wanted == "string" and isinstance(value, bool):
        return "true" if value else "false"
    if wanted == "string" and isinstance(value, int | float):
        return repr(value)
    if wanted in ("integer", "number"):
        if isinstance(value, str) and NUMBER.match(value):
            value = float(value.replace(",", ".")) if re.search(r"[.,eE]", value) else int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST < value < LARGEST:
            return None
        return round(value) if wanted == "integer" else value
    if wanted == "boolean" and isinstance(value, str | int):
        return YES_NO.get(str(value).strip().lower())
    return None


def _extra(message: Message, parent: Any, path: list[Any], value: Any, kind: Any) -> str | None:
    """Unknown properties: those that are only spelt otherwise get their name, the others are left out."""
    known = spellings(message.protocol, message.action)
    renamed, left = [], []
    for name in list(kind.unexpected):
        proper = known.get(plain(name))
        if proper and proper != name and proper not in value:
            value[proper] = value.pop(name)
            renamed.append(f"{name[:40]!r} read as {proper!r}")
        else:
            value.pop(name, None)
            left.append(name)
    if left:
        renamed.append(f"unknown properties left out: {', '.join(left)[:150]}")
    return "; ".join(renamed)[:300]


@cache
def spellings(protocol: str, name: str) -> dict[str, str]:
    """The names of all properties in a schema, by what is left of them without case and punctuation; none that two names share."""
    found: dict[str, set[str]] = {}

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            for key, inner in node.items():
                if key == "properties" and isinstance(inner, dict):
                    for one in inner:
                        found.setdefault(plain(one), set()).add(one)
                collect(inner)
        elif isinstance(node, list):
            for inner in node:
                collect(inner)

    collect(schemas.schema(protocol, name))
    return {key: next(iter(names)) for key, names in found.items() if len(names) == 1}


def _enum(message: Message, parent: Any, path: list[Any], value: Any, kind: Any) -> str | None:
    if not path or not isinstance(value, str):
        return None
    if not value.strip():
        return _absent(message, parent, path, "was empty; taken as absent")
    said = plain(value)
    meant = next((option for option in kind.options if isinstance(option, str) and plain(option) == said), None)
    meant = meant or next((word for word in SYNONYMS.get(said, ()) if word in kind.options), None)
    if meant is not None:
        parent[path[-1]] = meant
        return f"{value[:40]!r} read as {meant!r}"
    if path[-3:-2] == ["sampledValue"]:
        # A vendor's own measurand, unit, context or phase.
        if path[-1] == "measurand":
            unit = str(parent.get("unit"))[:10]
            parent["value"] = ""
            del parent["measurand"]
            return f"unknown measurand {value[:40]!r} (unit {unit!r}) left out"
        return _absent(message, parent, path, f"unknown value {value[:40]!r} left out")
    if path[-1] in UNKNOWN_VALUES:
        others = UNKNOWN_VALUES[path[-1]]
        if others is None:
            return _absent(message, parent, path, f"unknown value {value[:40]!r} left out")
        other = next((one for one in others if one in kind.options), None)
        if other is not None:
            parent[path[-1]] = other
            return f"unknown {value[:40]!r} read as {other!r}"
    return None


def _length(message: Message, parent: Any, path: list[Any], value: Any, kind: Any) -> str | None:
    if not path or path[-1] in NEVER_CUT:
        return None
    if path[-2:] == ["signedMeterValue", "signedMeterData"]:
        # Cut short, its signature would be wrong.
        parent |= {"signedMeterData": "", "customData": {"vendorId": signedvalues.WHOLE, "signedMeterData": value}}
        return f"{len(value)} characters are more than {kind.limit}; taken whole"
    parent[path[-1]] = value[: kind.limit]
    return f"{len(value)} characters cut to {kind.limit}"


def _missing(message: Message, parent: Any, path: list[Any], value: Any, kind: Any) -> str | None:
    name = kind.property
    key = (message.action, name)
    if path[-1:] == ["signedMeterValue"] and name != "signedMeterData":
        value[name] = ""
        return f"required {name!r} was missing"
    if message.action == "StopTransaction" and path and name == "timestamp":
        key = (message.action, "meterValue.timestamp")
    if name == "connectorId" and "evseId" in value:
        value[name] = 1
        return "required 'connectorId' was missing; taken as 1"
    if key in MISSING:
        stand_in = MISSING[key]
        value[name] = stand_in(message) if callable(stand_in) else stand_in
        return f"required {name!r} was missing"
    # An empty object for something optional; of one that must be there, its own absence is found next.
    return _absent(message, parent, path, "was an empty object; taken as absent") if path and not value else None


def _few(message: Message, parent: Any, path: list[Any], value: Any, kind: Any) -> str | None:
    """An empty list where at least one element is due: as if it were absent."""
    return _absent(message, parent, path, "was an empty list; taken as absent") if path and not value else None


def _many(message: Message, parent: Any, path: list[Any], value: Any, kind: Any) -> str | None:
    del value[kind.limit :]
    return f"more than {kind.limit} elements; the others left out"


def _step(message: Message, parent: Any, path: list[Any], value: Any, kind: Any) -> str | None:
    """A limit of an answer with more decimals than 1.6 has."""
    parent[path[-1]] = round(value, 1)
    return "rounded to one decimal"


def _absent(message: Message, parent: Any, path: list[Any], why: str) -> str | None:
    if isinstance(parent, dict):
        del parent[path[-1]]
        return why
    if isinstance(parent, list):
        parent[:] = [one for number, one in enumerate(parent) if number != path[-1] and one is not None]
        message.moved = True
        return why
    return None


def plain(text: str) -> str:
    return re.sub(r"[\s._-]", "", text).lower()


def _kind_of(value: Any) -> str:
    return {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")


MENDERS: dict[str, Mender] = {
    "type": _type,
    "additionalProperties": _extra,
    "enum": _enum,
    "maxLength": _length,
    "required": _missing,
    "minItems": _few,
    "maxItems": _many,
    "multipleOf": _step,
}
