"""Secrets never reach the message log: passwords, authorization keys, key codes, what stands for a login in an address, what a
station tells of a customer."""

import re
from typing import Any

import orjson

from stations.domain.addresses import without_secrets
from stations.domain.commands import COMMANDS

MASK = "***"
#: Text without any of these (in lower case) holds no secret; looked for before anything is parsed. An escape may hide a name.
NEEDLES = ("pass", "key", "simpin", '"pin"', "customer", "\\u00")
SECRET_NAMES = re.compile(r"password|authorization_?key|passphrase|^(?:sim_?)?pin$", re.IGNORECASE)
#: What names a person, and what a station tells of one (OCPP 2.0.1 N09): kept apart, for a bounded time.
PERSONAL_NAMES = {"customerIdentifier", "customer_identifier"}
PERSONAL = "NotifyCustomerInformation"
#: What is kept of a frame that names a secret but is no JSON: message type, message id and action.
READABLE = re.compile(r'\s*\[\s*\d\s*(?:,\s*"[^"]{0,50}"\s*){0,2}')

#: Where an id tag stands, also within JSON in a string. PostgreSQL reads this pattern as Python does.
TAGS = r'(\\*"(?:parentIdTag|idTag|idToken|additionalIdToken)\\*"\s*:\s*)(?:(\\*")((?:[^"\\]|\\.)*)|-?\d[\d.eE+-]*)'
TAG = re.compile(TAGS, re.IGNORECASE)
#: Of a tag at least twice as long the end is left, so that two can be told apart.
TAIL = 4


def masked(text: str) -> str:
    """The frame with every secret replaced."""
    if "://" in text or ":\\/" in text:
        text = without_secrets(text)
    lowered = text.lower()
    if not any(needle in lowered for needle in NEEDLES):
        return text
    try:
        frame = orjson.loads(text)
        hidden = _masked(frame)
    except (orjson.JSONDecodeError, RecursionError):
        return _without_structure(text)
    return text if hidden == frame else orjson.dumps(hidden).decode()


def params_shown(kind: str, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a command, for all who may see commands: a code that is typed in is nobody's to read, and neither is
    whom a command is about that needs a right of its own, also before it was sent."""
    command = COMMANDS.get(kind)
    if command is not None and command.verb == "customers.fetch":
        params = command(**params).without_secrets()
    return params | {"id_token": MASK} if params.get("id_token_type") == "KeyCode" else params


def without_tags(text: str) -> str:
    """A frame for those who may not see id tags. Whoever wants to can tell two tags apart, but not read one."""
    return TAG.sub(_tail, text)


def _tail(match: re.Match[str]) -> str:
    if match[2] is None:
        return f"{match[1]}0"  # a number, which it stays
    tag = match[3]
    return f"{match[1]}{match[2]}{MASK}{tag[-TAIL:] if len(tag) >= 2 * TAIL and tag.isalnum() else ''}"


def _without_structure(text: str) -> str:
    """Nobody can say where in such text a secret begins or ends."""
    if not SECRET_NAMES.search(text) and "keycode" not in text.lower():
        return text
    head = READABLE.match(text)
    return (head[0] if head else "") + MASK


def _masked(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 4 and value[2] == PERSONAL and isinstance(value[3], dict):
        return [*value[:3], _masked(value[3]) | ({"data": MASK} if value[3].get("data") else {})]
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, str):
        if value.isidentifier():
            return value  # a secret's name, perhaps
        # JSON inside a string, as in DataTransfer, or a vendor's own way to write a setting.
        return masked(value) if value.startswith(("{", "[")) else _without_structure(value)
    if not isinstance(value, dict):
        return value
    hidden = any(_names_a_secret(value.get(name)) for name in ("key", "variable", "name"))
    result = {}
    for name, item in value.items():
        secret = SECRET_NAMES.search(name) or name in PERSONAL_NAMES or (hidden and name in ("value", "attributeValue", "data"))
        if str(value.get("type")).lower() == "keycode" and name in ("idToken", "additionalIdToken"):
            secret = True
        if name == "key" and "server" in value:
            secret = True  # a VPN's (2.0.1 VPNType)
        result[name] = MASK if secret and item is not None else _masked(item)
    return result


def _names_a_secret(value: Any) -> bool:
    """Whether a configuration key or variable is one whose value is secret (1.6 AuthorizationKey, 2.x BasicAuthPassword)."""
    if isinstance(value, dict):
        value = value.get("name")
    return isinstance(value, str) and bool(SECRET_NAMES.search(value))
