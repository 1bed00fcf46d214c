"""The charging profiles of a simulated station: kept, obeyed and told of. `stations.domain.composite` says what they come to."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from csms.simulator.battery import AC_VOLTAGE_V
from csms.simulator.connector import Connector, Transaction
from stations.domain.chargingprofiles import STATION_MAX, TX, TX_DEFAULT, Profile
from stations.domain.command import BadCommand
from stations.domain.composite import Held, Limits, Session, Stretch

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation

#: What the station takes, as its settings say.
STACK_LEVELS, PERIODS, INSTALLED = 8, 100, 20
#: Below this a car gets nothing (IEC 61851).
LEAST_A = 6


@dataclass(slots=True, eq=False)
class Installed:
    """`transaction`: of a TxProfile; None until the one begins that it came with."""

    evse: int
    profile: Profile
    since: datetime
    transaction: Transaction | None = None


class Profiles:
    def __init__(self, station: "SimulatedStation") -> None:
        self.station = station
        self.installed: list[Installed] = []

    def set(self, evse: int, body: dict[str, Any], *, starting: bool = False) -> str:
        """Empty: it is installed; else why it is refused. `starting`: it came with a remote start."""
        try:
            profile = Profile.of(body)
            if not starting:
                profile.check_place(evse)
        except BadCommand:
            return "InvalidProfile"
        connector = self.station.find(evse)
        if evse and connector is None:
            return "UnknownEvse"
        if profile.stack_level > STACK_LEVELS:
            return "InvalidStackLevel"
        if any(len(one.periods) > PERIODS for one in profile.schedules):
            return "InvalidSchedule"
        self.forget()
        transaction = connector.transaction if connector else None
        here = transaction is not None and profile.transaction in (None, str(transaction.id))
        if profile.purpose == TX and not starting and not here:
            return "TxNotFound"
        kept = [one for one in self.installed if one.profile.id != profile.id]
        slot = [one for one in kept if self._same_place(one, evse, profile)]
        if slot and not self.replaces:
            return "DuplicateProfile"
        kept = [one for one in kept if one not in slot]
        if len(kept) >= INSTALLED:
            return "TooManyProfiles"
        since = self.station.clock.now().replace(microsecond=0)
        self.installed = [*kept, Installed(evse, profile, since, None if starting else transaction)]
        return ""

    @property
    def replaces(self) -> bool:
        """1.6 drops what had the same place (5.16); later versions refuse (K01)."""
        return self.station.protocol == "ocpp1.6"

    @staticmethod
    def _same_place(one: Installed, evse: int, profile: Profile) -> bool:
        same = one.profile.purpose == profile.purpose and one.profile.stack_level == profile.stack_level
        near = one.evse == evse or (profile.purpose == TX_DEFAULT and 0 in (one.evse, evse))
        return same and near and one.profile.overlaps(profile)

    def clear(self, *, pk: int | None, evse: int | None, purpose: str | None, stack_level: int | None) -> bool:
        """Whether there was one such."""
        gone = [one for one in self.named(evse=evse, purpose=purpose, stack_level=stack_level) if pk in (None, one.profile.id)]
        self.installed = [one for one in self.installed if one not in gone]
        return bool(gone)

    def named(self, *, evse: int | None = None, purpose: str | None = None, stack_level: int | None = None) -> list[Installed]:
        self.forget()
        return [
            one
            for one in self.installed
            if evse in (None, one.evse)
            and purpose in (None, one.profile.purpose)
            and stack_level in (None, one.profile.stack_level)
        ]

    def forget(self) -> None:
        """Those of sessions that are over; one that came with a start is given to the session that began."""
        kept = []
        for one in self.installed:
            connector = self.station.find(one.evse)
            running = connector.transaction if connector else None
            if one.profile.purpose == TX and one.transaction is None and connector is not None:
                one.transaction = running
                waits = running is not None or connector.claimed or connector.waiting_tag is not None
            else:
                waits = one.profile.purpose != TX or one.transaction is running
            if waits:
                kept.append(one)
        self.installed = kept

    def restarted(self) -> None:
        """What belongs to sessions does not outlive a restart."""
        self.installed = [one for one in self.installed if one.profile.purpose != TX]

    # What they come to

    def limits(self) -> Limits:
        self.forget()
        sessions = {
            one.id: Session(str(one.transaction.id), one.transaction.started_at.replace(microsecond=0))
            for one in self.station.connectors
            if one.transaction
        }
        held = []
        for one in self.installed:
            of = str(one.transaction.id) if one.transaction else None
            held.append(Held(one.evse, one.profile.with_id(one.profile.id or 0, of), one.since))
        phases = {one.id: one.supply.phases if one.supply.kind == "AC" else 0 for one in self.station.connectors}
        return Limits(tuple(held), sessions, tuple(phases), phases=phases)

    def composite(self, evse: int, duration_s: int, unit: str) -> list[Stretch]:
        """With what the hardware can do where nothing limits it."""
        start = self.station.clock.now().replace(microsecond=0)
        most = sum((self._most(one, unit) for one in self.station.connectors if evse in (0, one.id)), Decimal(0))
        return [
            Stretch(one.start_s, most if one.limit is None else min(one.limit, most), one.phases)
            for one in self.limits().composite(evse, start, duration_s, unit)
        ]

    @staticmethod
    def _most(connector: Connector, unit: str) -> Decimal:
        supply = connector.supply
        if unit == "A" and supply.kind == "AC":
            return Decimal(str(supply.current_a))
        return Decimal(str(supply.max_power_w if unit == "W" else round(supply.max_power_w / AC_VOLTAGE_V / 3, 1)))

    async def obey(self) -> None:
        """What follows once one was set or cleared."""
        self.apply()
        for connector in self.station.connectors:
            self.station.dialect.flow_changed(connector)
        await self.station.report()

    def apply(self) -> None:
        """Give every connector what it may draw now, in W."""
        if not self.installed:
            for connector in self.station.connectors:
                connector.limit_w = None
            return
        limits, now = self.limits(), self.station.clock.now()
        charging = [one for one in self.station.connectors if one.transaction]
        for connector in self.station.connectors:
            unit = "W" if connector.supply.kind == "DC" else "A"
            most, _phases = limits.at(connector.id, now, unit, now)
            # What limits the whole is shared by those that charge.
            whole = any(one.profile.purpose == STATION_MAX for one in self.installed)
            together = limits.at(0, now, unit, now)[0] if whole and len(charging) > 1 else None
            if together is not None:
                share = together / len(charging)
                most = share if most is None else min(most, share)
            connector.limit_w = None if most is None else _watts(connector, float(most), unit)


def _watts(connector: Connector, most: float, unit: str) -> float:
    if unit == "W":
        return most
    if most < LEAST_A:
        return 0.0
    phases = min(connector.supply.phases, connector.car.ac_phases) if connector.car else connector.supply.phases
    return most * AC_VOLTAGE_V * phases
