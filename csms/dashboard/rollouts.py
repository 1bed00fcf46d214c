"""Roll-outs: the list, and one with its bar, its waves and a row for each charger; its buttons, and both as files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import may
from csms.dashboard import rolloutwizard, rolloutwords
from csms.dashboard.access import action, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.firmwarewords import Step, UpdateRow
from csms.dashboard.rolloutplan import query_of
from csms.dashboard.states import State
from csms.dashboard.words import in_words
from stations import rollouts as reads
from stations.domain.commands import BadCommand
from stations.models import Rollout, RolloutState, RolloutStep, StepState
from stations.rollouts import Progress
from stations.services import rollouts

MAY_CHANGE = "firmware.change"
PAGE, STEPS_PAGE = 50, 100
#: What rows can be narrowed to.
ONLY: dict[str, tuple[str, ...]] = {
    "waiting": (StepState.WAITING,),
    "updating": (StepState.UPDATING,),
    "done": (StepState.DONE,),
    "failed": (StepState.FAILED,),
    "left_out": (StepState.SKIPPED, StepState.CANCELLED),
}
COLUMNS = (
    "id",
    "name",
    "image",
    "state",
    "chargers",
    "waiting",
    "under_way",
    "done",
    "failed",
    "left_out",
    "started_at",
    "finished_at",
)
STEP_COLUMNS = (
    *("charger", "site", "wave", "state", "reason", "detail", "attempt", "update_status", "status_at", "online"),
    *("started_at", "finished_at"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the bar: where it begins and how long it is, in percent, as SVG writes them."""

    word: str
    count: int
    begins: str
    percent: str
    slug: str
    only: str


@dataclass(frozen=True, slots=True)
class Bar:
    progress: Progress

    @property
    def parts(self) -> list[Part]:
        p, total = self.progress, max(1, self.progress.total)
        found = (
            (_("Done"), p.done, "available", "done"),
            (_("Installing"), p.installing, "finishing", "updating"),
            (_("Downloading"), p.downloading, "charging", "updating"),
            (_("Waiting"), p.waiting, "waiting", "waiting"),
            (_("Failed"), p.failed, "faulted", "failed"),
            (_("Left out"), p.left_out, "unavailable", "left_out"),
        )
        parts, so_far = [], 0
        for word, n, slug, only in found:
            parts.append(Part(word, n, f"{100 * so_far / total:.2f}", f"{100 * n / total:.2f}", slug, only))
            so_far += n
        return parts

    @property
    def text(self) -> str:
        """The bar as a sentence."""
        p = self.progress
        return _(
            "%(done)s of %(total)s done, %(installing)s installing, %(downloading)s downloading, %(waiting)s waiting, "
            "%(failed)s failed, %(left_out)s left out"
        ) % {
            "done": p.done, "total": p.total, "installing": p.installing, "downloading": p.downloading,
            "waiting": p.waiting, "failed": p.failed, "left_out": p.left_out,
        }  # fmt: skip

    @property
    def ended(self) -> int:
        return self.progress.done + self.progress.failed + self.progress.left_out


@dataclass(frozen=True, slots=True)
class Row:
    rollout: Rollout
    bar: Bar

    @property
    def state(self) -> State:
        return rolloutwords.ROLLOUTS[self.rollout.state]


@page
def show_rollouts(request: HttpRequest) -> HttpResponseBase:
    """Which firmware went where, and how it went."""
    if request.GET.get("format") == "csv":
        return stream_csv(
            request, "roll-outs", COLUMNS, lambda last, size: _rows(_before(last.rollout.pk if last else None), size), _cells
        )
    before = request.GET.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    found = _rows(_before(number), PAGE + 1)
    context = {
        "rows": found[:PAGE],
        "older": urlencode({"before": found[PAGE - 1].rollout.pk}) if len(found) > PAGE else "",
        "newest": number is not None,
        "running": any(row.rollout.state == RolloutState.RUNNING for row in found),
        "may_change": may(request.user, MAY_CHANGE),
        "now": timezone.now(),
    }
    return render(request, "dashboard/rollouts.html", context)


def _before(pk: int | None) -> QuerySet[Rollout]:
    found = Rollout.objects.select_related("firmware", "started_by").order_by("-id")
    return found if pk is None else found.filter(pk__lt=pk)


def _rows(found: QuerySet[Rollout], size: int) -> list[Row]:
    rows = list(found[:size])
    counts = reads.progress([one.pk for one in rows])
    return [Row(one, Bar(counts[one.pk])) for one in rows]


def _cells(row: Row) -> Iterable[object]:
    one, p = row.rollout, row.bar.progress
    return (
        *(one.pk, one.name, str(one.firmware), one.state, p.total, p.waiting, p.open, p.done, p.failed, p.left_out),
        *(one.started_at, one.finished_at),
    )


@dataclass(frozen=True, slots=True)
class StepRow:
    step: RolloutStep
    rollout: Rollout

    @property
    def state(self) -> State:
        return rolloutwords.STEPS[self.step.state]

    @property
    def sentence(self) -> Any:
        return rolloutwords.step(self.step, self.rollout)

    @property
    def at(self) -> Any:
        """When it came to where it is."""
        update = self.step.update
        return self.step.finished_at or (update.status_at if update else None) or self.step.started_at

    @property
    def log(self) -> list[Step]:
        return UpdateRow(self.step.update).steps if self.step.update else []

    @property
    def may_retry(self) -> bool:
        over = self.rollout.state in (RolloutState.CANCELLED, RolloutState.DRAFT)
        return self.step.state in rollouts.RETRYABLE and not over

    @property
    def may_skip(self) -> bool:
        return self.step.state == StepState.WAITING


@page
def show_rollout(request: HttpRequest, pk: int) -> HttpResponseBase:
    """How far it is, and why not further."""
    rollout: Rollout = get_object_or_404(Rollout.objects.select_related("firmware", "made_by", "started_by"), pk=pk)
    only = request.GET.get("only", "")
    only = only if only in ONLY else ""
    if request.GET.get("format") == "csv":
        name = f"roll-out-{rollout.pk}"
        return stream_csv(
            request, name, STEP_COLUMNS, lambda last, size: _steps(rollout, only, last.step.pk if last else 0, size), _step_cells
        )
    context: dict[str, Any] = {
        "rollout": rollout,
        "state": rolloutwords.ROLLOUTS[rollout.state],
        "plan": rolloutwords.plan(rollout),
        "may_change": may(request.user, MAY_CHANGE),
        "again": urlencode(query_of(rollout)),
        "now": timezone.now(),
    }
    if rollout.state == RolloutState.DRAFT:
        return render(request, "dashboard/rollout.html", context | rolloutwizard.preview_of(rollout))
    after = request.GET.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    found = _steps(rollout, only, start, STEPS_PAGE + 1)
    bar = Bar(reads.progress([rollout.pk])[rollout.pk])
    context |= {
        "bar": bar,
        "waves": reads.waves(rollout),
        "rows": found[:STEPS_PAGE],
        "only": only,
        "further": urlencode(([("only", only)] if only else []) + [("after", found[STEPS_PAGE - 1].step.pk)])
        if len(found) > STEPS_PAGE
        else "",
        "is_first": not start,
        "held": rolloutwords.held(rollout.held) if rollout.state == RolloutState.PAUSED else "",
        "live": rollout.state == RolloutState.RUNNING or bar.progress.open > 0,
    }
    return render(request, "dashboard/rollout.html", context)


def _steps(rollout: Rollout, only: str, after: int, size: int) -> Sequence[StepRow]:
    found = reads.steps(rollout).filter(pk__gt=after)
    if only:
        found = found.filter(state__in=ONLY[only])
    return [StepRow(step, rollout) for step in found[:size]]


def _step_cells(row: StepRow) -> Iterable[object]:
    step, update = row.step, row.step.update
    return (
        *(
            step.station.identity,
            step.station.site.name if step.station.site else "",
            step.wave,
            step.state,
            step.reason,
            step.detail,
        ),
        *(step.attempt, update.status if update else "", update.status_at if update else None, "yes" if step.is_online else "no"),  # type: ignore[attr-defined]  # annotated by the selector
        *(step.started_at, step.finished_at),
    )


@action(MAY_CHANGE)
def lead_rollout(request: HttpRequest, pk: int) -> HttpResponse:
    """Start, pause, go on, cancel, retry, discard: the buttons of one roll-out."""
    rollout: Rollout = get_object_or_404(Rollout, pk=pk)
    user = request.user if isinstance(request.user, User) else None
    do = request.POST.get("do", "")
    try:
        match do:
            case "start":
                done = rollouts.start(rollout=rollout, user=user, seal=request.POST.get("seal"))
            case "pause":
                done = rollouts.pause(rollout=rollout, user=user)
            case "resume":
                done = rollouts.resume(rollout=rollout)
            case "cancel":
                done = rollouts.cancel(rollout=rollout)
            case "retry":
                done = rollouts.retry(rollout=rollout) > 0
            case "discard":
                done = rollouts.discard(rollout=rollout)
            case _:
                raise Http404(do)
    except BadCommand as error:
        messages.error(request, in_words(error))
    else:
        if do == "discard" and done:
            messages.success(request, _("The draft %(name)s is thrown away.") % {"name": rollout.name})
            return redirect("rollouts")
        if not done:
            messages.error(request, _("It had moved on meanwhile, so nothing was done. This is how it is now."))
    return redirect("rollout", pk)


@action(MAY_CHANGE)
def lead_step(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """Retry one charger, or leave it out."""
    row: RolloutStep = get_object_or_404(RolloutStep.objects.select_related("rollout", "station"), pk=step, rollout=pk)
    do = request.POST.get("do", "")
    if do not in ("retry", "skip"):
        raise Http404(do)
    done = rollouts.retry(rollout=row.rollout, step=row) if do == "retry" else rollouts.skip(step=row)
    if not done:
        messages.error(request, _("%(name)s had moved on meanwhile, so nothing was done.") % {"name": row.station.identity})
    return redirect(f"{reverse('rollout', args=[pk])}#step-{step}")
