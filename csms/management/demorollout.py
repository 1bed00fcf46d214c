"""The demo's roll-out: half-way, held by its stop rule, so that whoever comes can retry what failed, resume, and watch the rest."""

import hashlib
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Operator
from csms.files import images
from csms.simulator import demo
from stations.models import (
    Firmware,
    FirmwareUpdate,
    Rollout,
    RolloutState,
    RolloutStep,
    Station,
    StepState,
    UpdateFailure,
    UpdateStatus,
)
from stations.services import firmware

WALKED = ("downloading", "downloaded", "installing", "rebooting", "done")


def make(operator: Operator) -> None:
    """As if Ada had begun it this morning. Written as rows: no station was asked."""
    stations = {one.identity: one for one in Station.objects.filter(identity__in=demo.ROLLED_OUT)}
    image = _image(operator)
    began = timezone.now() - timedelta(hours=3)
    ada = operator.users.order_by("id").first()
    rollout = Rollout.objects.create(
        operator=operator,
        firmware=image,
        name="Steadier restarts",
        waves=["1", "50%", "100%"],
        at_once=2,
        judge_after=3,
        state=RolloutState.PAUSED,
        wave=2,
        held={"by": "rule", "code": "failed", "wave": 2, "failed": 1, "ended": 3, "percent": 20},
        made_by=ada,
        started_by=ada,
        created_at=began,
        started_at=began,
        judged_from=began,
    )
    for number, (identity, (wave, state)) in enumerate(demo.ROLLED_OUT.items()):
        began_at = began + timedelta(minutes=20 * number)
        update = _update(stations[identity], image, state, began_at) if state != StepState.WAITING else None
        RolloutStep.objects.create(
            rollout=rollout,
            station=stations[identity],
            wave=wave,
            state=state,
            reason=update.reason if update else "",
            attempt=1 if update else 0,
            update=update,
            due_at=began,
            started_at=update.created_at if update else None,
            finished_at=update.finished_at if update else None,
        )


def _image(operator: Operator) -> Firmware:
    vendor, model, version = demo.ROLLOUT
    with images.stored([f"{vendor} {model} {version}\n".encode() * 50_000], operator_id=operator.pk) as stored:
        return firmware.add_firmware(
            operator=operator,
            vendor=vendor,
            model=model,
            version=version,
            name=f"{model}-{version}.bin",
            notes="The demo's: it holds nothing but its own name, which the simulated chargers take for their new version.",
            **stored,
        )


def _update(station: Station, image: Firmware, state: str, at: datetime) -> FirmwareUpdate:
    walked = WALKED if state == StepState.DONE else ("downloading", "failed")
    ended = at + timedelta(minutes=len(walked))
    return FirmwareUpdate.objects.create(
        operator_id=station.operator_id,
        station=station,
        firmware=image,
        attempt=1,
        request_id=1,
        token_hash=hashlib.sha256(f"demo {station.pk}".encode()).hexdigest(),
        expires_at=ended,
        status=UpdateStatus.DONE if state == StepState.DONE else UpdateStatus.FAILED,
        reason="" if state == StepState.DONE else UpdateFailure.DOWNLOAD,
        status_at=ended,
        due_at=ended,
        firmware_before="1.0.0",
        bytes_served=image.size if state == StepState.DONE else image.size // 3,
        steps=[[(at + timedelta(minutes=n)).isoformat(), step, ""] for n, step in enumerate(("sent", *walked))],
        created_at=at,
        finished_at=ended,
    )
