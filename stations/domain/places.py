"""Where the id tokens of a group may charge, if not everywhere."""

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Places:
    """By key: whole sites, whole stations, and single EVSEs as (station, number). What is gone leaves nowhere to charge."""

    sites: frozenset[int]
    stations: frozenset[int]
    evses: frozenset[tuple[int, int]]

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Self:
        """As its row keeps them."""
        evses = frozenset((station, number) for station, number in kept.get("evses", ()))
        return cls(frozenset(kept.get("sites", ())), frozenset(kept.get("stations", ())), evses)

    def of(self, site: int | None, station: int) -> tuple[tuple[int, ...], bool]:
        """The EVSEs of a station where they may charge, and whether that is all of it (then none are named)."""
        if site in self.sites or station in self.stations:
            return (), True
        return tuple(sorted(number for at, number in self.evses if at == station)), False
