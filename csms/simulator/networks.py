"""The ways by which a simulated station reaches a CSMS, and in which order it tries them (OCPP 2.0.1 B09, B10)."""

from typing import TYPE_CHECKING, Any

from csms.simulator.configuration import Key
from csms.simulator.errors import HandshakeRefused, Unreachable

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation

PRIORITY = "NetworkConfigurationPriority"
#: The slot of the address that it was made with.
FIRST = 1
SLOTS = 4


class Networks:
    """`urls` by slot; `active` is the slot in use."""

    def __init__(self, station: "SimulatedStation") -> None:
        self.station = station
        self.urls = {FIRST: station.url}
        self.security_profile = 1
        self.active = FIRST
        if station.protocol != "ocpp1.6":
            station.configuration.add(PRIORITY, Key(str(FIRST), self._known, needs_reboot=True))

    def take(self, slot: int, profile: dict[str, Any]) -> str:
        """The answer to SetNetworkProfile (B09): no less secure than now, and one of the slots there are."""
        if profile["security_profile"] < self.security_profile or not 0 <= slot < SLOTS or profile["ocpp_transport"] != "JSON":
            return "Rejected"
        self.urls[slot] = profile["ocpp_csms_url"].rstrip("/")
        return "Accepted"

    async def connect(self) -> None:
        """Try the slots in their order, until one leads somewhere (B10)."""
        station, order = self.station, self._order()
        for slot in order:
            station.url = self.urls[slot]
            self.active = slot
            try:
                await station.reconnect()
                return
            except (Unreachable, HandshakeRefused) as error:
                if slot == order[-1]:
                    raise
                station.tell(f"network profile {slot} leads nowhere ({error}); trying the next")

    def _order(self) -> list[int]:
        try:
            return [int(slot) for slot in self.station.configuration[PRIORITY].split(",")]
        except KeyError:
            return [self.active]

    def _known(self, value: str) -> bool:
        slots = [one.strip() for one in value.split(",")]
        return all(one.isascii() and one.isdigit() and int(one) in self.urls for one in slots)
