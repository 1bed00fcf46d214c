"""How values look in JSON."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.tokens import parse_moment
from csms.ocpp.masking import without_tags


class Text(serializers.CharField):
    """A text, and nothing that could be written as one: a tag given as the number 0423 was another tag. Its length is that of
    what was sent, as the document says it, not of what is left without spaces around it."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(f"Must be a text, in quotation marks, not {orjson.dumps(data).decode()[:40]}.")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number of a body, which is no text."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError("Must be a whole number.")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """true or false, and nothing that could be written as one: an empty text was null."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.")
        return data


class KnownOnly(serializers.Serializer[Any]):
    """A body in which a misspelt field is refused instead of forgotten. What stands within another body is whole, also where
    that one is a PATCH and may leave fields out."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            if unknown := data.keys() - self.fields.keys():
                known = ", ".join(self.fields)
                raise serializers.ValidationError({"": [f"Unknown: {', '.join(sorted(unknown))}. Known: {known}."]})
            if self.parent is not None:
                missing = [name for name, field in self.fields.items() if field.required and name not in data]
                if missing:
                    raise serializers.ValidationError({name: ["This field is required."] for name in missing})
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A time in UTC with a Z (RFC 3339), whatever TIME_ZONE is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            raise serializers.ValidationError('Must be a text such as "2026-11-21T04:00:00Z".')
        try:
            return parse_moment(value)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: datetime) -> str:
        # Not by strftime, which writes the year 4 as "4".
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


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
        if self.context.get("hides_tags"):
            value = without_tags(value)
        try:
            parsed = orjson.loads(value)
            orjson.dumps(parsed)  # refuses what is nested too deeply to be written again
        except (ValueError, TypeError):
            return value
        return parsed
