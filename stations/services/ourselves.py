"""What the system asks of a station by itself, within a batch."""

from datetime import timedelta

from stations.batch import Batch
from stations.domain import commands
from stations.models import Command


def ask(batch: Batch, command: commands.Command, reason: str = "") -> None:
    """Ask it of the station whose message is being handled, once the batch is committed."""
    batch.add(
        Command,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        kind=command.kind,
        params=command.params(),
        reason=reason,
        created_at=batch.now,
        expires_at=batch.now + timedelta(seconds=command.expires_s),
    )
    batch.errands.add(batch.station.id)
