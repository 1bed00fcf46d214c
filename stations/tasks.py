"""Jobs of the network."""

import structlog
from celery import shared_task
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django_scopes import scopes_disabled

from stations import outbox, partitions, ports
from stations.services import (
    certificatekeeping,
    certificaterequests,
    commandends,
    commandruns,
    commandrunsteps,
    connectionkeeping,
    connections,
    customerinformation,
    diagnostics,
    displaymessage,
    eventkeeping,
    findingdays,
    firmware,
    inventories,
    locallistwork,
    logkeeping,
    networkmoves,
    presence,
    publishing,
    quarters,
    reports,
    reserving,
    retention,
    rollouts,
    rolloutsteps,
    runningcosts,
    security,
    signedreadings,
    smartcharging,
    stale,
)

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
def let_go_of_finding_days() -> int:
    """Delete the counts of findings whose day is long past (see `stations.services.findingdays`). Idempotent; returns how many."""
    return findingdays.let_go(now=timezone.now())


@shared_task
def let_go_of_logs() -> int:
    """Delete the logs whose term is over (see `stations.services.logkeeping`), their files after them. Returns how many.

    Safe when run twice, at once, or killed: files that lost their row are found by the next run.
    """
    with scopes_disabled():
        return logkeeping.let_go(now=timezone.now(), budget_s=retention.BUDGET_S)


@shared_task
def sweep_logs() -> int:
    """End the logs that will not come (see `stations.services.diagnostics.sweep`). Idempotent; returns how many ended."""
    with scopes_disabled():
        return diagnostics.sweep(now=timezone.now())


@shared_task
def count_quarters() -> int:
    """Bring quarters and days up to the samples that came (see `stations.services.quarters`). Returns how many were due."""
    with scopes_disabled():
        return quarters.count()


@shared_task
def forget_sent() -> int:
    """Forget the passwords that strangers sent, after a day (see `stations.services.connections`). Idempotent; returns how many."""
    return connections.forget_sent(now=timezone.now())


@shared_task
def forget_refusals() -> int:
    """Delete the refusals that are not kept (see `stations.services.connections`). Idempotent; returns how many."""
    return connections.forget_refusals(now=timezone.now())


@shared_task
def sweep_commands() -> int:
    """End the commands whose time is over (see `stations.services.commandends.sweep`). Idempotent; returns how many ended."""
    with scopes_disabled():
        return commandends.sweep(now=timezone.now())


@shared_task
def sweep_firmware() -> int:
    """End the firmware updates, and the publications, whose time is over (see `stations.services.firmware.sweep`, and
    `publishing.sweep`). Idempotent; returns how many ended.
    """
    with scopes_disabled():
        return firmware.sweep(now=timezone.now()) + publishing.sweep(now=timezone.now())


@shared_task
def sign_certificates() -> int:
    """Have the certificates signed that stations ask for (see `stations.services.certificaterequests.sign`). Returns how many.

    Safe when run twice, at once, or killed: a request is marked signed and its certificate sent in one transaction.
    """
    with scopes_disabled():
        return certificaterequests.sign(now=timezone.now())


@shared_task
def let_go_of_security_events() -> int:
    """Delete the security events that are older than their term (see `stations.services.security.let_go`). Returns how many."""
    return security.let_go(now=timezone.now())


@shared_task
def let_go_of_certificates() -> int:
    """Delete what was known of certificates, and requests for them, after its term (see `stations.services.certificatekeeping`).

    Idempotent; returns how many rows.
    """
    return certificatekeeping.let_go(now=timezone.now(), budget_s=retention.BUDGET_S)


@shared_task
def advance_rollouts() -> int:
    """Bring firmware roll-outs on (see `stations.services.rolloutsteps.advance`). Returns how many were looked at.

    1. Take the updates that ended from the outbox; their roll-outs are looked at, whoever else is at them.
    2. Look at the roll-outs that are due; another worker's are left to it.

    Safe when run twice, at once, or killed: each roll-out is a transaction of its own, under the lock of its row. If this ends
    between the two, a roll-out's own `due_at` brings it back.
    """
    with outbox.claim(rollouts.SUBSCRIBER, limit=500) as entries:
        ended = [entry.object_id for entry in entries]
        for entry in entries:
            with outbox.handling(entry):
                pass
    looked_at = rolloutsteps.look_at(rolloutsteps.of_updates(ended), patient=True)
    looked_at += rolloutsteps.look_at(rolloutsteps.due())
    if len(entries) == 500:
        ports.bell.work(rollouts.SUBSCRIBER)
    return looked_at


@shared_task
def advance_command_runs() -> int:
    """Bring commands for many stations on (see `stations.services.commandrunsteps.advance`). Returns how many runs were looked at.

    1. Look at the runs that are due; another worker's are left to it.
    2. Where one is due again at once, because it still chooses, call the next of these.

    Safe when run twice, at once, or killed: each run is a transaction of its own, under the lock of its row.
    """
    looked_at = commandrunsteps.look_at(commandrunsteps.due())
    if looked_at and commandrunsteps.due():
        ports.bell.work(commandruns.SUBSCRIBER)
    return looked_at


@shared_task
def notice_presence() -> int:
    """Tell which stations went away and which are back (see `stations.services.presence`). Idempotent; returns how many."""
    with scopes_disabled():
        return presence.sweep(now=timezone.now())


@shared_task
def watch_transactions() -> int:
    """Look at the transactions that are due (see `stations.services.stale`). Idempotent; returns how many."""
    with scopes_disabled():
        return stale.sweep(now=timezone.now())


@shared_task
def bring_lists_in_step() -> int:
    """Send stations what differs from their lists (see `stations.services.locallistwork`). Idempotent; returns how many."""
    with scopes_disabled():
        return locallistwork.bring_in_step()


@shared_task
def keep_lists() -> int:
    """Notice stations and tags that joined or left lists by themselves (see `stations.services.locallistwork.keep`). Idempotent."""
    with scopes_disabled():
        return locallistwork.keep()


@shared_task
def sweep_reservations() -> int:
    """End the reservations whose time is over (see `stations.services.reserving.sweep`). Idempotent; returns how many ended."""
    with scopes_disabled():
        return reserving.sweep(now=timezone.now())


@shared_task
def advance_network_moves() -> int:
    """Lead stations on to their network profiles (see `stations.services.networkmoves.advance`). Returns how many were due.

    Safe when run twice, at once, or killed: each move is a transaction of its own, under the lock of its row.
    """
    with scopes_disabled():
        return networkmoves.advance(now=timezone.now())


@shared_task
def sweep_reports() -> int:
    """Give up the reports of which pages are missing (see `stations.services.reports.sweep`). Idempotent; returns how many."""
    with scopes_disabled():
        return reports.sweep(now=timezone.now())


@shared_task
def read_device_models() -> int:
    """Ask stations for what is not known of them (see `stations.services.inventories.sweep`). Idempotent; returns how many."""
    with scopes_disabled():
        return inventories.sweep(now=timezone.now())


@shared_task
def let_go_of_events() -> int:
    """Delete what stations noticed long ago (see `stations.services.eventkeeping`). Idempotent; returns how many rows."""
    with scopes_disabled():
        return eventkeeping.let_go(now=timezone.now(), budget_s=retention.BUDGET_S)


@shared_task
def let_go_of_connections() -> int:
    """Delete old connections of stations (see `stations.services.connectionkeeping`). Idempotent; returns how many rows."""
    with scopes_disabled():
        return connectionkeeping.let_go(now=timezone.now(), budget_s=retention.BUDGET_S)


@shared_task
def let_go_of_customers() -> int:
    """Delete what stations told of customers, after its term (see `stations.services.customerinformation`). Idempotent."""
    with scopes_disabled():
        return customerinformation.let_go(now=timezone.now())


@shared_task
def tell_running_costs() -> int:
    """Tell the stations that show it what sessions cost so far (see `stations.services.runningcosts`). Returns how many were told.

    Safe when run twice or at once: a cost that was told, or is on its way, is not told again.
    """
    return runningcosts.tell(now=timezone.now())


@shared_task
def let_go_of_display_messages() -> int:
    """Delete the messages of displays that were over long ago. Idempotent; returns how many."""
    with scopes_disabled():
        return displaymessage.let_go(now=timezone.now())


@shared_task
def sweep_charging_profiles() -> int:
    """Drop profiles of sessions that are over, and offer what cars wait for (see `stations.services.smartcharging.sweep`).

    Idempotent; returns how many.
    """
    with scopes_disabled():
        return smartcharging.sweep(now=timezone.now())


@shared_task
def let_go_of_signed_readings() -> int:
    """Delete what meters signed long ago of no session. Idempotent; returns how many."""
    with scopes_disabled():
        return signedreadings.let_go()
