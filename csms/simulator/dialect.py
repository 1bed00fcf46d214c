"""What an OCPP version decides for a simulated station: how it says what has happened, and how it answers.

The station (`station`) holds what is the same in every version: cars, cards, energy, faults, queue and connection.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection

from csms.simulator.connector import Connector, Transaction
from csms.simulator.firmware import Request
from csms.simulator.link import Link
from csms.simulator.signing import Signer

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation

#: What a StatusNotification says of a connector (or, with 0, of the station).
State = tuple[str, ...]


class Dialect(ABC):
    #: The station offers permessage-deflate.
    compression: str | None = None

    def __init__(self, station: "SimulatedStation") -> None:
        self.station = station
        #: Its meters sign the begin and the end of sessions; None: they do not.
        self.signer: Signer | None = None

    def signed(self, connector: Connector, at: datetime, context: str) -> dict[str, str] | None:
        """What the connector's meter signs in this context; None: nothing."""
        if self.signer is None or connector.transaction is None:
            return None
        return self.signer.value(connector.id, at, context, connector.register_wh, connector.transaction.tag)

    @abstractmethod
    def link(self, socket: ClientConnection) -> Link:
        """The line on which the CSMS's CALLs are answered."""

    # CALLs of the `ocpp` package

    @abstractmethod
    def boot(self) -> Any: ...

    @abstractmethod
    def heartbeat(self) -> Any: ...

    @abstractmethod
    def firmware_status(self, status: str, request: Request) -> Any | None:
        """How far an update of the firmware is; None for what this version has no word for."""

    @abstractmethod
    def authorize(self, tag: str) -> Any: ...

    @abstractmethod
    def verdict(self, answer: Any) -> str:
        """The card's status in the answer to `authorize`."""

    @abstractmethod
    def group(self, answer: Any) -> str:
        """The card's group in the same answer; empty if it has none."""

    def reservation_lapsed(self, number: int, *, expired: bool) -> Any | None:
        """What is said of a reservation that is over, or that cannot be kept; None in a version that has no word for it."""
        return None

    @abstractmethod
    def states(self) -> dict[int, State]:
        """What is to be reported now, by connector, in the order in which it is."""

    @abstractmethod
    def status(self, connector_id: int, state: State) -> Any:
        """The StatusNotification that says so."""

    # What has happened to a transaction: messages for the station's queue

    @abstractmethod
    def began(self, connector: Connector, transaction: Transaction) -> None: ...

    @abstractmethod
    def sampled(self, connector: Connector, transaction: Transaction, context: str = "Sample.Periodic") -> None:
        """A sample is due; with the context Trigger, because the CSMS wants one."""

    @abstractmethod
    def flow_changed(self, connector: Connector) -> None:
        """Energy may have begun or ceased to flow. Called often; says something only when it did."""

    @abstractmethod
    def ended(self, connector: Connector, transaction: Transaction, reason: str, tag: str | None) -> None: ...

    @abstractmethod
    async def send_meter_values(self, connector: Connector) -> None:
        """Meter values of now, as a TriggerMessage asks for them."""
