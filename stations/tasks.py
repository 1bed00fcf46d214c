"""Jobs of the network."""

import structlog
from celery import shared_task
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django_scopes import scopes_disabled

from stations import partitions
from stations.services import commandends, presence, quarters, retention

log = structlog.get_logger(__name__)


@shared_task
def make_partitions() -> list[str]:
    """Make the monthly partitions of the next three months.

    1. Take an advisory lock, so that two beats do no harm.
    2. For each partitioned table and month without a partition, make one and move what waited in the default partition.
    3. Where somebody uses a table for too long, leave it to the next run: there are months of time.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{partitions.PATIENCE}'")
            return partitions.make(cursor, timezone.now().date())
    except OperationalError as error:
        if not partitions.is_busy(error):
            raise
        log.info("a table is in use; its partitions are made another time")
        return []


@shared_task
def let_go() -> int:
    """Drop and delete what is older than its term (see `stations.services.retention`). Returns how many rows were deleted.

    1. Drop the months that nobody keeps, if nobody reads the table for long; else leave them to the next run.
    2. Delete in batches what operators keep for a shorter time than the system, and what is over in the default partition.
    3. Drop the months that are empty now.
    4. When the time is up, leave the rest to the next run.

    Safe when run twice, at once, or killed: every step is a transaction of its own, under an advisory lock.
    """
    with scopes_disabled():
        return retention.let_go(now=timezone.now()).deleted


@shared_task
def count_quarters() -> int:
    """Bring quarters and days up to the samples that came (see `stations.services.quarters`). Returns how many were due."""
    with scopes_disabled():
        return quarters.count()


@shared_task
def sweep_commands() -> int:
    """End the commands whose time is over (see `stations.services.commandends.sweep`). Idempotent; returns how many ended."""
    with scopes_disabled():
        return commandends.sweep(now=timezone.now())


@shared_task
def notice_presence() -> int:
    """Tell which stations went away and which are back (see `stations.services.presence`). Idempotent; returns how many."""
    with scopes_disabled():
        return presence.sweep(now=timezone.now())
