"""Stations and an image for them, and what stations would have said of their updates."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django_scopes import scope, scopes_disabled

from stations.models import Connection, Firmware, FirmwareUpdate, OutboxEntry, Rollout, RolloutStep, Station
from stations.services import rollouts, rolloutsteps
from tests.database import tables
from tests.network import Network

VENDOR, MODEL, OLD, NEW = "Amber", "AG-22", "1.0.0", "2.1.0"


@tables
def image(network: Network, **fields: Any) -> Firmware:
    given = {"vendor": VENDOR, "model": MODEL, "version": NEW, "name": "ag-22.bin", "path": "none", "size": 1000}
    with scopes_disabled():
        return Firmware.objects.create(
            operator=network.operator, sha256="0" * 64, md5="0" * 32, created_at=timezone.now(), **given | fields
        )


@tables
def chargers(network: Network, count: int, *, online: bool = True, **fields: Any) -> list[Station]:
    """Stations that the image fits, all of them heard just now unless they are offline."""
    given = {"vendor": VENDOR, "model": MODEL, "firmware_version": OLD, "accepted": "accepted_at" not in fields} | fields
    made = [network.station(**given) for _ in range(count)]
    now = timezone.now()
    if online:
        with scopes_disabled():
            Connection.objects.filter(station__in=made).update(
                seen_at=now, connected_at=now - timedelta(days=1), disconnected_at=None, protocol="ocpp1.6"
            )
    return made


@tables
def plan(firmware: Firmware, *, start: bool = True, **options: Any) -> Rollout:
    with scope(operator=firmware.operator):
        made = rollouts.create(firmware=firmware, **options)
        if start:
            assert rollouts.start(rollout=made)
    return now_is(made)


@tables
def advance(rollout: Rollout) -> Rollout:
    """As a worker does, whenever that would be; whoever waits is looked at at once."""
    with scopes_disabled():
        long_ago = timezone.now() - timedelta(seconds=1)
        RolloutStep.objects.filter(rollout=rollout, state="waiting").exclude(reason="window").update(due_at=long_ago)
    rolloutsteps.advance(rollout_id=rollout.pk)
    return now_is(rollout)


@tables
def now_is(rollout: Rollout) -> Rollout:
    with scopes_disabled():
        return Rollout.objects.select_related("firmware", "operator").get(pk=rollout.pk)


@tables
def steps(rollout: Rollout, **only: Any) -> list[RolloutStep]:
    with scopes_disabled():
        found = RolloutStep.objects.filter(rollout=rollout, **only).select_related("station", "update").order_by("id")
        return list(found)


def states(rollout: Rollout) -> dict[str, int]:
    found: dict[str, int] = {}
    for step in steps(rollout):
        found[step.state] = found.get(step.state, 0) + 1
    return found


@tables
def ends(step: RolloutStep, reason: str = "", at: datetime | None = None) -> None:
    """The update of a step has ended: done, or failed for a reason."""
    at = at or timezone.now()
    with scopes_disabled():
        FirmwareUpdate.objects.filter(rollout_step=step).update(
            status="failed" if reason else "done", reason=reason, finished_at=at, status_at=at
        )
        OutboxEntry.objects.get_or_create(
            operator=step.station.operator, topic="firmware_update.ended", subscriber=rollouts.SUBSCRIBER,
            object_id=step.update_id, defaults={"created_at": at, "due_at": at},
        )  # fmt: skip
        if not reason:
            Station.objects.filter(pk=step.station_id).update(firmware_version=NEW)


def all_end(rollout: Rollout, reason: str = "") -> int:
    """What runs ends; returns how many did."""
    running = steps(rollout, state="updating")
    for step in running:
        ends(step, reason)
    return len(running)


@tables
def started(network: Network) -> Rollout:
    """The one that was started last."""
    with scopes_disabled():
        return Rollout.objects.filter(operator=network.operator, state="running").latest("id")
