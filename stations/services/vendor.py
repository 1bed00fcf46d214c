"""Vendor messages (OCPP 2.0.1 chapter P, 1.6 4.3)."""

from stations.batch import Batch
from stations.domain.events import VendorAnswered, VendorMessageReceived


def received(event: VendorMessageReceived, batch: Batch) -> VendorAnswered:
    """What no agreement knows: say so, as the specification wants it said. The message log keeps the data."""
    return VendorAnswered(event.status)
