"""Reads of what limits stations, for pages and programs, in the scope of the caller."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stations import limits
from stations.domain.chargingprofiles import same
from stations.models import ChargingProfile, CompositeSchedule, Station
from stations.services.smartcharging import plain

DAY_S = 86_400
LONGEST_S = 7 * DAY_S
#: How the wanted and the reported of a profile stand to each other.
STATES = ("set", "confirmed", "differs", "missing", "found")


def state_of(row: ChargingProfile) -> str:
    if row.wanted is None:
        return "found"
    if row.reported is not None:
        return "confirmed" if same(row.wanted, row.reported) else "differs"
    return "set" if row.checked_at is None else "missing"


def attach(stations: Sequence[Station], *, evse: int | None, unit: str, duration_s: int, now: datetime) -> None:
    """Give each station `composites`: what it and each of its EVSEs may draw from now on, with what they last reported."""
    reported: dict[int, dict[int, CompositeSchedule]] = defaultdict(dict)
    for row in CompositeSchedule.objects.filter(station__in=[one.pk for one in stations]):
        reported[row.station_id][row.evse_number] = row
    known = limits.of([one.pk for one in stations]) if stations else {}
    start = now.replace(microsecond=0)
    for station in stations:
        found = known[station.pk].limits.with_caps(unit)
        every = {0, *found.evses, *(one.evse for one in found.held), *reported[station.pk]}
        numbers = [one for one in sorted(every) if evse in (None, one)]
        composites: list[dict[str, Any]] = [
            {
                "evse": number,
                "unit": unit,
                "start_at": start,
                "duration_s": duration_s,
                "periods": plain(found.composite(number, start, duration_s, unit)),
                "volts": found.volts,
                "volts_from": found.volts_from,
                "hardware": bool(known[station.pk].limits.caps),
                "reported": reported[station.pk].get(number),
            }
            for number in numbers
        ]
        station.composites = composites  # type: ignore[attr-defined]  # read by whoever asked for it
