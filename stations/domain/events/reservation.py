"""Chapter H: reservations."""

from dataclasses import dataclass

from stations.domain.event import Event


@dataclass(frozen=True, slots=True)
class ReservationLapsed(Event):
    """The station gave up a reservation: its time is over, or (`expired` False) it cannot keep it (OCPP 2.0.1 H04)."""

    reservation: int
    expired: bool
