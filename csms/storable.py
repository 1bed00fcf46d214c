"""What a JSON column keeps and a station can be sent as it is: bounded in depth and numbers, of Unicode without NUL."""

import math
from typing import Any

from django.utils.translation import gettext_noop

#: OCPP's own payloads are at most six deep.
DEEPEST = 32
TOO_DEEP = gettext_noop("The body is nested deeper than 32 levels.")


def problem(value: Any, deeper: int = DEEPEST) -> str:
    """Why it cannot be kept, in English, to be translated where people see it; empty: it can."""
    match value:
        case dict() | list() if not deeper:
            return TOO_DEEP
        case dict() | list():
            inside = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
            return next((found for part in inside if (found := problem(part, deeper - 1))), "")
        case str() if "\x00" in value or not _is_unicode(value):
            return gettext_noop("A text holds a NUL character or half a surrogate pair, which cannot be stored.")
        case float() if not math.isfinite(value):
            return gettext_noop("A number is too large.")
        case int() if not -(2**63) <= value < 2**63:
            return gettext_noop("A whole number has more than 64 bits.")
    return ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
