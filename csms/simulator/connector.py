"""A connector: its meter, the car in it, the transaction on it, and the OCPP 1.6 status that follows from these. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from csms.simulator.battery import Car, Draw, Supply, draw

_METERS_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def register_at(now: datetime, supply: Supply) -> float:
    """Where a meter stands that ran at full power since 2026, in Wh.

    So a simulator started again never shows a meter that ran backwards, without having to remember anything. It rolls over
    at 1 GWh, as meters with six digits of kWh do.
    """
    hours = max(0.0, (now - _METERS_SINCE).total_seconds() / 3600)
    return hours * supply.max_power_w % 1e9


@dataclass(slots=True, eq=False)
class Transaction:
    """A transaction as the station knows it.

    `id` in 1.6 is the CSMS's: None until it has answered the start, -1 when it never will. In 2.x it is the station's own.
    """

    tag: str
    started_at: datetime
    meter_start_wh: int
    begin: dict[str, Any] | None = None
    id: int | str | None = None
    #: What the CSMS calls its remote start (2.x), and whether the card came before the cable.
    remote_start_id: int | None = None
    card_first: bool = False
    #: The reservation that it used.
    reservation: int | None = None
    #: The number of its next event and the charging state that was last told (2.x).
    next_event: int = 0
    charging_state: str = ""
    #: The CSMS does not want this card to charge, but lets the transaction stay (StopTransactionOnInvalidId=false).
    held: bool = False
    since_sample_s: float = 0.0
    #: Runs from its start until the station decided to stop it, whether or not the CSMS has heard.
    meter_stop_wh: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of the meter, as the text it shows."""

    measurand: str
    value: str
    unit: str
    phase: str = ""
    location: str = ""


@dataclass(slots=True, eq=False)
class Connector:
    id: int
    supply: Supply
    meter_wh: float
    car: Car | None = None
    transaction: Transaction | None = None
    error_code: str = "NoError"
    operative: bool = True
    #: Availability to take once the transaction ends (ChangeAvailability answered Scheduled).
    scheduled_operative: bool | None = None
    #: A card that was accepted and waits for a cable.
    waiting_tag: str | None = None
    waiting_remote_start: int | None = None
    #: How many cards were ever presented here.
    cards: int = 0
    #: A remote start is about to use it.
    claimed: bool = False
    #: It is kept for somebody.
    reserved: bool = False
    #: A transaction has ended and the cable is still in.
    finishing: bool = False
    #: What the charging profiles leave it, in W; None: nothing limits it.
    limit_w: float | None = None

    @property
    def register_wh(self) -> int:
        return int(self.meter_wh)

    @property
    def faulted(self) -> bool:
        return self.error_code != "NoError"

    @property
    def usable(self) -> bool:
        return self.operative and not self.faulted

    @property
    def vacant(self) -> bool:
        """Whether nobody is here."""
        return self.usable and not (self.transaction or self.waiting_tag or self.claimed or self.finishing)

    @property
    def free(self) -> bool:
        """Whether somebody new may begin a transaction here."""
        return self.vacant and not self.reserved

    @property
    def flowing(self) -> bool:
        held = self.transaction is None or self.transaction.held or self.limit_w == 0
        return not held and not self.faulted and self.car is not None

    @property
    def status(self) -> str:
        """In the words of OCPP 1.6 (4.9 StatusNotification), which tell more apart than later versions'."""
        if self.faulted:
            return "Faulted"
        if self.transaction:
            if self.transaction.held or self.limit_w == 0:
                return "SuspendedEVSE"
            return "SuspendedEV" if self.car is None or self.car.battery.full else "Charging"
        if not self.operative:
            return "Unavailable"
        if self.finishing:
            return "Finishing"
        if self.car or self.waiting_tag:
            return "Preparing"
        return "Reserved" if self.reserved else "Available"

    def advance(self, seconds: float) -> None:
        """Let energy flow for a time."""
        if self.flowing and self.car:
            offered = self.supply.offered_w(self.car)
            self.meter_wh += self.car.battery.charge(offered if self.limit_w is None else min(offered, self.limit_w), seconds)
        if self.transaction:
            self.transaction.since_sample_s += seconds

    def draw(self) -> Draw:
        return draw(self.supply, self.car, flowing=self.flowing, most_w=self.limit_w)

    def readings(self, measurands: set[str]) -> list[Reading]:
        """What the meter shows now of the wanted measurands; a list without those that do not exist here."""
        now = self.draw()
        dc = self.supply.kind == "DC"
        found = [
            Reading("Energy.Active.Import.Register", str(self.register_wh), "Wh"),
            Reading("Power.Active.Import", f"{now.power_w:.1f}", "W"),
        ]
        for number, current in enumerate(now.currents_a, start=1):
            found.append(Reading("Current.Import", f"{current:.2f}", "A", phase="" if dc else f"L{number}"))
        found.append(Reading("Voltage", f"{now.voltage_v:.1f}", "V"))
        if now.soc_percent is not None:
            found.append(Reading("SoC", f"{now.soc_percent:.1f}", "Percent", location="EV"))
        return [reading for reading in found if reading.measurand in measurands]
