"""Secrets never reach the message log: passwords, authorization keys, key codes."""

import re
from typing import Any

import orjson

MASK = "***"
#: Text without any of these holds no secret; looked for before anything is parsed.
NEEDLES = ("KeyCode", "assword", "ASSWORD", "uthorizationKey", "uthorizationkey", "AUTHORIZATIONKEY")
SECRET_NAMES = re.compile(r"password|authorization_?key|passphrase", re.IGNORECASE)
#: In text that is no JSON: whatever follows such a name.
UNPARSED = re.compile(r'((?:password|authorizationkey)\\*"?\s*[:=,]\s*(?:\\*"value\\*"\s*:\s*)?\\*"?)[^"\\,}\]\s]+', re.IGNORECASE)


def masked(text: str) -> str:
    """The frame with every secret replaced."""
    if not any(needle in text for needle in NEEDLES):
        return text
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        return UNPARSED.sub(rf"\1{MASK}", text)
    return orjson.dumps(_masked(frame)).decode()


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, str):
        # JSON inside a string, as in DataTransfer.
        return masked(value) if value.startswith(("{", "[")) and len(value) < 100_000 else value
    if not isinstance(value, dict):
        return value
    named = {name: _names_a_secret(value.get(name)) for name in ("key", "variable", "name")}
    hidden = any(named.values())
    result = {}
    for name, item in value.items():
        secret = SECRET_NAMES.search(name) or (hidden and name in ("value", "attributeValue", "data"))
        if value.get("type") == "KeyCode" and name == "idToken":
            secret = True
        result[name] = MASK if secret and isinstance(item, str | int | float) else _masked(item)
    return result


def _names_a_secret(value: Any) -> bool:
    """Whether a configuration key or variable is one whose value is secret (1.6 AuthorizationKey, 2.x BasicAuthPassword)."""
    if isinstance(value, dict):
        value = value.get("name")
    return isinstance(value, str) and bool(SECRET_NAMES.search(value))
