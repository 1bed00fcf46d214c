"""Signed messages (OCPP 2.0.1 Part 4 section 7): the action with a suffix, and a JSON Web Signature for its payload."""

import base64
import binascii
from typing import Any

import orjson

SUFFIX = "-Signed"


def unwrapped(payload: Any) -> dict[str, Any] | None:
    """The payload that was signed; None if there is none. The signature is not checked: the socket says who speaks."""
    text = payload.get("payload") if isinstance(payload, dict) else None
    if not isinstance(text, str):
        return None
    try:
        inner = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        return None
    return inner if isinstance(inner, dict) else None
