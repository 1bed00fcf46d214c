"""Events and replies as JSON, for the golden exchanges: fields that have their default are left out."""

import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints


def as_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        named = {} if not hasattr(type(value), "reply") else {"type": type(value).__name__}
        return named | {f.name: as_json(getattr(value, f.name)) for f in fields(value) if not _is_default(value, f)}
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value


def from_json(wanted: Any, value: Any) -> Any:
    """The value as the annotated type has it."""
    if get_origin(wanted) in (Union, types.UnionType):
        return None if value is None else from_json(next(a for a in get_args(wanted) if a is not type(None)), value)
    if is_dataclass(wanted) and isinstance(wanted, type):
        hints = get_type_hints(wanted)
        return wanted(**{name: from_json(hints[name], item) for name, item in value.items() if name != "type"})
    if wanted is datetime:
        return datetime.fromisoformat(value)
    return wanted(value)


def _is_default(value: Any, field: Any) -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return default is not MISSING and bool(getattr(value, field.name) == default)
