"""What befalls the security of a simulated station, and is told in the words of its version."""

from typing import TYPE_CHECKING

from csms.simulator.v16 import security as v16
from csms.simulator.v201 import security as v201

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation


async def happens(station: "SimulatedStation", kind: str, info: str | None = None) -> None:
    """Something of this kind happens now (such as TamperDetectionActivated)."""
    tells = v16.security_event if station.protocol == "ocpp1.6" else v201.security_event
    await station.call(tells(station.clock.now(), kind, info))
