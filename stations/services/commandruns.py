"""One thing asked of many stations at once: a command for each, so that each has its own life."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Operator, User
from stations import models
from stations.domain.commands import BadCommand, Command
from stations.models import CommandRun, Station
from stations.services import commands

#: Stations that can be asked at once.
MOST = 500


@transaction.atomic
def start(
    *, operator: Operator, token: str, asked: Sequence[tuple[Station, Command]], user: User | None = None, reason: str = ""
) -> CommandRun:
    """Ask each of these stations. With a token that was used before, returns the run it was used for and asks nobody again.

    Raises BadCommand if there are too many stations or none, or if a command makes no sense; then nobody is asked.
    """
    if not 0 < len(asked) <= MOST:
        raise BadCommand("From 1 to %(most)s stations can be asked at once, not %(n)s.", most=MOST, n=len(asked))
    first = asked[0][1]
    run, new = CommandRun.objects.get_or_create(
        operator=operator,
        token=token,
        defaults={
            "kind": first.kind,
            "params": first.without_secrets(),
            "reason": reason[:200],
            "requested_by": user,
            "created_at": timezone.now(),
        },
    )
    if new:
        rows, told = [], []
        for station, command in asked:
            command.check()
            row = commands.ready(station=station, command=command, user=user, reason=reason, run=run)
            rows.append(row)
            told.append(commands.told(row, station, command))
        for row in models.Command.objects.bulk_create(rows):
            commands.asked(row)
        audit.record("run.started", run, operator=operator, after=commands.shown(first) | {"stations": len(rows)}, note=run.reason)
        audit.record_all(told)
    return run
