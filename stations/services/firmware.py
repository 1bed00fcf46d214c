"""Firmware (OCPP 2.0.1 chapter L): how far an update is."""

from stations.batch import Batch
from stations.domain.events import Done, FirmwareStatusReported
from stations.models import Station


def status_reported(event: FirmwareStatusReported, batch: Batch) -> Done:
    """Keep the newest status on the station; the message log has them all."""
    batch.change(Station, batch.station.id, firmware_status=event.status[:30], firmware_status_at=batch.now)
    batch.touch()
    return Done()
