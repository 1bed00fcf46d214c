"""A roll-out with a station at every step, and a draft beside it."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from stations.models import Firmware, FirmwareUpdate, Rollout, RolloutStep
from tests.network import Network
from tests.stations.rollingout import chargers, image

#: State, reason, and the status of the update.
STEPS = (
    ("done", "", "done"),
    ("failed", "download", "failed"),
    ("failed", "lost", "failed"),
    ("updating", "", "downloading"),
    ("updating", "", "rebooting"),
    ("skipped", "version", ""),
    ("cancelled", "", ""),
    ("waiting", "charging", ""),
    ("waiting", "", ""),
)


@dataclass
class RolledOut:
    image: Firmware
    rollout: Rollout
    draft: Rollout
    failed: RolloutStep


def rolled_out(network: Network, *, state: str = "paused", copies: int = 1) -> RolledOut:
    """Held by its stop rule, half-way. Made without a scope."""
    now, firmware = timezone.now(), image(network)
    given = {"operator": network.operator, "firmware": firmware, "waves": ["1", "100%"], "created_at": now}
    rollout = Rollout.objects.create(
        **given, name="Nightly", state=state, wave=2, started_at=now, judged_from=now, window_start="22:00", window_end="05:00",
        held={"by": "rule", "code": "failed", "failed": 2, "ended": 3, "percent": 20} if state == "paused" else {},
    )  # fmt: skip
    for state, reason, status in STEPS * copies:
        (station,) = chargers(network, 1, online=False)
        step = RolloutStep.objects.create(
            rollout=rollout, station=station, wave=1 if state == "done" else 2, state=state, reason=reason, due_at=now,
            update=_update(network, firmware, station.pk, status) if status else None, attempt=1 if status else 0,
        )  # fmt: skip
    draft = Rollout.objects.create(**given, name="Drafted", selection={"offline": True})
    failed = RolloutStep.objects.filter(rollout=rollout, state="failed").first()
    assert failed is not None
    assert step.state == "waiting"
    return RolledOut(firmware, rollout, draft, failed)


def _update(network: Network, firmware: Firmware, station_id: int, status: str) -> FirmwareUpdate:
    now = timezone.now()
    ended = status in ("done", "failed")
    return FirmwareUpdate.objects.create(
        operator=network.operator, station_id=station_id, firmware=firmware, attempt=1, request_id=station_id,
        token_hash=f"{station_id:064d}", expires_at=now + timedelta(hours=1), status=status, status_at=now,
        due_at=now + timedelta(hours=1),
        steps=[[now.isoformat(), "downloading", "Fetches the file"], [now.isoformat(), status, ""]],
        created_at=now, finished_at=now if ended else None,
    )  # fmt: skip
