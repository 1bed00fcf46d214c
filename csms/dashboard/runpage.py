"""A command for many chargers on its way: how far it is, a row for each charger, its buttons, and the rows as a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import may
from csms.dashboard import exports, runwords
from csms.dashboard.access import action, demand, page
from csms.dashboard.commandrows import CommandRow, Dot
from csms.dashboard.runs import MAY_SEND
from stations import commandruns as reads
from stations.domain.commands import COMMANDS
from stations.models import CommandRun, CommandRunStep, RunState, RunStepState
from stations.services import commandruns

PAGE = 100
#: What rows can be narrowed to.
ONLY: dict[str, tuple[str, ...]] = {
    "waiting": (RunStepState.WAITING,),
    "open": (RunStepState.ASKED,),
    "done": (RunStepState.DONE,),
    "failed": (RunStepState.FAILED,),
    "left_out": (RunStepState.SKIPPED, RunStepState.CANCELLED),
}
HEADER = (
    *("charger", "command", "state", "reason", "status", "detail", "error_code", "asked_at", "sent_at", "answered_at"),
    *("finished_at", "by", "why"),
)


@dataclass(frozen=True, slots=True)
class Row:
    step: CommandRunStep
    run: CommandRun

    @property
    def row(self) -> CommandRow | None:
        command = self.step.command
        return CommandRow(command, self.step.is_online) if command else None  # type: ignore[attr-defined]  # annotated by the selector

    @property
    def now(self) -> Dot:
        """How far it came."""
        if self.row is None:
            bad = self.step.state in (RunStepState.FAILED, RunStepState.SKIPPED, RunStepState.CANCELLED)
            return Dot(runwords.STEPS[self.step.state], "bad" if bad else "open", self.step.finished_at)
        dots = self.row.dots
        return next((dot for dot in dots if dot.state in ("now", "bad")), dots[-1])

    @property
    def at(self) -> datetime | None:
        command = self.step.command
        if command is None:
            return self.step.finished_at
        return command.finished_at or command.answered_at or command.sent_at or command.created_at

    @property
    def sentence(self) -> Any:
        if self.row is None:
            return runwords.step(self.step, self.run)
        if self.row.waits:
            return _("The charger went away. It will be sent when it comes back.")
        return self.row.sentence


@page
def show_run(request: HttpRequest, pk: int) -> HttpResponseBase:
    """How far it came, and a row for each charger."""
    run: CommandRun = get_object_or_404(CommandRun.objects.select_related("requested_by"), pk=pk)
    only = request.GET.get("only", "")
    only = only if only in ONLY else ""
    if request.GET.get("format") == "csv":
        name = f"command-{run.pk}"
        return exports.stream_csv(request, name, HEADER, lambda last, n: _rows(run, only, last.step.pk if last else 0, n), _cells)
    after = request.GET.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    rows = _rows(run, only, start, PAGE + 1)
    progress = reads.progress([run.pk])[run.pk]
    further = ([("only", only)] if only else []) + [("after", rows[PAGE - 1].step.pk)] if len(rows) > PAGE else []
    context = {
        "run": run,
        "word": runwords.word(run),
        "state": runwords.STATES[run.state],
        "plan": runwords.plan(run),
        "held": runwords.held(run.held) if run.state == RunState.PAUSED else "",
        "rows": rows[:PAGE],
        "only": only,
        "further": urlencode(further),
        "is_first": not start,
        "progress": progress,
        "chargers": progress.total or run.expected or len(run.selection.get("stations", [])),
        "live": run.state in (RunState.CHOOSING, RunState.RUNNING) or progress.asked > 0,
        "may_send": may(request.user, MAY_SEND),
        "over": run.state in (RunState.CANCELLED, RunState.DONE),
        "now": timezone.now(),
    }
    return render(request, "dashboard/run.html", context)


def _rows(run: CommandRun, only: str, after: int, size: int) -> Sequence[Row]:
    found = reads.steps(run).filter(pk__gt=after)
    if only:
        found = found.filter(state__in=ONLY[only])
    return [Row(step, run) for step in found[:size]]


def _cells(row: Row) -> Iterable[object]:
    step, command, run = row.step, row.step.command, row.run
    by = str(run.requested_by or "")
    told: tuple[object, ...] = ("", step.detail, "", None, None, None)
    if command is not None:
        told = (command.status, command.detail, command.error_code, command.created_at, command.sent_at, command.answered_at)
    kind = command.kind if command else run.kind
    return (step.station.identity, kind, step.state, step.reason, *told, step.finished_at, by, run.reason)


@action(MAY_SEND)
def lead_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause, go on, cancel, ask again: the buttons of one run."""
    run: CommandRun = get_object_or_404(CommandRun.objects.select_related("operator"), pk=pk)
    user = request.user if isinstance(request.user, User) else None
    if request.POST.get("do") in ("resume", "retry"):
        # Whoever has more asked must be allowed to ask for it.
        demand(request, COMMANDS[run.kind].verb)
    match request.POST.get("do", ""):
        case "pause":
            done = commandruns.pause(run=run, user=user)
        case "resume":
            done = commandruns.resume(run=run)
        case "cancel":
            done = commandruns.cancel(run=run)
        case "retry":
            if new := commandruns.retry(run=run, user=user):
                return redirect("run", new.pk)
            done = False
        case other:
            raise Http404(other)
    if not done:
        messages.error(request, _("It had moved on meanwhile, so nothing was done. This is how it is now."))
    return redirect("run", pk)
