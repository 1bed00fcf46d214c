"""What a rule is, and how tables of them are put together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from stations.batch import Batch
from stations.domain.event import Reply
from stations.lookups import Need
from stations.state import StationState

Key = TypeVar("Key")
Value = TypeVar("Value")


def nothing(event: Any, station: StationState) -> Iterable[Need]:
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """`handle` acts on the event and answers; `needs` says what it must look up, before anything is handled."""

    handle: Callable[[Any, Batch], Reply]
    needs: Callable[[Any, StationState], Iterable[Need]] = nothing


def add(table: dict[Key, Value], more: Mapping[Key, Value]) -> None:
    """Put more into a table. Raises ValueError if something is there already."""
    if twice := table.keys() & more.keys():
        raise ValueError(f"Named twice: {sorted(map(str, twice))}")
    table.update(more)
