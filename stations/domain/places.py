"""Where an id token may charge, if not everywhere: at some places, at plugs of some types; of its group's accord, or its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from stations.domain.values import AuthorizationStatus


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


@dataclass(frozen=True, slots=True)
class Held:
    """What a group or a token is held to. `places` None: it charges everywhere; `types` None: at plugs of every type, else at those
    of these (OCPP 2.0.1 ConnectorEnumType, in lower case)."""

    places: Places | None = None
    types: frozenset[str] | None = None

    @classmethod
    def read(cls, places: dict[str, Any] | None, types: Iterable[str] | None) -> Self | None:
        """As its row keeps it; None if it is held to nothing."""
        if places is None and types is None:
            return None
        kinds = None if types is None else frozenset(one.casefold() for one in types)
        return cls(None if places is None else Places.read(places), kinds)


#: The plugs of a station: EVSE, to connector, to its type ("": nobody has said).
Plugs = Mapping[int, Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """`refusal`: why it may not charge; None: it may. `evses`: the only ones where it may, of those of the station; empty: all.
    `unsaid`: the plug, or one of the plugs, that would decide is of a type that nobody has said."""

    refusal: AuthorizationStatus | None = None
    evses: tuple[int, ...] = ()
    unsaid: bool = False


def answer(held: Iterable[Held], site: int | None, station: int, plugs: Plugs, evse: int | None, connector: int | None) -> Answer:
    """Whether a token may charge at a station; where, if that is known yet. All that it is held to counts.

    NotAtThisLocation where no place of its is here, NotAllowedTypeEVSE where no plug is of a type of its; where some EVSEs are
    right, these are named (OCPP 2.0.1 C01). A plug whose type nobody has said is of none that anything is held to.
    """
    at: set[int] | None = None
    types: frozenset[str] | None = None
    for one in held:
        if one.places is not None:
            numbers, everywhere = one.places.of(site, station)
            if not everywhere:
                at = set(numbers) if at is None else at & set(numbers)
        if one.types is not None:
            types = one.types if types is None else types & one.types
    if at is not None and (evse not in at if evse else not at):
        return Answer(AuthorizationStatus.NOT_AT_THIS_LOCATION)
    if types is not None:
        here = {number: connectors for number, connectors in plugs.items() if at is None or number in at}
        right = {number for number, connectors in here.items() if any(kind.casefold() in types for kind in connectors.values())}
        there = here.get(evse, {}) if evse else {}
        decides = [there[connector]] if connector is not None and connector in there else list(there.values())
        if not evse:
            decides = [kind for connectors in here.values() for kind in connectors.values()]
        if not any(kind.casefold() in types for kind in decides):
            return Answer(AuthorizationStatus.NOT_ALLOWED_TYPE, unsaid=not decides or not all(decides))
        at = right if at is not None or right != set(plugs) else None
    return Answer(evses=tuple(sorted(at or ())))


def everywhere(held: Held, site: int | None, station: int, plugs: Plugs) -> bool:
    """Whether it charges at all of a station."""
    if held.places is not None and not held.places.of(site, station)[1]:
        return False
    kinds = [kind.casefold() for connectors in plugs.values() for kind in connectors.values()]
    return held.types is None or (bool(kinds) and all(kind in held.types for kind in kinds))
