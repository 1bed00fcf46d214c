"""The work of roll-outs: one function, `advance`, that may be called at any time, by any worker, as often as one likes.

It has the roll-out's row locked and does everything in one transaction. So whoever is killed in the middle has done nothing, and
an update is started together with the step that says so: no station is lost, none is sent twice.
"""

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, Q
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from stations import ports, selectors
from stations import rollouts as reads
from stations.domain.commands import BadCommand
from stations.domain.values import TransactionStatus
from stations.models import (
    CommandStatus,
    FirmwareUpdate,
    Rollout,
    RolloutState,
    RolloutStep,
    Station,
    StepState,
    Transaction,
    UpdateStatus,
)
from stations.models.rollout import FOLLOWED, OPEN_STEPS
from stations.services import firmware, rollouts
from stations.services.firmwareprogress import same_version

#: A station that could not begin is looked at again after so long.
LOOK_AGAIN = timedelta(seconds=15)
#: A roll-out is looked at at least this often, whatever bells were missed.
SWEEP = timedelta(seconds=30)
#: Updates begun in one transaction, and stations looked at for them.
BURST, LOOKED_AT = 50, 200
#: How long an update waits for a station that went away just now.
EXPIRES_S = 900
#: Steps that are ended in one transaction.
SETTLED = 500

#: The word of what was broken, and its numbers.
Broken = tuple[str, dict[str, int]]
log = structlog.get_logger(__name__)


def due() -> list[int]:
    """Roll-outs that are to be looked at now."""
    with scopes_disabled():
        return list(Rollout.objects.filter(due_at__lte=timezone.now()).order_by("due_at").values_list("pk", flat=True)[:1000])


def of_updates(updates: Sequence[int]) -> list[int]:
    """The roll-outs to which these updates belong."""
    with scopes_disabled():
        return sorted(set(RolloutStep.objects.filter(update__in=updates).values_list("rollout", flat=True)))


def advance(*, rollout_id: int, patient: bool = False) -> bool:
    """Bring a roll-out one step on. `patient`: wait for a worker that is at it; else leave it to them (False). The steps:

    1. Lock it. 2. End the steps whose update has ended. 3. If it runs: hold it if the stop rule is broken, else open the next
    wave if this one is over. 4. Start as many updates as there is room for. 5. Say when to look again.
    """
    with transaction.atomic(), scopes_disabled():
        rows = Rollout.objects.select_related("operator", "firmware", "started_by")
        rollout = rows.select_for_update(of=("self",), skip_locked=not patient).filter(pk=rollout_id).first()
        if rollout is None:
            return False
        with scope(operator=rollout.operator):
            _advance(rollout, timezone.now())
    return True


def look_at(found: Sequence[int], *, patient: bool = False) -> int:
    """`advance` each of these roll-outs. One that cannot be brought on is logged and stays due; no other waits for it."""
    moved = 0
    for pk in found:
        try:
            moved += advance(rollout_id=pk, patient=patient)
        except Exception:
            log.exception("a roll-out could not be brought on", rollout=pk)
    return moved


def _advance(rollout: Rollout, now: datetime) -> None:
    moved = _settle(rollout, now)
    full = False
    if rollout.state == RolloutState.PAUSED and not RolloutStep.objects.filter(rollout=rollout, state__in=OPEN_STEPS).exists():
        rollout.state, rollout.held, rollout.finished_at = RolloutState.DONE, {}, now
    if rollout.state == RolloutState.RUNNING and not _held(rollout, now):
        full, begun = _begin(rollout, now)
        moved |= begun
        if begun:
            # Whoever was left out may have been the last of the wave.
            _held(rollout, now)
    rollout.due_at = _next_look(rollout, now, full)
    rollout.save(update_fields=["state", "held", "wave", "due_at", "finished_at"])
    for station_id in moved:
        transaction.on_commit(lambda pk=station_id: ports.bell.changed(rollout.operator_id, stations=[pk], transactions=[]))  # type: ignore[misc]  # a default binds it


def _settle(rollout: Rollout, now: datetime) -> set[int]:
    """End the steps whose update has ended. Returns their stations. They end now, so that the stop rule counts what ended unseen.

    One that was never sent, because the station went away just before, is no failure: the station waits until it is back.
    """
    ended = Q(update__isnull=True) | Q(update__finished_at__isnull=False)
    steps = list(
        RolloutStep.objects.filter(ended, rollout=rollout, state=StepState.UPDATING).select_related("update__command")[:SETTLED]
    )
    lost = {step.station_id for step in steps if step.update and step.update.reason == "timeout"}
    lost -= set(selectors.online(now).filter(pk__in=lost).values_list("pk", flat=True)) if lost else set()
    for step in steps:
        update = step.update
        step.finished_at = now
        if update is None:
            step.state, step.reason = StepState.FAILED, "gone"
        elif update.status == UpdateStatus.DONE:
            step.state, step.reason, step.detail = StepState.DONE, "", ""
        elif update.reason == "cancelled":
            step.state, step.reason, step.detail = StepState.CANCELLED, "", update.detail
        elif update.command is not None and update.command.status == CommandStatus.EXPIRED:
            again = rollout.state != RolloutState.CANCELLED
            step.state, step.reason, step.detail = (StepState.WAITING, "offline", "") if again else (StepState.CANCELLED, "", "")
            step.update, step.attempt, step.due_at, step.finished_at = None, step.attempt - 1, now, None if again else now
        else:
            step.state, step.detail = StepState.FAILED, update.detail
            step.reason = "lost" if step.station_id in lost else update.reason
    RolloutStep.objects.bulk_update(steps, ["state", "reason", "detail", "attempt", "update", "due_at", "finished_at"])
    return {step.station_id for step in steps}


def _held(rollout: Rollout, now: datetime) -> bool:
    """Judge it: hold it, end it, or open the waves that are next. True if nobody may begin now."""
    if rollout.firmware.withdrawn_at is not None:
        return _hold(rollout, ("withdrawn", {}))
    while True:
        counts = _counts(rollout)
        # A wave by itself too: many that went well before are no reason to let most of this one fail.
        if counts["waiting"] and (broken := _broken(rollout, counts) or _broken(rollout, counts, "wave_")):
            return _hold(rollout, broken)
        if not counts["waiting"]:
            if not counts["updating"]:
                rollout.state, rollout.finished_at = RolloutState.DONE, now
                log.info("roll-out is done", rollout=rollout.pk, operator=rollout.operator_id)
            return True
        if counts["wave_open"]:
            return False
        if broken := _broken(rollout, counts, "wave_", final=True):
            return _hold(rollout, broken)
        rollout.wave += 1


def _hold(rollout: Rollout, broken: Broken) -> bool:
    code, numbers = broken
    log.warning("roll-out holds by its stop rule", rollout=rollout.pk, operator=rollout.operator_id, rule=code, **numbers)
    rollouts.hold(rollout, {"by": "rule", "code": code, "wave": rollout.wave} | numbers)
    return True


def _counts(rollout: Rollout) -> dict[str, int]:
    """Of all, and (`wave_...`) of the open wave. What ended before `judged_from` has been judged."""
    recent = Q(finished_at__gte=rollout.judged_from)
    kinds = {
        "done": Q(state=StepState.DONE) & recent,
        "failed": Q(state=StepState.FAILED) & recent,
        "lost": Q(state=StepState.FAILED, reason="lost") & recent,
    }
    here = Q(wave=rollout.wave)
    return RolloutStep.objects.filter(rollout=rollout).aggregate(
        waiting=Count("pk", filter=Q(state=StepState.WAITING)),
        updating=Count("pk", filter=Q(state=StepState.UPDATING)),
        # A station of an earlier wave that is tried again must end, too.
        wave_open=Count("pk", filter=Q(state__in=OPEN_STEPS, wave__lte=rollout.wave)),
        **{name: Count("pk", filter=kind) for name, kind in kinds.items()},
        **{f"wave_{name}": Count("pk", filter=kind & here) for name, kind in kinds.items()},
    )


def _broken(rollout: Rollout, counts: dict[str, int], of: str = "", *, final: bool = False) -> Broken | None:
    done, failed, lost = (counts[of + name] for name in ("done", "failed", "lost"))
    return rollout.rule.broken(done=done, failed=failed, lost=lost, final=final)


def _begin(rollout: Rollout, now: datetime) -> tuple[bool, set[int]]:
    """Start updates. Returns whether there is no room for more, and the stations of which something changed."""
    updating = RolloutStep.objects.filter(rollout=rollout, state=StepState.UPDATING).count()
    room = min(rollout.at_once - updating, BURST)
    if room <= 0:
        return True, set()
    steps = RolloutStep.objects.filter(rollout=rollout, state=StepState.WAITING, wave__lte=rollout.wave, due_at__lte=now)
    steps = steps.select_related("station__site").select_for_update(of=("self",), skip_locked=True)
    candidates = list(steps.order_by("due_at", "id")[:LOOKED_AT])
    hurdles = Hurdles(rollout, [step.station_id for step in candidates], now)
    able = list(itertools.islice((step for step in candidates if not hurdles.stand_before(step)), room))
    # By key, as batches lock their stations.
    for step in sorted(able, key=lambda step: step.station_id):
        _start(rollout, step, now)
    RolloutStep.objects.bulk_update(
        candidates, ["state", "reason", "detail", "attempt", "update", "due_at", "started_at", "finished_at"]
    )
    return len(able) == room, {step.station_id for step in candidates if step.state != StepState.WAITING}


def _start(rollout: Rollout, step: RolloutStep, now: datetime) -> None:
    """Start one update; a station that cannot be asked at all has failed."""
    step.attempt += 1
    step.started_at, step.reason, step.detail = now, "", ""
    try:
        with transaction.atomic():
            step.update = firmware.start(
                station=step.station,
                firmware=rollout.firmware,
                user=rollout.started_by,
                reason=f"Roll-out {rollout.name}",
                expires_in=EXPIRES_S,
            )
    except BadCommand as error:
        step.state, step.reason, step.detail, step.finished_at = StepState.FAILED, "rejected", str(error)[:300], now
    else:
        step.state = StepState.UPDATING


class Hurdles:
    """What keeps stations from beginning now: a query for each kind, however many stations."""

    def __init__(self, rollout: Rollout, stations: Sequence[int], now: datetime) -> None:
        self.rollout, self.now = rollout, now
        self.online = set(selectors.online(now).filter(pk__in=stations).values_list("pk", flat=True))
        fit = Station.objects.filter(reads.fits(rollout.firmware), pk__in=stations)
        self.fit = set(fit.values_list("pk", flat=True))
        open_updates = FirmwareUpdate.objects.filter(station__in=stations, finished_at__isnull=True)
        self.busy = set(open_updates.values_list("station", flat=True))
        running = Transaction.objects.filter(station__in=stations, status=TransactionStatus.ACTIVE)
        self.charging = set() if rollout.forced else set(running.values_list("station", flat=True))

    def stand_before(self, step: RolloutStep) -> bool:
        """Write on the step why it cannot begin: it waits, or is left out because it need not or must not begin at all."""
        station = step.station
        if same_version(station.firmware_version, self.rollout.firmware.version):
            return self._leave_out(step, reads.VERSION)
        if step.station_id not in self.fit:
            return self._leave_out(step, reads.MAKE)
        zone = ZoneInfo(station.site.time_zone if station.site else settings.TIME_ZONE)
        opens_at = self.rollout.window.opens_at(self.now, zone)
        if opens_at > self.now:
            return self._wait(step, "window", opens_at)
        for reason, stands in (
            ("offline", step.station_id not in self.online or station.accepted_at is None),
            ("busy", step.station_id in self.busy),
            ("charging", step.station_id in self.charging),
        ):
            if stands:
                return self._wait(step, reason, self.now + LOOK_AGAIN)
        return False

    def _wait(self, step: RolloutStep, reason: str, until: datetime) -> bool:
        step.reason, step.due_at = reason, until
        return True

    def _leave_out(self, step: RolloutStep, reason: str) -> bool:
        step.state, step.reason, step.finished_at = StepState.SKIPPED, reason, self.now
        return True


def _next_look(rollout: Rollout, now: datetime, full: bool) -> datetime | None:
    """When something may be done that no bell tells of; None when nothing is left to do."""
    steps = RolloutStep.objects.filter(rollout=rollout)
    if rollout.state not in FOLLOWED:
        return None
    if rollout.state != RolloutState.RUNNING:
        return now + SWEEP if steps.filter(state=StepState.UPDATING).exists() else None
    if full:
        updating = steps.filter(state=StepState.UPDATING).count()
        return now + SWEEP if updating >= rollout.at_once else now
    first: datetime | None = steps.filter(state=StepState.WAITING, wave__lte=rollout.wave).aggregate(at=Min("due_at"))["at"]
    updating_or_soon = now + SWEEP if steps.filter(state=StepState.UPDATING).exists() else None
    return min((at for at in (first, updating_or_soon) if at is not None), default=now + SWEEP)
