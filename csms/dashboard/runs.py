"""One command for many chargers: choose whom and what to ask, how fast and when to stop, and confirm it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from csms.dashboard import asking, exports, runwords, stationlist
from csms.dashboard.access import action, needs, operator_of
from csms.dashboard.station import Head
from csms.ocpp import reading
from stations import commandruns as reads
from stations.domain.commandruns import LONGEST_JITTER_S, MOST_AT_ONCE, Pace, StopRule
from stations.domain.commands import BadCommand
from stations.models import CommandRun
from stations.services import commandruns
from stations.services.commandruns import USUAL_PACE

MAY_SEND = "commands.send"
#: What can be asked of many: not what is about one plug or one session.
ASKS = ("restart", "out", "in", "status", "read", "clear", "vendor")
#: Chargers that are named on the page. Up to so many are asked as they were seen, whatever happens to the list meanwhile; of more
#: it is said how many there are, and if there are more or fewer when they are chosen, nobody is asked.
NAMED = 500
RUNS_SHOWN = 20
RUN_COLUMNS = (
    *("id", "command", "state", "chargers", "waiting", "asked", "done", "failed", "left_out", "by", "reason"),
    *("created_at", "finished_at"),
)


class Care(forms.Form):
    """How fast they are asked, and when it stops by itself."""

    at_once = forms.IntegerField(
        label=gettext_lazy("Chargers at once"),
        min_value=1,
        max_value=MOST_AT_ONCE,
        initial=USUAL_PACE.at_once,
        help_text=gettext_lazy("No more than these are under way at any time."),
    )
    jitter_s = forms.IntegerField(
        label=gettext_lazy("Spread over seconds"),
        min_value=0,
        max_value=LONGEST_JITTER_S,
        initial=USUAL_PACE.jitter_s,
        help_text=gettext_lazy("Each is asked at a random moment within this time, so that they do not all come back at once."),
    )
    failed_percent = forms.IntegerField(
        label=gettext_lazy("Hold if more than so many percent failed"), min_value=0, max_value=100, required=False
    )
    most_failed = forms.IntegerField(
        label=gettext_lazy("Hold if more than so many failed"), min_value=0, max_value=1_000_000, required=False
    )
    count_offline = forms.BooleanField(label=gettext_lazy("Count those that stay offline as failed"), required=False)

    @classmethod
    def of(cls, data: QueryDict) -> "Care":
        """What is not said is as usual."""
        usual = {"at_once": str(USUAL_PACE.at_once), "jitter_s": str(USUAL_PACE.jitter_s)}
        return cls(usual | {name: data[name] for name in cls.base_fields if name in data})

    @property
    def pace(self) -> Pace:
        return Pace(self.cleaned_data["at_once"], self.cleaned_data["jitter_s"])

    @property
    def rule(self) -> StopRule:
        said = self.cleaned_data
        return StopRule(said["failed_percent"], most_failed=said["most_failed"], count_offline=said["count_offline"])


@dataclass(slots=True)
class Selected:
    """The chargers that were chosen: those that are ticked, or (`asked`) those that match the filters of the list.

    `heads` are the first of them, without plugs, since whole chargers are asked. `protocols`: how many speak what.
    """

    heads: list[Head] = field(default_factory=list)
    asked: stationlist.Asked | None = None
    protocols: dict[str, int] = field(default_factory=dict)
    away: int = 0

    @classmethod
    def of(cls, query: QueryDict) -> "Selected":
        asked = stationlist.Asked.of(query) if query.get("all") else None
        if asked:
            found = asked.matching()
        else:
            ticked = {int(pk) for pk in query.getlist("station") if pk.isascii() and pk.isdigit() and len(pk) < 19}
            found = stationlist.with_state().filter(pk__in=ticked)
        heads = [Head(one, stationlist.state_of(one.shown), one.is_online, []) for one in found.order_by("identity")[: NAMED + 1]]
        if asked is None or len(heads) <= NAMED:
            heads = heads[:NAMED]
            protocols: dict[str, int] = {}
            for head in heads:
                protocols[_protocol(head)] = protocols.get(_protocol(head), 0) + 1
            return cls(heads, None, protocols, sum(not head.online for head in heads))
        counted = found.order_by().values_list("connection__protocol")
        rows = list(counted.annotate(n=Count("pk"), away=Count("pk", filter=Q(is_online=False))))
        return cls(heads[:NAMED], asked, {protocol or "": n for protocol, n, _away in rows}, sum(away for *_rest, away in rows))

    @property
    def total(self) -> int:
        return sum(self.protocols.values())

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.total - len(self.heads)

    def asks(self) -> dict[str, type[asking.Ask]]:
        """What at least one of them has words for."""
        said = {kind for protocol in self.protocols for kind in reading.sayable(protocol)}
        return {name: asking.ASKS[name] for name in ASKS if asking.ASKS[name].kind in said}

    def able(self, ask: type[asking.Ask]) -> int:
        """How many have words for it."""
        return sum(n for protocol, n in self.protocols.items() if ask.kind in reading.sayable(protocol))

    def unable(self, ask: type[asking.Ask]) -> list[Head]:
        return [head for head in self.heads if ask.kind not in reading.sayable(_protocol(head))]

    @property
    def selection(self) -> dict[str, Any]:
        if self.asked:
            return {"filter": self.asked.filter.kept()}
        return {"stations": [head.station.identity for head in self.heads]}

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the form carries, so that the same are chosen when it is sent."""
        if self.asked:
            return [("all", "on"), *self.asked.filter.kept().items(), ("total", str(self.total))]
        return [("station", str(head.station.pk)) for head in self.heads]


def _protocol(head: Head) -> str:
    return head.connection.protocol if head.connection else ""


@needs(MAY_SEND)
def choose(request: HttpRequest) -> HttpResponseBase:
    """What to ask of the chargers that were chosen; and what several were asked before."""
    if request.GET.get("format") == "csv":
        return exports.stream_csv(
            request, "commands-for-several", RUN_COLUMNS, lambda last, size: _runs(last[0].pk if last else None, size), _cells
        )
    selected = Selected.of(request.GET)
    ask = selected.asks().get(request.GET.get("do", ""))
    form = None
    if ask and (able := selected.able(ask)):
        form = ask(_first(selected, ask), many=able)
    return _choose(request, selected, request.GET.get("do", ""), form, Care())


def _first(selected: Selected, ask: type[asking.Ask]) -> Head:
    """One that has words for it, if it is among those that are named."""
    unable = selected.unable(ask)
    return next((head for head in selected.heads if head not in unable), selected.heads[0])


def _choose(
    request: HttpRequest, selected: Selected, do: str, form: asking.Ask | None, care: Care, token: str = ""
) -> HttpResponse:
    before = request.GET.get("before", "")
    runs = _runs(int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None, RUNS_SHOWN + 1)
    able = selected.able(type(form)) if form else 0
    context = {
        "selected": selected,
        "menu": [(name, ask.word) for name, ask in selected.asks().items()],
        "do": do if form else "",
        "form": form,
        "care": care,
        "able": able,
        "left_out": selected.total - able,
        "unable": selected.unable(type(form)) if form else [],
        "query": urlencode(selected.hidden),
        "token": token or secrets.token_urlsafe(16),
        "runs": runs[:RUNS_SHOWN],
        "older": runs[RUNS_SHOWN - 1][0].pk if len(runs) > RUNS_SHOWN else "",
        "newest": not before,
    }
    return render(request, "dashboard/runs.html", context, status=422 if form and (form.errors or care.errors) else 200)


def _runs(before: int | None, size: int) -> Sequence[tuple[CommandRun, Any, str, reads.Progress]]:
    """The newest runs, each with its state, its word and how far it is: two queries."""
    found: QuerySet[CommandRun] = CommandRun.objects.select_related("requested_by").order_by("-id")
    rows = list((found if before is None else found.filter(pk__lt=before))[:size])
    counts = reads.progress([run.pk for run in rows])
    return [(run, runwords.STATES[run.state], runwords.word(run), counts[run.pk]) for run in rows]


def _cells(row: tuple[CommandRun, Any, str, reads.Progress]) -> tuple[object, ...]:
    run, _state, _word, p = row
    by = str(run.requested_by or "")
    return (
        *(run.pk, run.kind, run.state, p.total, p.waiting, p.asked, p.done, p.failed, p.left_out, by, run.reason),
        *(run.created_at, run.finished_at),
    )


@action(MAY_SEND)
def start_run(request: HttpRequest) -> HttpResponse:
    """Ask each of them, once."""
    operator = operator_of(request)
    selected = Selected.of(request.POST)
    do, token = request.POST.get("do", ""), request.POST.get("token", "")[:32].strip()
    ask = selected.asks().get(do)
    able = selected.able(ask) if ask else 0
    if ask is None or not able or not token:
        raise Http404(_("None of these chargers can be asked for that."))
    form, care = ask(_first(selected, ask), request.POST, many=able), Care.of(request.POST)
    if form.is_valid() and care.is_valid():
        total = request.POST.get("total", "")
        try:
            command = form.command()
            run = commandruns.start(
                operator=operator,
                token=token,
                selection=selected.selection,
                command=command,
                wordings=reading.wordings(command, form.said),
                user=request.user if isinstance(request.user, User) else None,
                reason=form.why(),
                pace=care.pace,
                rule=care.rule,
                expected=int(total) if selected.asked and total.isascii() and total.isdigit() and len(total) < 9 else None,
            )
        except BadCommand as error:
            form.refuse(error)
        else:
            return redirect("run", run.pk)
    return _choose(request, selected, do, form, care, token)
