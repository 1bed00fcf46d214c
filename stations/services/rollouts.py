"""Roll-outs as people lead them: planned, started, held, gone on with, cancelled, tried again. `rolloutsteps` does the work.

Whoever changes a roll-out or its steps locks the roll-out's row first.
"""

from collections.abc import Sequence
from datetime import time
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Operator, User
from stations import ports
from stations import rollouts as reads
from stations.domain.commands import BadCommand
from stations.domain.rollouts import USUAL_WAVES, Selection, StopRule, sizes, waves_of
from stations.models import Firmware, FirmwareUpdate, Rollout, RolloutState, RolloutStep, StepState
from stations.models.rollout import OPEN_STEPS
from stations.services import firmware as updates

SUBSCRIBER = "rollouts"
MOST_AT_ONCE = 500
#: Steps written in one statement.
CHUNK = 1000
USUAL_RULE = StopRule()
#: A single station that is here can be tried again.
RETRYABLE = (StepState.FAILED, StepState.SKIPPED, StepState.CANCELLED)


def create(
    *,
    firmware: Firmware,
    name: str = "",
    selection: Selection | None = None,
    waves: Sequence[str] = USUAL_WAVES,
    window_start: time | None = None,
    window_end: time | None = None,
    window_days: Sequence[int] = (),
    forced: bool = False,
    at_once: int = 10,
    rule: StopRule = USUAL_RULE,
    user: User | None = None,
    idempotency_key: str | None = None,
) -> Rollout:
    """A draft: nobody is asked for anything yet. With an idempotency key that was used before, the one it was used for, `repeated`.

    Raises BadCommand for a plan that cannot be carried out.
    """
    _check(firmware, window_start, window_end, window_days, at_once, rule)
    chosen = selection or Selection()
    rollout = Rollout(
        operator_id=firmware.operator_id,
        firmware=firmware,
        name=name.replace("\x00", "").strip()[:120] or f"{firmware.vendor} {firmware.model} {firmware.version}".replace("  ", " "),
        selection=chosen.kept(),
        waves=waves_of(waves),
        window_start=window_start,
        window_end=window_end,
        window_days=sorted(set(window_days)),
        forced=forced,
        at_once=at_once,
        failed_percent=rule.failed_percent,
        judge_after=rule.after,
        most_lost=rule.lost,
        made_by=user,
        created_at=timezone.now(),
        idempotency_key=idempotency_key or None,
    )
    with transaction.atomic():
        if idempotency_key:
            # Whoever comes with the same key at the same time waits here; batches, which only name the operator, do not.
            Operator.objects.select_for_update(no_key=True).get(pk=rollout.operator_id)
            known = Rollout.objects.filter(operator_id=rollout.operator_id, idempotency_key=idempotency_key).first()
            if known is not None:
                known.repeated = True
                return known
        rollout.save(force_insert=True)
        audit.record("rollout.created", rollout, operator=rollout.operator_id, after=_plan(rollout))
    return rollout


def _check(firmware: Firmware, start: time | None, end: time | None, days: Sequence[int], at_once: int, rule: StopRule) -> None:
    if firmware.withdrawn_at is not None:
        raise BadCommand("Version %(version)s was withdrawn: choose another image.", version=firmware.version)
    if (start is None) != (end is None) or (start is not None and start == end):
        raise BadCommand("A window has a beginning and an end that differ, or neither.")
    if any(day not in range(7) for day in days):
        raise BadCommand("Days are numbers from 0 (Monday) to 6 (Sunday).")
    bounds = (
        ("at_once", at_once, 1, MOST_AT_ONCE),
        ("failed_percent", rule.failed_percent, 0, 100),
        ("judge_after", rule.after, 1, reads.MOST),
        ("most_lost", rule.lost, 0, reads.MOST),
    )
    for name, value, least, most in bounds:
        if not least <= value <= most:
            raise BadCommand("%(name)s must be from %(least)s to %(most)s.", name=name, least=least, most=most)


def _plan(rollout: Rollout) -> dict[str, Any]:
    names = ("name", "firmware", "selection", "waves", "window_start", "window_end", "window_days", "forced", "at_once")
    return audit.fields_of(rollout, *names, "failed_percent", "judge_after", "most_lost")


def discard(*, rollout: Rollout) -> bool:
    """Throw a draft away. False: it was started meanwhile."""
    with transaction.atomic():
        locked = lock(rollout.pk)
        if locked.state != RolloutState.DRAFT:
            return False
        audit.record("rollout.discarded", locked, operator=locked.operator_id, before=_plan(locked))
        locked.delete()
    return True


def start(*, rollout: Rollout, user: User | None = None, seal: str | None = None) -> bool:
    """Choose the stations and begin with the first wave. False: it was started already.

    `seal`: of the preview that was looked at; raises BadCommand if other stations would be taken now, or none, or too many.
    """
    with transaction.atomic():
        locked = lock(rollout.pk)
        if locked.state != RolloutState.DRAFT:
            return False
        if locked.firmware.withdrawn_at is not None:
            raise BadCommand("Version %(version)s was withdrawn: choose another image.", version=locked.firmware.version)
        # Whoever starts another one meanwhile waits here, so that no station is taken twice.
        Operator.objects.select_for_update(no_key=True).get(pk=locked.operator_id)
        now = timezone.now()
        selection = Selection.of(locked.selection)
        found = reads.preview(locked.firmware, selection)
        if seal is not None and seal != found.seal:
            raise BadCommand("The chargers have changed since you looked: look at the list again, and start then.")
        if not found.total:
            raise BadCommand("No charger is taken: widen the choice.")
        if found.total > reads.MOST:
            raise BadCommand("More than %(most)s chargers are taken: narrow the choice.", most=reads.MOST)
        stations = reads.taken(locked.firmware, selection).values_list("pk", flat=True)
        numbers = [number for number, size in enumerate(sizes(locked.waves, len(stations)), 1) for _ in range(size)]
        rows = [
            RolloutStep(rollout=locked, station_id=pk, wave=wave, due_at=now) for pk, wave in zip(stations, numbers, strict=True)
        ]
        RolloutStep.objects.bulk_create(rows, batch_size=CHUNK)
        locked.state, locked.wave, locked.started_by, locked.started_at = RolloutState.RUNNING, 1, user, now
        locked.judged_from = locked.due_at = now
        locked.save()
        audit.record("rollout.started", locked, operator=locked.operator_id, note=f"{len(rows)} stations")
        told(locked)
    return True


def pause(*, rollout: Rollout, user: User | None = None) -> bool:
    """Begin with nobody else. What runs at stations comes to its end. False: it does not run."""
    with transaction.atomic():
        locked = lock(rollout.pk)
        if locked.state != RolloutState.RUNNING:
            return False
        hold(locked, {"by": "person", "who": user.email if user else audit.current().label})
    return True


def hold(locked: Rollout, why: dict[str, Any]) -> None:
    """Pause it, and say why."""
    locked.state, locked.held, locked.due_at = RolloutState.PAUSED, why, timezone.now()
    locked.save(update_fields=["state", "held", "due_at"])
    note = ", ".join(f"{name} {value}" for name, value in why.items() if name not in ("by", "who"))
    audit.record("rollout.paused", locked, operator=locked.operator_id, note=note)
    told(locked)


def resume(*, rollout: Rollout) -> bool:
    """Go on. The stop rule counts anew from here: whoever goes on has seen what had failed. False: it is not paused."""
    with transaction.atomic():
        locked = lock(rollout.pk)
        if locked.state != RolloutState.PAUSED:
            return False
        if locked.firmware.withdrawn_at is not None:
            raise BadCommand("Version %(version)s was withdrawn: choose another image.", version=locked.firmware.version)
        _run(locked)
        audit.record("rollout.resumed", locked, operator=locked.operator_id)
    return True


def _run(locked: Rollout) -> None:
    now = timezone.now()
    locked.state, locked.held, locked.judged_from, locked.due_at, locked.finished_at = RolloutState.RUNNING, {}, now, now, None
    locked.save(update_fields=["state", "held", "judged_from", "due_at", "finished_at"])
    told(locked)


def cancel(*, rollout: Rollout) -> bool:
    """Begin with nobody else, ever. False: it is over already, or never began.

    Stations that were sent their update and have not begun to fetch the image get it no more; the others finish theirs, since OCPP
    has no word to call it back.
    """
    with transaction.atomic():
        locked = lock(rollout.pk)
        if locked.state not in (RolloutState.RUNNING, RolloutState.PAUSED):
            return False
        now = timezone.now()
        waiting = RolloutStep.objects.filter(rollout=locked, state=StepState.WAITING)
        n = waiting.update(state=StepState.CANCELLED, reason="", finished_at=now)
        under_way = FirmwareUpdate.objects.filter(rollout_step__rollout=locked, rollout_step__state=StepState.UPDATING)
        unfetched = under_way.filter(status__in=updates.UNFETCHED).select_related("operator", "station", "firmware", "command")
        for update in unfetched.order_by("station"):
            updates.cancel(update=update, fetching=False)
        locked.state, locked.held, locked.due_at = RolloutState.CANCELLED, {}, now
        locked.finished_at = now
        locked.save(update_fields=["state", "held", "due_at", "finished_at"])
        audit.record("rollout.cancelled", locked, operator=locked.operator_id, note=f"{n} stations were still waiting")
        told(locked)
    return True


def retry(*, rollout: Rollout, step: RolloutStep | None = None) -> int:
    """Try stations that failed once more: all, or one, which may also have been left out or taken back. Returns how many.

    A roll-out that was done runs again, and its stop rule counts anew; in one that runs, what else failed still counts. One that
    was cancelled stays so. A station that is in another roll-out now is left.
    """
    with transaction.atomic():
        locked = lock(rollout.pk)
        if locked.state not in (RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.DONE):
            return 0
        Operator.objects.select_for_update(no_key=True).get(pk=locked.operator_id)
        failed = RolloutStep.objects.filter(rollout=locked, state__in=RETRYABLE)
        failed = failed.filter(pk=step.pk) if step else failed.filter(state=StepState.FAILED)
        elsewhere = RolloutStep.objects.filter(state__in=OPEN_STEPS).exclude(rollout=locked).values("station")
        now = timezone.now()
        n = failed.exclude(station__in=elsewhere).update(
            state=StepState.WAITING, reason="", detail="", update=None, due_at=now, finished_at=None
        )
        if n:
            label = step.station.identity if step else ""
            note = f"{n} stations" + (f": {label}" if label else "")
            audit.record("rollout.retried", locked, operator=locked.operator_id, note=note)
            if locked.state == RolloutState.DONE:
                _run(locked)
            else:
                Rollout.objects.filter(pk=locked.pk).update(due_at=now)
                told(locked)
    return n


def skip(*, step: RolloutStep) -> bool:
    """Leave out a station that waits. False: it does not wait any more."""
    with transaction.atomic():
        locked = lock(step.rollout_id)
        now = timezone.now()
        waits = RolloutStep.objects.filter(pk=step.pk, state=StepState.WAITING)
        if not waits.update(state=StepState.SKIPPED, reason="person", finished_at=now):
            return False
        Rollout.objects.filter(pk=locked.pk).update(due_at=now)
        audit.record("rollout.left_out", locked, operator=locked.operator_id, note=step.station.identity)
        told(locked)
    return True


def lock(pk: int) -> Rollout:
    return Rollout.objects.select_related("firmware").select_for_update(of=("self",)).get(pk=pk)


def told(rollout: Rollout) -> None:
    """Call the workers, once it is committed."""
    transaction.on_commit(lambda: ports.bell.work(SUBSCRIBER))
