"""What a recorded message log brings into an empty database besides its messages: chargers as they were then, and an orderly end.

Used by `manage.py replay`, in its one transaction and without a scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F

from accounts import audit
from accounts.models import Operator
from stations import partitions
from stations.batch import SEQUENCES
from stations.models import Command, CommandStatus, Connection, MessageLogEntry, Station, Transaction
from stations.services import registry

#: Months of a recording that get partitions of their own; rows of others wait in the default one.
MOST_MONTHS = 60


@dataclass(slots=True)
class LastHeard:
    """Of a station at the end of its recording."""

    protocol: str
    at: datetime


def make_room(months: set[tuple[int, int]]) -> None:
    """Partitions for the months of a recording, as if they had been made when it was recorded."""
    with connection.cursor() as cursor:
        for year, month in sorted(months)[-MOST_MONTHS:]:
            partitions.make(cursor, date(year, month, 1), behind=0, ahead=0)


def take_in(*, operator: Operator, identity: str) -> Station:
    """The charger of that identity, made if there is none. ValidationError if it has a past already, or is somebody else's."""
    station = Station.objects.filter(identity=identity).first()
    if station is None:
        return registry.add_station(operator=operator, identity=identity)[0]
    if station.operator_id != operator.pk:
        raise ValidationError(f"{identity} belongs to another operator. Replay into an empty database.")
    if Transaction.objects.filter(station=station).exists() or MessageLogEntry.objects.filter(station=station).exists():
        raise ValidationError(
            f"{identity} has messages or sessions in this database already, which a replay would double. "
            "Replay into an empty database: set DATABASE_URL to another one and run manage.py migrate first."
        )
    return station


def set_as_then(*, station_id: int, **fields: Any) -> None:
    """What the answers of then show of a charger: its registration, the heartbeat interval, and since when it was accepted."""
    registry.bump(station_id)
    Station.objects.filter(pk=station_id).update(**fields)


def asked(*, command: Command) -> None:
    """A command that was sent then, with the key it had. Nobody sends it again."""
    if Command.objects.filter(pk=command.pk).exists():
        raise ValidationError(
            f"The number of command {command.pk} is taken: this database has commands of its own. Replay into an empty one."
        )
    command.save(force_insert=True)


def finish(*, operator: Operator, heard: Mapping[int, LastHeard], highest_id: int, after: Mapping[str, Any]) -> None:
    """The recording is over: nobody is connected or awaited any more, and ids that are given from now on are new."""
    Command.objects.filter(station__in=list(heard), status=CommandStatus.ACCEPTED).update(
        status=CommandStatus.NO_EFFECT, finished_at=F("effect_due_at")
    )
    for station_id, last in heard.items():
        registry.bump(station_id)
        Connection.objects.filter(station_id=station_id).update(
            protocol=last.protocol, seen_at=last.at, disconnected_at=last.at, told_online=False
        )
    with connection.cursor() as cursor:
        sequence = SEQUENCES["short_transaction_id"]
        if highest_id:
            cursor.execute(f"SELECT setval(%s, GREATEST(%s, (SELECT last_value FROM {sequence})))", [sequence, highest_id])  # noqa: S608
        table = Command._meta.db_table
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence(%s, 'id'), GREATEST(1, (SELECT max(id) FROM {table})))",  # noqa: S608
            [table],
        )
    audit.record("log.replayed", operator, operator=operator, after=after)
