"""The work of command runs: one function, `advance`, that may be called at any time, by any worker, as often as one likes.

It has the run's row locked and does everything in one transaction. So whoever is killed in the middle has done nothing, and a
command is written together with the step that says so: no station is lost, none is asked twice.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts import audit
from stations import commandruns as reads
from stations import ports, selectors
from stations.domain import commands
from stations.domain.command import moment_of
from stations.domain.commands import BadCommand
from stations.models import Command, CommandRun, CommandRunStep, CommandStatus, RunState, RunStepState, Station
from stations.services import commandruns, diagnostics
from stations.services.commands import issue

#: Stations chosen, and steps ended, in one transaction; stations asked in one.
CHUNK, SETTLED, BURST = 1000, 1000, 100
#: How soon a run is looked at again in which something may have moved, and one that waits for stations to come back.
SOON, LATER = timedelta(seconds=1), timedelta(seconds=5)
#: A station that agreed, and is not seen to do it, keeps its place for so long: a restart "when idle" may take a day.
HOLDS = timedelta(minutes=10)
#: A run that could not be brought on is left alone for so long.
TROUBLE = timedelta(minutes=1)
#: How long a command waits for a station that went away just now.
EXPIRES_S = 300

log = structlog.get_logger(__name__)


def due() -> list[int]:
    """Runs that are to be looked at now."""
    with scopes_disabled():
        return list(CommandRun.objects.filter(due_at__lte=timezone.now()).order_by("due_at").values_list("pk", flat=True)[:1000])


def look_at(found: Sequence[int]) -> int:
    """`advance` each of these runs. One that cannot be brought on is held, so that somebody sees it; no other waits for it."""
    moved = 0
    for pk in found:
        try:
            moved += advance(run_id=pk)
        except OperationalError as error:
            # The database is away, or two were in each other's way: it is due still.
            log.warning("a command run could not be brought on", run=pk, error=str(error).strip()[:200])
        except Exception:
            log.exception("a command run could not be brought on", run=pk)
            _put_off(pk)
    return moved


def _put_off(pk: int) -> None:
    with transaction.atomic(), scopes_disabled():
        run = commandruns.lock(pk)
        if run.state in (RunState.CHOOSING, RunState.RUNNING):
            commandruns.hold(run, {"by": "rule", "code": "trouble"})
        # What was asked ends all the same, if that can be seen by then.
        CommandRun.objects.filter(pk=pk).update(due_at=timezone.now() + TROUBLE)


def advance(*, run_id: int, now: datetime | None = None) -> bool:
    """Bring a run one step on, unless a worker is at it (False). The steps:

    1. Lock it. 2. Choose more stations, while it chooses. 3. End the steps whose command has ended. 4. If it runs: hold it if its
    stop rule is broken, else ask as many stations as there is room for. 5. Say when to look again.
    """
    with transaction.atomic(), scopes_disabled():
        rows = CommandRun.objects.select_related("operator", "requested_by").select_for_update(of=("self",), skip_locked=True)
        run = rows.filter(pk=run_id).first()
        if run is None:
            return False
        with scope(operator=run.operator), audit.acting(run.requested_by, via="job"):
            _advance(run, now or timezone.now())
    return True


def _advance(run: CommandRun, now: datetime) -> None:
    if run.state == RunState.CHOOSING:
        _choose(run, now)
    moved = _settle(run, now)
    steps = CommandRunStep.objects.filter(run=run)
    waiting = steps.filter(state=RunStepState.WAITING).exists()
    if run.state == RunState.RUNNING:
        if waiting and (broken := run.rule.broken(**_counts(run))):
            log.warning("command run holds by its stop rule", run=run.pk, operator=run.operator_id, **broken)
            commandruns.hold(run, {"by": "rule"} | broken)
        else:
            moved |= _begin(run, now)
        waiting = steps.filter(state=RunStepState.WAITING).exists()
    asked = steps.filter(state=RunStepState.ASKED).exists()
    if run.state in (RunState.RUNNING, RunState.PAUSED) and not waiting and not asked and not run.held.get("choosing"):
        run.state = RunState.DONE
    if run.state == RunState.CHOOSING:
        run.due_at = now
    elif run.state == RunState.RUNNING:
        run.due_at = now + (SOON if asked or steps.filter(state=RunStepState.WAITING, due_at__isnull=False).exists() else LATER)
    else:
        run.due_at = now + SOON if asked else None
    if run.due_at is None and run.state in (RunState.DONE, RunState.CANCELLED):
        run.finished_at = now
    run.save(update_fields=["state", "held", "chosen_to", "judged_from", "due_at", "finished_at"])
    if moved or run.finished_at == now:
        transaction.on_commit(lambda: ports.bell.changed(run.operator_id, stations=moved, transactions=[]))


def _choose(run: CommandRun, now: datetime) -> None:
    """Write a step for each of the next stations it means. With the last it runs, if they are as many as was believed."""
    found = reads.meant(run).filter(pk__gt=run.chosen_to).order_by("pk").values_list("pk", flat=True)[:CHUNK]
    chosen = list(found)
    CommandRunStep.objects.bulk_create([CommandRunStep(run=run, station_id=pk) for pk in chosen])
    if chosen:
        run.chosen_to = chosen[-1]
    if len(chosen) == CHUNK:
        return
    run.state, run.judged_from = RunState.RUNNING, now
    total = CommandRunStep.objects.filter(run=run).count()
    if run.expected is not None and total != run.expected:
        commandruns.hold(run, {"by": "rule", "code": "changed", "found": total, "expected": run.expected})


def _settle(run: CommandRun, now: datetime) -> set[int]:
    """End the steps whose command has ended. Returns their stations.

    A command that was never sent, because the station went away just before, is no failure: the station waits until it is back.
    """
    over = Q(command__isnull=True) | Q(command__finished_at__isnull=False)
    steps = list(CommandRunStep.objects.filter(over, run=run, state=RunStepState.ASKED).select_related("command")[:SETTLED])
    gone = {step.station_id for step in steps if step.command and step.command.status == CommandStatus.EXPIRED}
    if gone:
        gone -= set(selectors.online(now).filter(pk__in=gone).values_list("pk", flat=True))
    for step in steps:
        command = step.command
        step.finished_at = now
        if command is None:
            step.state, step.reason = RunStepState.FAILED, "gone"
        elif command.status == CommandStatus.CONFIRMED:
            step.state, step.detail = RunStepState.DONE, command.detail
        elif command.status == CommandStatus.CANCELLED:
            step.state = RunStepState.CANCELLED
        elif step.station_id in gone and run.state != RunState.CANCELLED:
            step.state, step.command, step.due_at, step.finished_at = RunStepState.WAITING, None, None, None
        else:
            step.state, step.reason, step.detail = RunStepState.FAILED, command.status, command.detail
    CommandRunStep.objects.bulk_update(steps, ["state", "reason", "detail", "command", "due_at", "finished_at"])
    return {step.station_id for step in steps}


def _counts(run: CommandRun) -> dict[str, int]:
    """Of those that were asked and ended since whoever leads it looked last. What was left out has not been asked; of that, those
    that stayed offline have failed if the rule says so."""
    ended = CommandRunStep.objects.filter(run=run, finished_at__gte=run.judged_from)
    failed = Q(state=RunStepState.FAILED)
    if run.count_offline:
        failed |= Q(state=RunStepState.SKIPPED, reason="offline")
    return {"done": ended.filter(state=RunStepState.DONE).count(), "failed": ended.filter(failed).count()}


def _begin(run: CommandRun, now: datetime) -> set[int]:
    """Give their turn to as many stations as there is room for, and ask those whose turn it is. Returns those that were asked."""
    steps = CommandRunStep.objects.filter(run=run)
    waiting = steps.filter(state=RunStepState.WAITING)
    online = Exists(selectors.online(now).filter(pk=OuterRef("station")))
    busy = steps.filter(state=RunStepState.ASKED).exclude(
        command__status=CommandStatus.ACCEPTED, command__answered_at__lt=now - HOLDS
    )
    room = run.at_once - busy.count() - waiting.filter(due_at__isnull=False).count()
    if room > 0:
        next_up = list(waiting.filter(online, due_at__isnull=True).order_by("id")[:room])
        for step in next_up:
            step.due_at = now + timedelta(seconds=random.uniform(0, run.jitter_s))  # noqa: S311  (no secret)
        CommandRunStep.objects.bulk_update(next_up, ["due_at"])
    asked = _ask_those(run, waiting.filter(online, due_at__lte=now), now)
    # Whoever went away before its turn waits for it again, and is not waited for for ever.
    waiting.filter(~online, due_at__lte=now).update(due_at=None)
    if run.judged_from is not None and now >= run.judged_from + timedelta(seconds=run.wait_s):
        waiting.filter(~online, due_at__isnull=True).update(state=RunStepState.SKIPPED, reason="offline", finished_at=now)
    return asked


def _ask_those(run: CommandRun, turn: "QuerySet[CommandRunStep]", now: datetime) -> set[int]:
    first = turn.select_related("station__connection", "station__operator").order_by("due_at")[:BURST]
    # What goes with some commands locks the station's connection, which batches lock in this order.
    steps = sorted(first, key=lambda step: step.station_id)
    for step in steps:
        kind, params = run.kind, run.params
        if run.wordings:
            kind, params = run.wordings.get(step.station.connection.protocol, (None, None))
        if kind is None:
            step.state, step.reason, step.finished_at = RunStepState.SKIPPED, "unsayable", now
            continue
        try:
            step.command = _ask(run, step.station, commands.COMMANDS[kind].of(params))
            step.state, step.finished_at = RunStepState.ASKED, None
        except (BadCommand, ValidationError) as error:
            said = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            step.state, step.reason, step.detail, step.finished_at = RunStepState.FAILED, "senseless", said[:300], now
    CommandRunStep.objects.bulk_update(steps, ["command", "state", "reason", "detail", "finished_at"])
    return {step.station_id for step in steps}


def _ask(run: CommandRun, station: Station, command: commands.Command) -> Command:
    options: dict[str, Any] = {"user": run.requested_by, "reason": run.reason, "expires_in": min(command.expires_s, EXPIRES_S)}
    if isinstance(command, commands.GetLog) and not command.location:
        # To an address of ours, which each station has its own of.
        since, until = (moment_of("since", text) if text else None for text in (command.since, command.until))
        options |= {"retries": command.retries, "retry_interval_s": command.retry_interval_s}
        upload = diagnostics.request_log(station=station, kind=command.log, since=since, until=until, **options)
        assert upload.command is not None
        Command.objects.filter(pk=upload.command.pk).update(run=run)
        return upload.command
    return issue(station=station, command=command, run=run, **options)
