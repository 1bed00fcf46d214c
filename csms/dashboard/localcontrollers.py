"""How a charger is connected: behind which local controller, or which chargers are behind it; and the key with which it signs."""

from dataclasses import dataclass, field
from typing import Any

from csms.dashboard import stationlist
from csms.dashboard.states import State
from stations.models import Station

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Relay:
    """`controller`: the one that it is behind; `behind`: those that go dark with it, each with its state, `more` if not all."""

    controller: Station | None
    behind: list[tuple[Station, State]] = field(default_factory=list)
    more: bool = False


def of(station: Station) -> Relay:
    """One query, or two for one that is behind another."""
    if station.controller_id is not None:
        return Relay(station.controller)
    found: list[Any] = list(stationlist.with_state().filter(controller=station).order_by("identity")[: SHOWN + 1])
    return Relay(None, [(one, stationlist.state_of(one.shown)) for one in found[:SHOWN]], len(found) > SHOWN)
