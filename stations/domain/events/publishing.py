"""Chapter L: firmware that a local controller hands on."""

from dataclasses import dataclass

from stations.domain.event import Event


@dataclass(frozen=True, slots=True)
class FirmwarePublicationReported(Event):
    """How far a publication of firmware is (OCPP 2.0.1 L03). `locations`: where the stations behind may fetch it."""

    status: str
    request_id: int | None = None
    locations: tuple[str, ...] = ()
