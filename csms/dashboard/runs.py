"""One command for many chargers: choose what to ask, confirm it, and see a row for each with how far it came."""

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from csms.dashboard import asking, exports, stationlist
from csms.dashboard.access import action, needs, operator_of, page
from csms.dashboard.commandrows import CommandRow, Dot
from csms.dashboard.station import Head
from csms.ocpp import reading
from stations import selectors
from stations.domain.commands import BadCommand
from stations.models import Command, CommandRun, CommandStatus
from stations.models.command import OPEN
from stations.services import commandruns

MAY_SEND = "commands.send"
#: What can be asked of many: not what is about one plug or one session.
ASKS = ("restart", "out", "in", "status", "read", "clear", "vendor")
RUNS_SHOWN = 20


@dataclass(slots=True)
class Selected:
    """The chargers that were chosen. `heads` have no plugs: what is asked of many is asked of whole chargers."""

    heads: list[Head] = field(default_factory=list)

    @classmethod
    def of(cls, query: QueryDict) -> "Selected":
        """Those that are ticked, or with `all` those that match the filters of the list; never more than one too many."""
        if query.get("all"):
            found = stationlist.Asked.of(query).matching()
        else:
            ticked = {int(pk) for pk in query.getlist("station") if pk.isascii() and pk.isdigit() and len(pk) < 19}
            found = stationlist.with_state().filter(pk__in=ticked)
        stations = found.order_by("identity")[: commandruns.MOST + 1]
        return cls([Head(one, stationlist.state_of(one.shown), one.is_online, []) for one in stations])

    @property
    def too_many(self) -> bool:
        return len(self.heads) > commandruns.MOST

    @property
    def away(self) -> int:
        return sum(not head.online for head in self.heads)

    def asks(self) -> dict[str, type[asking.Ask]]:
        """What at least one of them has words for."""
        said = {kind for protocol in {_protocol(head) for head in self.heads} for kind in reading.sayable(protocol)}
        return {name: asking.ASKS[name] for name in ASKS if asking.ASKS[name].kind in said}

    def able(self, ask: type[asking.Ask]) -> list[Head]:
        return [head for head in self.heads if ask.kind in reading.sayable(_protocol(head))]


def _protocol(head: Head) -> str:
    return head.connection.protocol if head.connection else ""


@require_safe
@needs(MAY_SEND)
def choose(request: HttpRequest) -> HttpResponse:
    """What to ask of the chargers that were chosen."""
    selected = Selected.of(request.GET)
    ask = selected.asks().get(request.GET.get("do", ""))
    form = None
    if ask and not selected.too_many and (able := selected.able(ask)):
        form = ask(able[0], many=len(able))
    return _choose(request, selected, request.GET.get("do", ""), form)


def _choose(request: HttpRequest, selected: Selected, do: str, form: asking.Ask | None, token: str = "") -> HttpResponse:
    able = selected.able(type(form)) if form else []
    kept = QueryDict(mutable=True)
    kept.setlist("station", [str(head.station.pk) for head in selected.heads])
    query = request.GET.copy() if request.method == "GET" else kept
    query.pop("do", None)
    context = {
        "selected": selected,
        "most": commandruns.MOST,
        "menu": [(name, ask.word) for name, ask in selected.asks().items()],
        "do": do if form else "",
        "form": form,
        "able": able,
        "unable": [head for head in selected.heads if head not in able] if form else [],
        "query": query.urlencode(),
        "token": token or secrets.token_urlsafe(16),
        "runs": [(run, _word(run)) for run in CommandRun.objects.select_related("requested_by")[:RUNS_SHOWN]],
    }
    return render(request, "dashboard/runs.html", context, status=422 if form and form.errors else 200)


@action(MAY_SEND)
def start_run(request: HttpRequest) -> HttpResponse:
    """Ask each of them, once."""
    operator = operator_of(request)
    selected = Selected.of(request.POST)
    do, token = request.POST.get("do", ""), request.POST.get("token", "")[:32]
    ask = selected.asks().get(do)
    able = selected.able(ask) if ask else []
    if ask is None or not able or not token:
        raise Http404(_("None of these chargers can be asked for that."))
    form = ask(able[0], request.POST, many=len(able))
    if form.is_valid():
        try:
            run = commandruns.start(
                operator=operator,
                token=token,
                asked=[(head.station, _command(ask, head, request.POST)) for head in able],
                user=request.user if isinstance(request.user, User) else None,
                reason=form.why(),
            )
        except BadCommand as error:
            form.refuse(error)
        else:
            return redirect("run", run.pk)
    return _choose(request, selected, do, form, token)


def _command(ask: type[asking.Ask], head: Head, data: Any) -> Any:
    """The command in the words of this charger's version."""
    form = ask(head, data)
    form.fields.pop("sure", None)
    form.is_valid()
    return form.command()


@dataclass(frozen=True, slots=True)
class Row:
    row: CommandRow

    @property
    def now(self) -> Dot:
        """How far it came."""
        dots = self.row.dots
        return next((dot for dot in dots if dot.state in ("now", "bad")), dots[-1])

    @property
    def at(self) -> datetime:
        command = self.row.command
        return command.finished_at or command.answered_at or command.sent_at or command.created_at


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    failed: int
    open: int

    @property
    def total(self) -> int:
        return self.done + self.failed + self.open


def _word(run: CommandRun) -> str:
    """What was asked, as each of its commands says it."""
    return CommandRow(Command(kind=run.kind, params=run.params), online=True).word


@page
def show_run(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A row for each charger, and how far it came."""
    run: CommandRun = get_object_or_404(CommandRun.objects.select_related("requested_by"), pk=pk)
    rows = _rows(run)
    if request.GET.get("format") == "csv":
        return _file(request, run)
    counts = Counter(row.row.command.status for row in rows)
    done = counts[CommandStatus.CONFIRMED]
    under_way = sum(counts[status] for status in OPEN)
    only = request.GET.get("only", "")
    wanted = {"open": OPEN, "done": (CommandStatus.CONFIRMED,)}.get(only)
    if only == "failed":
        wanted = tuple(status for status in CommandStatus if status not in (*OPEN, CommandStatus.CONFIRMED))
    context = {
        "run": run,
        "word": _word(run),
        "rows": [row for row in rows if wanted is None or row.row.command.status in wanted],
        "only": only if wanted is not None else "",
        "progress": Progress(done, len(rows) - done - under_way, under_way),
        "now": timezone.now(),
    }
    return render(request, "dashboard/run.html", context)


def _rows(run: CommandRun) -> list[Row]:
    found = Command.objects.filter(run=run).select_related("station", "requested_by").order_by("station__identity")
    commands = list(found[: commandruns.MOST])
    online = set(selectors.online().filter(pk__in=[one.station_id for one in commands]).values_list("pk", flat=True))
    return [Row(CommandRow(command, command.station_id in online)) for command in commands]


def _file(request: HttpRequest, run: CommandRun) -> HttpResponseBase:
    header = (
        "charger",
        "command",
        "status",
        "detail",
        "error_code",
        "asked_at",
        "sent_at",
        "answered_at",
        "finished_at",
        "by",
        "reason",
    )

    def chunk(last: Row | None, size: int) -> Sequence[Row]:
        # A run is no larger than a chunk.
        return _rows(run) if last is None else []

    def cells(row: Row) -> Iterable[object]:
        command = row.row.command
        by = str(command.requested_by or "")
        return (
            *(command.station.identity, command.kind, command.status, command.detail, command.error_code),
            *(command.created_at, command.sent_at, command.answered_at, command.finished_at, by, command.reason),
        )

    return exports.stream_csv(request, f"command-{run.pk}", header, chunk, cells)
