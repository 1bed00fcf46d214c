"""Stations that are asked together, and what a worker does about it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django_scopes import scope, scopes_disabled

from stations.domain import commands
from stations.models import Command, CommandRun, CommandRunStep, Connection, Station
from stations.services import commandruns, commandrunsteps
from tests.database import tables
from tests.network import Network


@tables
def chargers(network: Network, count: int, *, online: bool = True, protocol: str = "ocpp1.6", **fields: Any) -> list[Station]:
    made = [network.station(accepted=True, **fields) for _ in range(count)]
    if online:
        heard(*made, protocol=protocol)
    return made


@tables
def heard(*stations: Station, ago: timedelta = timedelta(), **fields: Any) -> None:
    now = timezone.now()
    with scopes_disabled():
        of = Connection.objects.filter(station__in=stations)
        of.update(seen_at=now - ago, connected_at=now - timedelta(days=1), disconnected_at=None, **fields)


@tables
def ask(network: Network, stations: list[Station] | None = None, **options: Any) -> CommandRun:
    """Of these, else of all that match the filter."""
    chosen = {"stations": [one.identity for one in stations]} if stations is not None else {"filter": {}}
    given = {"token": "t", "selection": chosen, "command": commands.ClearCache(), "pace": commandruns.Pace(2, 0)} | options
    with scope(operator=network.operator):
        return commandruns.start(operator=network.operator, **given)


@tables
def brought_on(times: int = 1) -> None:
    """As workers do with the runs that are due, so often; time passes between."""
    for _ in range(times):
        with scopes_disabled():
            CommandRun.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - timedelta(seconds=1))
        commandrunsteps.look_at(commandrunsteps.due())


@tables
def end(run: CommandRun, status: str = "confirmed", limit: int | None = None) -> int:
    """What is under way ends so. Returns how many did."""
    with scopes_disabled():
        of = Command.objects.filter(run=run, finished_at__isnull=True).order_by("id").values_list("pk", flat=True)
        return Command.objects.filter(pk__in=list(of[:limit])).update(status=status, finished_at=timezone.now(), detail="Said so")


@tables
def states(run: CommandRun) -> list[str]:
    with scopes_disabled():
        return list(CommandRunStep.objects.filter(run=run).order_by("id").values_list("state", flat=True))


@tables
def now_is(run: CommandRun) -> CommandRun:
    with scopes_disabled():
        return CommandRun.objects.select_related("operator").get(pk=run.pk)
