"""Jobs of the network."""

from celery import shared_task
from django.db import connection, transaction
from django.utils import timezone
from django_scopes import scopes_disabled

from stations import partitions
from stations.services import commandends


@shared_task
def make_partitions() -> list[str]:
    """Make the monthly partitions of the next three months.

    1. Take an advisory lock, so that two beats do no harm.
    2. For each partitioned table and month without a partition, make one and move what waited in the default partition.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        return partitions.make(cursor, timezone.now().date())


@shared_task
def sweep_commands() -> int:
    """End the commands whose time is over (see `stations.services.commandends.sweep`). Idempotent; returns how many ended."""
    with scopes_disabled():
        return commandends.sweep(now=timezone.now())
