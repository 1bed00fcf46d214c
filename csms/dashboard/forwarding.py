"""Forwarding: to which second back ends chargers are mirrored, how each of them does there, and trying it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from csms.dashboard.access import action, may_add, needs, operator_of, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.serviceforms import ServiceForm
from csms.forwarding import selectors, services
from csms.forwarding.models import IDENTITY, Forward, ForwardLink, LinkState, Style, Which
from csms.forwarding.selectors import Tally
from stations.models import Site

MAY_CHANGE = "forwards.change"
PAGE = 50
STATES = [
    (LinkState.CONNECTED.value, gettext_lazy("Connected"), "available"),
    (LinkState.CONNECTING.value, gettext_lazy("Connecting"), "preparing"),
    (LinkState.FAILING.value, gettext_lazy("Failing"), "faulted"),
    (LinkState.IDLE.value, gettext_lazy("Away"), "unavailable"),
]
WORDS = {value: (words, slug) for value, words, slug in STATES}
LIST_HEADER = (
    *("id", "name", "url", "style", "which", "site", "from_station", "to_station", "only", "never", "active"),
    *("chargers", "connected", "failing", "sent", "refused", "dropped", "unmatched", "asked", "created_at"),
)
LINK_HEADER = (
    *("station", "identity", "state", "protocol", "connected_at", "failing_since", "error", "sent", "refused", "dropped"),
    *("unmatched", "asked", "forwarded_at", "answer_ms"),
)


class ForwardForm(ServiceForm):
    """One second back end. The rules are those of `csms.forwarding.services`; their errors are put to the fields."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("Such as that of who runs it."))
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=services.LONGEST_URL,
        help_text=gettext_lazy("Where chargers connect to there, without their identity, such as wss://example.com/ocpp."),
        widget=forms.TextInput({"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    identity = forms.CharField(
        label=gettext_lazy("Identity there"),
        max_length=100,
        initial=IDENTITY,
        help_text=gettext_lazy("{identity} stands for the one that the charger has here."),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        max_length=services.LONGEST_PASSWORD,
        help_text=gettext_lazy("Sent by HTTP Basic with the identity. Kept encrypted, and never shown."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    no_password = forms.BooleanField(label=gettext_lazy("Send no password any more"), required=False)
    style = forms.ChoiceField(
        label=gettext_lazy("How it is told"),
        choices=[
            (Style.OCPP, gettext_lazy("OCPP, as the charger would: for another charging system")),
            (
                Style.ENVELOPE,
                gettext_lazy("Envelopes, JSON with each call and its answer: for a program of one's own, or to look on"),
            ),
        ],
        widget=forms.RadioSelect,
    )
    which = forms.ChoiceField(
        label=gettext_lazy("Chargers"),
        choices=[
            (Which.ALL, gettext_lazy("All chargers")),
            (Which.SITE, gettext_lazy("Those of a site")),
            (Which.CHOSEN, gettext_lazy("Those named below")),
        ],
        widget=forms.RadioSelect,
    )
    site: Any = forms.ModelChoiceField(label=gettext_lazy("Site"), queryset=Site.objects.none(), required=False, empty_label="–")
    stations = forms.CharField(
        label=gettext_lazy("Identities"),
        required=False,
        help_text=gettext_lazy("One on a line."),
        widget=forms.Textarea({"rows": 4, "spellcheck": "false"}),
    )
    from_station = forms.BooleanField(label=gettext_lazy("What chargers send"), required=False)
    to_station = forms.BooleanField(
        label=gettext_lazy("What chargers are asked"),
        required=False,
        help_text=gettext_lazy("In OCPP as a DataTransfer, since a charger has no other words for it. Passwords are never told."),
    )
    only = forms.CharField(
        label=gettext_lazy("Only these messages"),
        required=False,
        help_text=gettext_lazy("Such as StartTransaction, StopTransaction. Empty: all."),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    never = forms.CharField(
        label=gettext_lazy("Not these messages"),
        required=False,
        help_text=gettext_lazy("Such as Heartbeat."),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].queryset = Site.objects.order_by("name")  # type: ignore[attr-defined]

    def values(self, *, known: bool) -> dict[str, Any]:
        """What the service takes. An empty password stays what it was."""
        found = dict(self.cleaned_data)
        forget = found.pop("no_password")
        if forget:
            found["password"] = ""
        elif known and not found["password"]:
            del found["password"]
        for name in ("only", "never"):
            found[name] = re.findall(r"[^\s,;]+", found[name])
        return found | {"stations": found["stations"].splitlines()}


NEW = {"identity": IDENTITY, "style": Style.OCPP, "which": Which.ALL, "from_station": True}


@dataclass(frozen=True, slots=True)
class State:
    """How a forward does: a word, its colour and shape, and why."""

    slug: str
    word: str
    reason: str = ""


def state_of(forward: Forward, tally: Tally, now: datetime) -> State:
    if not forward.active:
        return State("unavailable", _("Paused"), _("What chargers say waits, and is forwarded when you resume."))
    if forward.served_at is None and now - forward.created_at < selectors.SILENT:
        return State("preparing", _("Beginning"))
    if not selectors.is_served(forward, now):
        return State("faulted", _("Not running"), _("The process that forwards is not running: start it with make forward."))
    if forward.which == Which.SITE and forward.site_id is None:
        return State("faulted", _("No site"), _("The site whose chargers were forwarded is gone: choose another."))
    if tally.failing:
        said = ngettext("%(n)s charger cannot be forwarded.", "%(n)s chargers cannot be forwarded.", tally.failing)
        return State("faulted" if tally.failing == tally.links else "suspended", _("Failing"), said % {"n": tally.failing})
    if not tally.links:
        return State("preparing", _("No chargers"), _("No charger is among those that are to be forwarded."))
    if tally.sent == 0:
        return State("preparing", _("Nothing forwarded yet"))
    return State("available", _("Works"))


@page
def show_forwards(request: HttpRequest) -> HttpResponseBase:
    """Who else hears what our chargers say?"""
    if request.GET.get("format") == "csv":
        return _list_file(request)
    now = timezone.now()
    found = list(Forward.objects.select_related("site").defer("password").order_by("pk")[: services.MOST])
    counted = selectors.tallies(found)
    rows = [(one, tally, state_of(one, tally, now)) for one in found for tally in [counted.get(one.pk, Tally())]]
    return render(request, "dashboard/forwards.html", {"rows": rows, "may_change": may_add(request, MAY_CHANGE)})


def _list_file(request: HttpRequest) -> HttpResponseBase:
    def chunk(last: tuple[Forward, Tally] | None, size: int) -> Sequence[tuple[Forward, Tally]]:
        after = last[0].pk if last else 0
        found = list(Forward.objects.filter(pk__gt=after).select_related("site").defer("password").order_by("pk")[:size])
        counted = selectors.tallies(found)
        return [(one, counted.get(one.pk, Tally())) for one in found]

    def cells(row: tuple[Forward, Tally]) -> Iterable[object]:
        one, tally = row
        return (
            *(one.pk, one.name, one.shown_url, one.style, one.which, one.site, one.from_station, one.to_station),
            *(" ".join(one.only), " ".join(one.never), one.active, tally.links, tally.connected, tally.failing),
            *(tally.sent, tally.refused, tally.dropped, tally.unmatched, tally.asked, one.created_at),
        )

    return stream_csv(request, "forwarding", LIST_HEADER, chunk, cells)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def add_forward(request: HttpRequest) -> HttpResponse:
    operator = operator_of(request)
    form = ForwardForm(request.POST if request.method == "POST" else None, initial=NEW)
    if request.method == "POST" and form.is_valid():
        try:
            forward = services.add(operator=operator, **form.values(known=False))
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("It is forwarded from now on. Test it, and accept the chargers there."))
            return redirect("forward", forward.pk)
    return render(request, "dashboard/forward_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def change_forward(request: HttpRequest, pk: int) -> HttpResponse:
    forward: Forward = get_object_or_404(Forward.objects.select_related("operator"), pk=pk)
    names = ("name", "url", "identity", "style", "which", "site", "from_station", "to_station")
    known: dict[str, Any] = {name: getattr(forward, name) for name in names}
    known |= {"only": ", ".join(forward.only), "never": ", ".join(forward.never)}
    known["stations"] = "\n".join(forward.stations.values_list("identity", flat=True))
    form = ForwardForm(request.POST if request.method == "POST" else None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            services.change(forward=forward, **form.values(known=True))
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The forwarding is changed."))
            return redirect("forward", pk)
    return render(request, "dashboard/forward_form.html", {"form": form, "forward": forward}, status=422 if form.errors else 200)


@dataclass(frozen=True, slots=True)
class Row:
    """A charger at the other back end. `waiting_since`: the oldest that it was not told yet came then."""

    link: ForwardLink
    identity: str
    waiting_since: datetime | None

    @property
    def word(self) -> Any:
        return WORDS[self.link.state][0]

    @property
    def slug(self) -> str:
        return "suspended" if self.link.failing_since and self.link.state != LinkState.FAILING else WORDS[self.link.state][1]


@page
def show_forward(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Which chargers are heard there, how far, and what is in the way?"""
    forward: Forward = get_object_or_404(Forward.objects.select_related("site"), pk=pk)
    state = request.GET.get("state", "")
    state = state if state in WORDS else ""
    if request.GET.get("format") == "csv":
        return _links_file(request, forward, state)
    after = _number(request.GET.get("after", ""))
    found = list(selectors.links(forward, state).filter(pk__gt=after)[: PAGE + 1])
    shown, now = found[:PAGE], timezone.now()
    waiting = selectors.waiting_since(shown) if forward.active else {}
    tally = selectors.tallies([forward]).get(pk, Tally())
    context = {
        "forward": forward,
        "tally": tally,
        "state": state_of(forward, tally, now),
        "rows": [Row(one, forward.identity_of(one.station.identity), waiting.get(one.pk)) for one in shown],
        "shown_state": state,
        "states": STATES,
        "first": bool(after),
        "more": shown[-1].pk if len(found) > PAGE else None,
        "may_change": may_add(request, MAY_CHANGE),
        "now": now,
    }
    return render(request, "dashboard/forward.html", context)


def _links_file(request: HttpRequest, forward: Forward, state: str) -> HttpResponseBase:
    def chunk(last: ForwardLink | None, size: int) -> Sequence[ForwardLink]:
        return list(selectors.links(forward, state).filter(pk__gt=last.pk if last else 0)[:size])

    def cells(one: ForwardLink) -> Iterable[object]:
        name = one.station.identity
        return (
            *(name, forward.identity_of(name), one.state, one.protocol, one.connected_at, one.failing_since, one.error),
            *(one.sent, one.refused, one.dropped, one.unmatched, one.asked, one.forwarded_at, one.answer_ms),
        )

    return stream_csv(request, f"forwarding-{forward.pk}", LINK_HEADER, chunk, cells)


@action(MAY_CHANGE)
def do_forward(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause, resume, test, or remove it."""
    forward: Forward = get_object_or_404(Forward.objects.select_related("operator"), pk=pk)
    match request.POST.get("do", ""):
        case "pause":
            services.pause(forward=forward)
            messages.success(request, _("Nothing is forwarded to it now. What chargers say waits."))
        case "resume":
            services.resume(forward=forward)
            messages.success(request, _("It is forwarded again; what has waited comes first."))
        case "remove":
            services.remove(forward=forward)
            messages.success(request, _("Nothing is forwarded to %(name)s any more.") % {"name": forward.name})
            return redirect("forwards")
        case "test":
            _test(request, forward)
        case _:
            messages.error(request, _("Forwarding can be paused, resumed, tested, or removed."))
    return redirect("forward", pk)


def _test(request: HttpRequest, forward: Forward) -> None:
    try:
        name = services.try_out(forward=forward)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return
    said = _("It lets %(identity)s in. Those that failed are tried again now.") % {"identity": name}
    messages.success(request, said if name else _("All chargers are connected there: there is nothing to test."))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
