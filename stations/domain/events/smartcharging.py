"""The events of chapter K: profiles that a station holds, limits that others set, what a car needs and what it chose.

Profiles and schedules are plain objects, as `stations.domain.chargingprofiles` reads them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from stations.domain.event import Event, Reply


@dataclass(frozen=True, slots=True)
class ChargingProfilesReported(Event):
    """A page of the profiles a station holds (OCPP 2.0.1 K09). `source`: who set them; CSO is us."""

    request_id: int
    source: str
    evse: int
    profiles: tuple[dict[str, Any], ...]
    last: bool = True


@dataclass(frozen=True, slots=True)
class ChargingLimitReported(Event):
    """Somebody else limits the station (OCPP 2.0.1 K12). `evse` 0: all of it."""

    source: str
    evse: int = 0
    grid_critical: bool | None = None
    schedules: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ChargingLimitCleared(Event):
    """Somebody else limits it no more (OCPP 2.0.1 K13)."""

    source: str
    evse: int = 0


class NeedsVerdict(StrEnum):
    """What a car that tells its needs may expect (OCPP 2.0.1 NotifyEVChargingNeedsStatusEnumType)."""

    ACCEPTED = "Accepted"
    PROCESSING = "Processing"
    REJECTED = "Rejected"


@dataclass(frozen=True, slots=True)
class NeedsAnswered(Reply):
    """`ACCEPTED`: a schedule follows within 60 s; `PROCESSING`: perhaps later."""

    status: NeedsVerdict


@dataclass(frozen=True, slots=True)
class EvNeedsReported(Event):
    """A car says what it needs (OCPP 2.0.1 K15, K17). `needs`: energy_wh, min_a, max_a, max_v, max_w, soc_percent ..., as told."""

    evse: int
    mode: str
    departure_at: datetime | None = None
    schedules_taken: int | None = None
    needs: dict[str, int] = field(default_factory=dict)
    reply: ClassVar[type[Reply]] = NeedsAnswered


@dataclass(frozen=True, slots=True)
class EvScheduleAnswered(Reply):
    """Whether it was understood, which says nothing of whether it is agreed to."""

    understood: bool


@dataclass(frozen=True, slots=True)
class EvScheduleReported(Event):
    """The schedule that a car chose (OCPP 2.0.1 K15-K17), from `at` on."""

    evse: int
    at: datetime | None
    schedule: dict[str, Any]
    reply: ClassVar[type[Reply]] = EvScheduleAnswered
