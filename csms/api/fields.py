"""How values look in JSON."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.tokens import parse_moment


class Moment(serializers.DateTimeField):
    """A time in UTC with a Z (RFC 3339), whatever TIME_ZONE is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return parse_moment(str(value))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


@extend_schema_field(OpenApiTypes.NUMBER)
class Number(serializers.Field[Decimal, Any, Any, Any]):
    """A measured value. Exact as a JSON number: columns hold 15 digits at most, which a double keeps."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Decimal) -> int | float:
        return int(value) if value == value.to_integral_value() else float(value)


@extend_schema_field(OpenApiTypes.ANY)
class Wire(serializers.Field[str, Any, Any, Any]):
    """What was on the wire: as JSON where it can be read, else its text; null if there was nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: str) -> Any:
        if not value:
            return None
        try:
            parsed = orjson.loads(value)
            orjson.dumps(parsed)  # refuses what is nested too deeply to be written again
        except (ValueError, TypeError):
            return value
        return parsed
