"""Chapter K: charging profiles."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from stations.domain.chargingprofiles import INT32, LONGEST_S, PURPOSES, SOURCES, UNITS, Profile
from stations.domain.command import BadCommand, Command, need_list, need_number, need_one_of

HIGHEST_EVSE = 255
#: As OCPP 2.0.1 ChargingProfilePurposeEnumType has them: others' limits can be read, never set or cleared.
READABLE = ("ChargingStationExternalConstraints", *PURPOSES)


@dataclass(frozen=True, slots=True)
class SetChargingProfile(Command):
    """Limit what may be drawn at an EVSE, or (`evse` 0) at all of them or the whole station (OCPP 2.0.1 K01).

    `profile`: {"purpose", "kind", "stack_level", "schedules": [{"unit", "periods": [{"start_s", "limit", "phases"?}], "start"?,
    "duration_s"?}], "id"?, "recurrency"?, "valid_from"?, "valid_to"?, "transaction"?}. Without an id it replaces the one in its
    place, if there is one; a TxProfile without a transaction is for the one that runs there.
    """

    evse: int
    profile: dict[str, Any]
    kind: ClassVar[str] = "set_charging_profile"
    expires_s: ClassVar[int] = 24 * 3600
    while_pending: ClassVar[bool] = False

    def check(self) -> None:
        need_number("evse", self.evse, 0, HIGHEST_EVSE)
        Profile.of(self.profile).check_place(self.evse)

    def fixed(self, facts: dict[str, Any]) -> Self:
        profile = (facts.get("fixed") or {}).get("profile")
        return self if profile is None else replace(self, profile=profile)


@dataclass(frozen=True, slots=True)
class ClearChargingProfile(Command):
    """Drop profiles (OCPP 2.0.1 K10): the one of this id, or all of this EVSE, purpose and stack level; without any, all."""

    profile_id: int | None = None
    evse: int | None = None
    purpose: str | None = None
    stack_level: int | None = None
    kind: ClassVar[str] = "clear_charging_profile"
    expires_s: ClassVar[int] = 24 * 3600
    while_pending: ClassVar[bool] = False

    def check(self) -> None:
        _check_criteria(self.evse, self.purpose, self.stack_level, PURPOSES)
        if self.profile_id is not None:
            need_number("profile_id", self.profile_id, -INT32 - 1, INT32)
            if (self.evse, self.purpose, self.stack_level) != (None, None, None):
                raise BadCommand("profile_id names one profile: leave out evse, purpose and stack_level, or the id.")


@dataclass(frozen=True, slots=True)
class GetChargingProfiles(Command):
    """Ask which profiles a station holds (OCPP 2.0.1 K09); it reports them. Without any parameter: all."""

    evse: int | None = None
    purpose: str | None = None
    stack_level: int | None = None
    sources: list[str] | None = None
    profile_ids: list[int] | None = None
    kind: ClassVar[str] = "get_charging_profiles"
    expires_s: ClassVar[int] = 24 * 3600
    while_pending: ClassVar[bool] = False

    def check(self) -> None:
        _check_criteria(self.evse, self.purpose, self.stack_level, READABLE)
        if self.sources is not None:
            need_list("sources", self.sources)
            for one in self.sources:
                need_one_of("sources", one, SOURCES)
            if not 1 <= len(self.sources) <= len(SOURCES):
                raise BadCommand("sources must name one to four sources, or be left out.")
        if self.profile_ids is not None:
            need_list("profile_ids", self.profile_ids)
            for pk in self.profile_ids:
                need_number("profile_ids", pk, -INT32 - 1, INT32)
            if not 1 <= len(self.profile_ids) <= 1000:
                raise BadCommand("profile_ids must name 1 to 1000 profiles, or be left out.")


@dataclass(frozen=True, slots=True)
class GetCompositeSchedule(Command):
    """Ask what may be drawn in the coming time, from all that limits it (OCPP 2.0.1 K08). `evse` 0: the whole station."""

    evse: int = 0
    duration_s: int = 86_400
    unit: str | None = None
    kind: ClassVar[str] = "get_composite_schedule"
    expires_s: ClassVar[int] = 300
    while_pending: ClassVar[bool] = False

    def check(self) -> None:
        need_number("evse", self.evse, 0, HIGHEST_EVSE)
        need_number("duration_s", self.duration_s, 1, LONGEST_S)
        if self.unit is not None:
            need_one_of("unit", self.unit, UNITS)


def _check_criteria(evse: Any, purpose: Any, stack_level: Any, purposes: tuple[str, ...]) -> None:
    if evse is not None:
        need_number("evse", evse, 0, HIGHEST_EVSE)
    if purpose is not None:
        need_one_of("purpose", purpose, purposes)
    if stack_level is not None:
        need_number("stack_level", stack_level, 0, INT32)


ALL: tuple[type[Command], ...] = (
    SetChargingProfile,
    ClearChargingProfile,
    GetChargingProfiles,
    GetCompositeSchedule,
)
