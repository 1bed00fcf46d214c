"""One session that waits for a person: what is known of it, what could be done, and what each of that would make of its price."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from accounts.permissions import may
from billing import drafts
from billing import selectors as bills
from csms.dashboard import charts, points, wall
from csms.dashboard.access import action, page
from csms.dashboard.review import MAY_REPAIR, why
from stations import ports, review, selectors
from stations.domain.values import Doubt
from stations.models import Transaction
from stations.services import repairplans, repairs
from stations.services.repairplans import Plan

Word = str | Promise
WH = Decimal(1000)

#: What speaks for a stop being that of a session.
REASONS: dict[str, Word] = {
    "named": gettext_lazy("the stop names this session"),
    "tag": gettext_lazy("the same id tag"),
    "plug": gettext_lazy("the same plug"),
    "register": gettext_lazy("the meter had counted up by then"),
    "last": gettext_lazy("the meter stood above the last reading"),
    "soon": gettext_lazy("within half an hour of the last reading"),
}
DONE: dict[str, Word] = {
    "close": gettext_lazy("The session was closed by hand."),
    "attach": gettext_lazy("The stop was attached."),
    "recalculate": gettext_lazy("The energy was counted anew."),
    "accept": gettext_lazy("The session was accepted as it is."),
    "write_off": gettext_lazy("The session was written off."),
}


def _moment(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput({"type": "datetime-local", "step": "1"}, "%Y-%m-%dT%H:%M:%S")
    return forms.DateTimeField(label=label, required=False, widget=widget)


def _register(label: Any) -> forms.DecimalField:
    widget = forms.NumberInput({"step": "0.001", "min": "0"})
    return forms.DecimalField(label=label, required=False, max_digits=12, decimal_places=3, min_value=0, widget=widget)


class CloseForm(forms.Form):
    """Start and end by hand. Proposed is what the last reading says. Registers in kWh."""

    started_at = _moment(gettext_lazy("Began"))
    meter_start_kwh = _register(gettext_lazy("Meter at the start, in kWh"))
    stopped_at = _moment(gettext_lazy("Ended"))
    meter_stop_kwh = _register(gettext_lazy("Meter at the end, in kWh"))

    def __init__(self, data: Mapping[str, Any] | None, transaction: Transaction) -> None:
        super().__init__(data, initial=_proposed(transaction))
        if transaction.doubt not in (Doubt.START_MISSING, Doubt.REGISTER) and transaction.meter_start_wh is not None:
            del self.fields["started_at"], self.fields["meter_start_kwh"]

    def problems(self) -> list[str]:
        return [str(line) for lines in self.errors.values() for line in lines]

    def params(self) -> dict[str, Any]:
        """As the service takes them; what is not filled in is left out."""
        given = (
            self.cleaned_data if self.is_bound else {name: self.get_initial_for_field(f, name) for name, f in self.fields.items()}
        )
        found = {}
        for name, value in given.items():
            if value is not None and value != "":
                found[name.replace("_kwh", "_wh")] = value * WH if name.endswith("_kwh") else value
        return found

    def sent(self) -> dict[str, str]:
        """As another form carries them along."""
        found = {}
        for name, value in self.params().items():
            told = value / WH if name.endswith("_wh") else value
            found[name.replace("_wh", "_kwh")] = told.isoformat() if isinstance(told, datetime) else f"{told:f}"
        return found


def _proposed(t: Transaction) -> dict[str, Any]:
    known = repairplans.registers(t)
    first, last = (known[0], known[-1]) if known else (None, None)
    stop = t.meter_stop_wh if t.meter_stop_wh is not None else t.meter_last_wh
    if stop is None and last is not None:
        stop = last[1]
    start = t.meter_start_wh if t.meter_start_wh is not None else first[1] if first else None
    return {
        "started_at": t.started_at,
        "meter_start_kwh": None if start is None else start / WH,
        "stopped_at": t.stopped_at or t.meter_last_at or (last[0] if last else None),
        "meter_stop_kwh": None if stop is None else stop / WH,
    }


#: Why a session would have no price, though it were billed.
UNPRICED: dict[type[Exception], Word] = {
    drafts.NoTariff: gettext_lazy("no tariff yet"),
    drafts.PriceMissing: gettext_lazy("not known: the market's price of one of its hours is missing"),
    drafts.CurrentUnknown: gettext_lazy("not known: its tariff goes by the current, and no reading says that"),
    drafts.ReadingsGone: gettext_lazy(
        "not known: its meter samples were let go, and its tariff asks when the energy flowed. The bill would stay as it is"
    ),
}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fix would make of energy and price, beside what they are (`before_wh`); or why it cannot be done.

    `unpriced`: why there is no price, though it would be billed.
    """

    before_wh: Decimal | None = None
    plan: Plan | None = None
    price: tuple[Decimal, str] | None = None
    unpriced: Word = ""
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Choice:
    """A fix with its effect. `hidden`: what its form sends along."""

    slug: str
    title: Word
    text: Word
    effect: Effect
    fix: str
    hidden: dict[str, Any] = field(default_factory=dict)
    form: forms.Form | None = None
    explained: bool = False
    reasons: list[Word] = field(default_factory=list)
    other: Transaction | None = None


def effect(transaction: Transaction, fix: str, params: Mapping[str, Any], orphan: Transaction | None = None) -> Effect:
    try:
        plan = repairplans.plan(transaction, fix, orphan=orphan, params=params)
    except ValidationError as error:
        return Effect(transaction.energy_wh, problems=error.messages)
    if not plan.billed or plan.energy_wh is None:
        return Effect(transaction.energy_wh, plan)
    try:
        price = bills.would_cost(transaction, energy_wh=plan.energy_wh, started_at=plan.started_at, stopped_at=plan.stopped_at)
    except drafts.EXPECTED as error:
        return Effect(transaction.energy_wh, plan, unpriced=UNPRICED.get(type(error), str(error)))
    return Effect(transaction.energy_wh, plan, price)


def choices(t: Transaction, close: CloseForm, *, billed: bool = False) -> list[Choice]:
    """Everything that can be done about it, the likeliest first. Of one that was billed, whatever is done is explained."""
    found = []
    for one in review.candidates(t):
        ours = one.session.pk == t.pk
        found.append(
            Choice(
                f"attach-{one.stop.pk if ours else one.session.pk}",
                _("Attach the stop that came alone") if ours else _("Attach it to the session it ended"),
                _("The session keeps its start and gets this stop; its readings move along."),
                effect(one.session, "attach", {}, one.stop),
                "attach",
                {"stop": one.stop.pk, "session": one.session.pk},
                explained=billed,
                reasons=[REASONS[name] for name in one.reasons],
                other=one.stop if ours else one.session,
            )
        )
    counted = repairplans.recounted(t)
    if counted is not None:
        span = _("From the first register that is known to the last.")
        rises = _("The sum of what the register rose by. Dips are left out.")
        if counted.resets:
            words = ngettext("The register began anew %(n)s time.", "The register began anew %(n)s times.", counted.resets)
            rises = f"{rises} {words % {'n': counted.resets}}"
        methods = [("span", _("Count: last register less the first"), span), ("rises", _("Count: sum of all rises"), rises)]
        if counted.span_wh == counted.rises_wh:
            methods = methods[:1]
        found += [
            Choice(
                f"count-{name}",
                title,
                text,
                effect(t, "recalculate", {"method": name}),
                "recalculate",
                {"method": name},
                explained=billed,
            )
            for name, title, text in methods
        ]
    if not billed:
        accepted = effect(t, "accept", {})
        found.append(
            Choice("accept", _("Accept it as it is"), _("Its energy stays what it is, and is billed."), accepted, "accept")
        )
    valid = not close.is_bound or close.is_valid()
    wrong = Effect(problems=close.problems())
    text = _("What the last reading says is proposed. Change it to what you know, and look what comes of it.")
    by_hand = effect(t, "close", close.params()) if valid else wrong
    hidden = close.sent() if valid else {}
    found.append(Choice("close", _("Set it by hand"), text, by_hand, "close", hidden, form=close, explained=True))
    text = _("It is never billed. Its readings are kept, and this can be undone.")
    found.append(Choice("write_off", _("Write it off"), text, effect(t, "write_off", {}), "write_off", explained=True))
    return found


def _transaction(pk: int) -> Transaction:
    return get_object_or_404(selectors.transactions().select_related("id_token", "station__connection"), pk=pk)


@page
def show_review_session(request: HttpRequest, pk: int) -> HttpResponse:
    """One session with all that is known of it, and the fixes with their consequences."""
    t = _transaction(pk)
    asked = request.GET if request.GET.get("do") == "close" else None
    close = CloseForm(asked, t)
    window = points.session(t, None, None)
    waits = repairplans.waits(t)
    made = list(t.repairs.select_related("made_by", "orphan").order_by("-id")[:20])
    billed = ports.billed(t.pk)
    samples = selectors.samples(t)
    context = {
        "t": t,
        "session": wall.sessions([t])[0],
        "waits": waits,
        "why": why(t) if waits else "",
        "billed": billed,
        "seen": repairplans.state_of(t),
        "choices": choices(t, close, billed=billed) if waits or billed else [],
        "findings": t.findings.all(),
        "neighbours": review.neighbours(t),
        # Single points make no line.
        "curves": [one for one in charts.curves(points.of_session(t, window)) if any(" " in line for line, _area in one.pieces)]
        if window
        else [],
        "ends": [samples[0], samples[-1]] if len(samples) > 1 else samples,
        "made": made,
        "may_undo": any(one.undone_at is None for one in made) and not billed and may(request.user, MAY_REPAIR),
        "may_repair": may(request.user, MAY_REPAIR),
    }
    return render(request, "dashboard/review_session.html", context)


@action(MAY_REPAIR)
def fix_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Do one of the fixes."""
    t = _transaction(pk)
    fix, params, orphan, target = request.POST.get("fix", "")[:20], {}, None, t
    if fix == "close":
        close = CloseForm(request.POST, t)
        if not close.is_valid():
            return _refused(request, pk, close.problems())
        params = close.params()
    elif fix == "recalculate":
        params = {"method": request.POST.get("method", "")[:10]}
    elif fix == "attach":
        numbers = [request.POST.get(name, "") for name in ("session", "stop")]
        if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in numbers) or str(pk) not in numbers:
            return _refused(request, pk, [_("Name the stop to attach.")])
        target, orphan = (_transaction(int(one)) for one in numbers)
    try:
        repairs.repair(
            transaction=target,
            fix=fix,
            params=params,
            orphan=orphan,
            seen=request.POST.get("seen", "")[:40] if target.pk == pk else "",
            user=request.user if isinstance(request.user, User) else None,
            reason=request.POST.get("reason", ""),
        )
    except ValidationError as error:
        return _refused(request, pk, error.messages)
    messages.success(request, str(DONE.get(fix, "")))
    return redirect("review_session", target.pk)


@action(MAY_REPAIR)
def undo_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the newest fix back."""
    t = _transaction(pk)
    try:
        repairs.undo(transaction=t, reason=request.POST.get("reason", "").strip()[:200])
    except ValidationError as error:
        return _refused(request, pk, error.messages)
    messages.success(request, _("It is undone: the session waits again."))
    return redirect("review_session", pk)


def _refused(request: HttpRequest, pk: int, lines: list[str]) -> HttpResponse:
    messages.error(request, _("Nothing was changed: %(why)s") % {"why": " ".join(lines)})
    return redirect("review_session", pk)
