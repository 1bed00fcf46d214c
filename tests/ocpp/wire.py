"""Events and replies from JSON and to it, for the golden exchanges: fields that have their default are left out."""

import types
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any, Union, get_args, get_origin, get_type_hints

from csms.ocpp.fixtures import as_json

__all__ = ["as_json", "from_json"]


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
