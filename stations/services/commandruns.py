"""Commands for many stations as people lead them: asked, held, gone on with, cancelled, asked again. Workers do the rest.

Whoever changes a run or its steps locks the run's row first.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Operator, User
from stations import commandruns as reads
from stations import ports
from stations.domain import commands
from stations.domain.commandruns import MOST_NAMED, Pace, Said, StopRule
from stations.domain.commands import BadCommand
from stations.models import CommandRun, CommandRunStep, RunState, Station
from stations.services import commandends
from stations.services.commands import LONGEST_WAIT_S, shown
from stations.stationlist import StationFilter

SUBSCRIBER = "command_runs"
USUAL_PACE, USUAL_RULE = Pace(), StopRule()
KINDS_OF_SELECTION = "filter, stations"


def start(
    *,
    operator: Operator,
    token: str,
    selection: Mapping[str, Any],
    command: commands.Command,
    wordings: Mapping[str, Said] | None = None,
    user: User | None = None,
    reason: str = "",
    pace: Pace = USUAL_PACE,
    rule: StopRule = USUAL_RULE,
    expected: int | None = None,
    wait_s: int | None = None,
) -> CommandRun:
    """Ask all these stations, a few at a time. With a token that was used before, returns the run it was used for, `repeated`.

    `selection`: {"filter": {...}} or {"stations": [identities]}; a worker finds out whom it means, and asks nobody if they are not
    `expected` many. `command` is what they are asked, `wordings` how by protocol where that differs; without it all alike.
    `wait_s`: how long those that are offline are waited for, else as long as one command would wait. Raises BadCommand.
    """
    command.check()
    if command.params() != command.without_secrets():
        raise BadCommand("What is secret is given to each charger by itself, not to many at once.")
    pace.check()
    rule.check()
    waits = command.expires_s if wait_s is None else wait_s
    if not 0 <= waits <= LONGEST_WAIT_S:
        raise BadCommand("%(name)s must be from %(least)s to %(most)s.", name="wait_s", least=0, most=LONGEST_WAIT_S)
    said = {protocol: [one.kind, one.params] for protocol, one in wordings.items()} if wordings is not None else {}
    now = timezone.now()
    with transaction.atomic():
        run, new = CommandRun.objects.get_or_create(
            operator=operator,
            token=token,
            defaults={
                "kind": command.kind,
                "params": command.params(),
                "wordings": said,
                "selection": selected(selection),
                "expected": expected,
                "at_once": pace.at_once,
                "jitter_s": pace.jitter_s,
                "wait_s": waits,
                "failed_percent": rule.failed_percent,
                "judge_after": rule.after,
                "most_failed": rule.most_failed,
                "count_offline": rule.count_offline,
                "reason": reason.replace("\x00", "")[:200],
                "requested_by": user,
                "created_at": now,
                "due_at": now,
            },
        )
        run.repeated = not new
        if new:
            after = shown(command) | {"selection": _in_short(run.selection)}
            after |= audit.fields_of(run, "at_once", "jitter_s", "failed_percent", "most_failed", "count_offline")
            audit.record("run.started", run, operator=operator, after=after, note=run.reason)
            told(run)
    return run


def selected(given: Mapping[str, Any]) -> dict[str, Any]:
    """A selection as it is kept. Raises BadCommand."""
    if len(given) != 1 or given.keys() - {"filter", "stations", "failed_of"}:
        raise BadCommand("A selection has one of %(known)s.", known=KINDS_OF_SELECTION)
    if "filter" in given:
        return {"filter": StationFilter.of(given["filter"]).kept()}
    if "failed_of" in given:
        return dict(given)
    names = given["stations"]
    fine = isinstance(names, list) and 0 < len(names) <= MOST_NAMED and all(isinstance(one, str) for one in names)
    if not fine:
        raise BadCommand("stations must be a list of 1 to %(most)s identities.", most=MOST_NAMED)
    known = set(Station.objects.filter(identity__in=names).values_list("identity", flat=True))
    if unknown := [one for one in names if one not in known]:
        raise BadCommand("There is no station %(unknown)s.", unknown=", ".join(one[:48] for one in unknown[:5]))
    return {"stations": list(dict.fromkeys(names))}


def _in_short(selection: dict[str, Any]) -> str:
    names = selection.get("stations")
    return f"{len(names)} named" if names else str(selection.get("filter") or selection)


def pause(*, run: CommandRun, user: User | None = None) -> bool:
    """Ask nobody else. What was sent comes to its end. False: it does not run."""
    with transaction.atomic():
        locked = lock(run.pk)
        if locked.state not in (RunState.CHOOSING, RunState.RUNNING):
            return False
        hold(locked, {"by": "person", "who": user.email if user else audit.current().label})
    return True


def hold(locked: CommandRun, why: dict[str, Any]) -> None:
    """Pause it, and say why."""
    # One that was held while it chose goes on choosing first.
    locked.held = why | ({"choosing": True} if locked.state == RunState.CHOOSING else {})
    locked.state, locked.due_at = RunState.PAUSED, timezone.now()
    locked.save(update_fields=["state", "held", "due_at"])
    note = ", ".join(f"{name} {value}" for name, value in why.items() if name not in ("by", "who"))
    audit.record("run.paused", locked, operator=locked.operator_id, note=note)
    told(locked)


def resume(*, run: CommandRun) -> bool:
    """Go on. The stop rule counts anew from here: whoever goes on has seen what had failed. False: it is not paused."""
    with transaction.atomic():
        locked = lock(run.pk)
        if locked.state != RunState.PAUSED:
            return False
        now = timezone.now()
        # Whoever goes on has seen how many there are.
        locked.state, locked.expected = RunState.CHOOSING if locked.held.get("choosing") else RunState.RUNNING, None
        locked.held, locked.judged_from, locked.due_at = {}, now, now
        locked.save(update_fields=["state", "expected", "held", "judged_from", "due_at"])
        audit.record("run.resumed", locked, operator=locked.operator_id)
        told(locked)
    return True


TAKE_BACK = """
UPDATE stations_commandrunstep SET state = 'cancelled', finished_at = %s WHERE run_id = %s AND state = 'waiting'
"""


def cancel(*, run: CommandRun) -> bool:
    """Take back what was not sent. What was sent comes to its end. False: it is over."""
    with transaction.atomic():
        locked = lock(run.pk)
        if locked.state in (RunState.CANCELLED, RunState.DONE):
            return False
        now = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(TAKE_BACK, (now, locked.pk))
            waited = cursor.rowcount
            commandends.take_back(cursor, locked.pk, now=now)
        locked.state, locked.held, locked.due_at = RunState.CANCELLED, {}, now
        locked.save(update_fields=["state", "held", "due_at"])
        audit.record("run.cancelled", locked, operator=locked.operator_id, note=f"{waited} not asked")
        told(locked)
    return True


def retry(*, run: CommandRun, user: User | None = None) -> CommandRun | None:
    """Ask anew, in a run of its own, those of which it came to nothing and those that were not there. None: there are none, or
    the run still goes on. Asked for twice, it is the same run."""
    if run.state not in (RunState.CANCELLED, RunState.DONE):
        return None
    if not CommandRunStep.objects.filter(run=run, state__in=reads.FRUITLESS).exists():
        return None
    return start(
        operator=run.operator,
        # No key of a caller begins with a space.
        token=f" retry-{run.pk}",
        selection={"failed_of": run.pk},
        command=commands.COMMANDS[run.kind].of(run.params),
        wordings={protocol: Said(*one) for protocol, one in run.wordings.items()} or None,
        user=user,
        reason=run.reason,
        pace=run.pace,
        rule=run.rule,
        wait_s=run.wait_s,
    )


def lock(pk: int) -> CommandRun:
    return CommandRun.objects.select_related("operator").select_for_update(of=("self",)).get(pk=pk)


def told(run: CommandRun) -> None:
    """Call the workers, and show it, once it is committed."""
    transaction.on_commit(lambda: ports.bell.work(SUBSCRIBER))
    transaction.on_commit(lambda: ports.bell.changed(run.operator_id, stations=[], transactions=[]))
