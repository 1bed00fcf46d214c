"""What a body may be: of bounded size, and holding what a JSON column keeps and a station can be sent as it is."""

import io
from http import HTTPStatus
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import JSONParser

from csms import storable


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
            raise ParseError(storable.TOO_DEEP) from None
        for name, value in body.items() if isinstance(body, dict) else [("", body)]:
            if why := storable.problem([name, value]):
                raise ValidationError({name if name.isprintable() else "": [why]})
        return body
