"""What a body may be: of bounded size, and holding what a JSON column keeps and a station can be sent as it is."""

import io
import math
from http import HTTPStatus
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import JSONParser

#: OCPP's own payloads are at most six deep.
DEEPEST = 32


class TooLarge(APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes. Send less at a time."


class StorableJSONParser(JSONParser):
    """JSON that PostgreSQL can keep and any other parser can read: bounded in depth and numbers, of Unicode without NUL."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        # Read by hand: JSONParser would read whatever comes, without Django's bound.
        raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge
        try:
            body = super().parse(io.BytesIO(raw), media_type, parser_context)
        except RecursionError:
            raise ParseError(f"The body is nested deeper than {DEEPEST} levels.") from None
        for name, value in body.items() if isinstance(body, dict) else [("", body)]:
            try:
                _check([name, value], DEEPEST)
            except ParseError as error:
                raise ValidationError({name if name.isprintable() else "": [error.detail]}) from None
        return body


def _check(value: Any, deeper: int) -> None:
    match value:
        case dict() | list() if not deeper:
            raise ParseError(f"The body is nested deeper than {DEEPEST} levels.")
        case dict():
            for name, item in value.items():
                _check(name, deeper - 1)
                _check(item, deeper - 1)
        case list():
            for item in value:
                _check(item, deeper - 1)
        case str() if "\x00" in value or not _is_unicode(value):
            raise ParseError("A text holds a NUL character or half a surrogate pair, which cannot be stored.")
        case float() if not math.isfinite(value):
            raise ParseError("A number is too large.")
        case int() if not -(2**63) <= value < 2**63:
            raise ParseError("A whole number has more than 64 bits.")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
