"""Tasks that only tests run, in a real Celery worker."""

from celery import shared_task
from django_scopes import scope

from stations.domain import commands
from stations.models import Station
from stations.services import commands as life


@shared_task(name="tests.celery_tasks.issue")
def issue(station_id: int) -> None:
    """Ask a station to clear its cache."""
    station = Station.objects.with_scopes_disabled().select_related("operator").get(pk=station_id)
    with scope(operator=station.operator):
        life.issue(station=station, command=commands.ClearCache(), reason="from a worker")
