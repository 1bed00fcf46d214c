"""Secrets never reach the message log: passwords, authorization keys, key codes."""

import re
from typing import Any

import orjson

MASK = "***"
#: Text without any of these (in lower case) holds no secret; looked for before anything is parsed. An escape may hide a name.
NEEDLES = ("pass", "key", "\\u00")
SECRET_NAMES = re.compile(r"password|authorization_?key|passphrase", re.IGNORECASE)
#: What is kept of a frame that names a secret but is no JSON: message type, message id and action.
READABLE = re.compile(r'\s*\[\s*\d\s*(?:,\s*"[^"]{0,50}"\s*){0,2}')


def masked(text: str) -> str:
    """The frame with every secret replaced."""
    lowered = text.lower()
    if not any(needle in lowered for needle in NEEDLES):
        return text
    try:
        frame = orjson.loads(text)
        hidden = _masked(frame)
    except (orjson.JSONDecodeError, RecursionError):
        return _without_structure(text)
    return text if hidden == frame else orjson.dumps(hidden).decode()


def _without_structure(text: str) -> str:
    """Nobody can say where in such text a secret begins or ends."""
    if not SECRET_NAMES.search(text) and "keycode" not in text.lower():
        return text
    head = READABLE.match(text)
    return (head[0] if head else "") + MASK


def _masked(value: Any) -> Any:
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
        secret = SECRET_NAMES.search(name) or (hidden and name in ("value", "attributeValue", "data"))
        if value.get("type") == "KeyCode" and name == "idToken":
            secret = True
        result[name] = MASK if secret and item is not None else _masked(item)
    return result


def _names_a_secret(value: Any) -> bool:
    """Whether a configuration key or variable is one whose value is secret (1.6 AuthorizationKey, 2.x BasicAuthPassword)."""
    if isinstance(value, dict):
        value = value.get("name")
    return isinstance(value, str) and bool(SECRET_NAMES.search(value))
