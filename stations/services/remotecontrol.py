"""Remote control (OCPP 2.0.1 chapter F): how a station is asked for a message, where its version has two ways to."""

from typing import Any

from stations.batch import Batch
from stations.domain.commands import Command
from stations.models import Command as CommandRow
from stations.models import Station
from stations.services import firmware
from stations.services.companions import Companion


def made(row: CommandRow, station: Station, command: Command) -> None:
    """A station that is known to have the security extension is asked by the extension's own message."""
    if firmware.reads_signatures(station):
        row.facts = row.facts | {"fixed": {"extended": True}}
        row.save(update_fields=["facts"])


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """What comes of it is watched for as of any command."""


COMPANIONS = {"trigger_message": Companion(made, answered)}
