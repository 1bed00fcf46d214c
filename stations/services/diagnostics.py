"""Diagnostics (OCPP 2.0.1 chapter N): how far the upload of a log is."""

from stations.batch import Batch
from stations.domain.events import Done, LogStatusReported
from stations.models import Station


def status_reported(event: LogStatusReported, batch: Batch) -> Done:
    """Keep the newest status on the station; the message log has them all."""
    batch.change(Station, batch.station.id, log_status=event.status[:30], log_status_at=batch.now)
    batch.touch()
    return Done()
