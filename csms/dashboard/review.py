"""What waits for a person: sessions in doubt, sessions that seem dead, and messages that nobody understood."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import may
from csms.dashboard.access import page
from csms.dashboard.exports import stream_csv
from csms.ocpp.masking import without_tags
from csms.templatetags.words import DOUBTS
from stations import choices, review
from stations.cases import took_place_at
from stations.domain.values import DECIDED, Doubt, TransactionStatus
from stations.models import RepairMessage, Site, Transaction

MAY_REPAIR = "transactions.repair"
#: Who looks after id tags sees them in messages.
SEES_TAGS = "tags.change"
PAGE = 50
HIGHEST = 2**63
Word = str | Promise

#: Why a session waits.
WHY: dict[str, Word] = {
    Doubt.START_MISSING: gettext_lazy("Only its end came: what the meter stood at when it began is not known."),
    Doubt.STOP_MISSING: gettext_lazy("Its end never came. What is known goes up to the last reading."),
    Doubt.REGISTER: gettext_lazy("What the meter stood at when it began and when it ended makes no energy that can be right."),
    Doubt.EVENTS_MISSING: gettext_lazy("The charger counted messages of it that never came, so something may be missing."),
    Doubt.SIGNED: gettext_lazy("What the meter signed, and provably said, is another energy than the charger told."),
}
KINDS: dict[str, Word] = {
    "sessions": gettext_lazy("In doubt"),
    "running": gettext_lazy("Seem dead"),
    "messages": gettext_lazy("Not understood"),
}
COLUMNS = {
    "sessions": (
        *("id", "transaction", "station", "plug", "id_tag", "status", "doubt", "why", "started_at", "stopped_at", "energy_wh"),
        *("meter_start_wh", "meter_stop_wh", "meter_last_wh", "meter_last_at", "findings"),
    ),
    "messages": ("id", "station", "action", "protocol", "received_at", "reason", "frame", "answer"),
}
COLUMNS["running"] = COLUMNS["sessions"]


def why(transaction: Transaction) -> Word:
    """Why it waits, in a sentence."""
    if transaction.status == TransactionStatus.ACTIVE:
        if getattr(transaction, "free", False):
            return _("It runs on although the plug is free: its end was not reported.")
        return _("It has not ended, and nothing was heard of it for long.")
    return WHY.get(transaction.doubt) or DOUBTS.get(transaction.doubt) or transaction.get_doubt_display()


class ReviewFilters(forms.Form):
    """What the lists can be narrowed by."""

    site: "forms.ModelChoiceField[Site]" = forms.ModelChoiceField(
        label=gettext_lazy("Site"), required=False, queryset=None, empty_label=gettext_lazy("All")
    )
    station = forms.CharField(label=gettext_lazy("Charger"), required=False, max_length=48)
    doubt = forms.ChoiceField(label=gettext_lazy("Why"), required=False)
    kind = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        site, doubt = self.fields["site"], self.fields["doubt"]
        assert isinstance(site, forms.ModelChoiceField)
        assert isinstance(doubt, forms.ChoiceField)
        # Not at import: sites are those of whoever looks.
        site.queryset = Site.objects.order_by("name")
        doubts = [(code, DOUBTS.get(code, words)) for code, words in choices.DOUBT if code not in DECIDED]
        doubt.choices = [("", gettext_lazy("All")), *doubts]
        if self.which != "sessions":
            del self.fields["doubt"]

    @property
    def which(self) -> str:
        asked = self.data.get("kind", "")
        return asked if asked in KINDS else "sessions"

    def rows(self, now: datetime) -> QuerySet[Any]:
        """What fits, the newest first; nothing while something in the form is wrong."""
        found: QuerySet[Any] = {"sessions": review.waiting, "messages": review.messages}.get(
            self.which, lambda: review.silent(now)
        )()
        if not self.is_valid():
            return found.none()
        wanted = self.cleaned_data
        if wanted["site"]:
            site = wanted["site"].pk
            found = found.filter(Q(station__site=site) if self.which == "messages" else took_place_at(site))
        if wanted["station"]:
            found = found.filter(station__identity__icontains=wanted["station"])
        if wanted.get("doubt"):
            found = found.filter(doubt=wanted["doubt"])
        return found.order_by("-pk")

    def query(self, **more: object) -> str:
        """The filters as they stand in an address."""
        own = {name: self.data.get(name, "") for name in self.fields if name != "kind"}
        own["kind"] = "" if self.which == "sessions" else self.which
        return urlencode({name: value for name, value in {**own, **more}.items() if value})

    @property
    def narrowed(self) -> bool:
        return any(self.data.get(name) for name in ("site", "station", "doubt"))


@dataclass(frozen=True, slots=True)
class Tab:
    slug: str
    word: Word
    count: int
    query: str
    current: bool

    @property
    def shown(self) -> str:
        return f"{self.count}+" if self.count >= review.COUNTED else str(self.count)


@dataclass(frozen=True, slots=True)
class Line:
    transaction: Transaction
    why: Word
    findings: int


@page
def show_review(request: HttpRequest) -> HttpResponseBase:
    """Everything that a person has to decide, a kind at a time."""
    form, now = ReviewFilters(request.GET), timezone.now()
    rows = form.rows(now)
    if request.GET.get("format") == "csv":
        return _export(request, form, rows)
    before = _before(request)
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    shown = found[:PAGE]
    counted = review.counts(now)
    narrow = {name: request.GET.get(name, "")[:48] for name in ("site", "station") if request.GET.get(name)}
    tabs = [
        Tab(
            slug,
            word,
            getattr(counted, slug),
            urlencode(narrow | ({} if slug == "sessions" else {"kind": slug})),
            slug == form.which,
        )
        for slug, word in KINDS.items()
    ]
    context = {
        "form": form,
        "kind": form.which,
        "tabs": tabs,
        "lines": _lines(shown) if form.which != "messages" else [],
        "repairs": shown if form.which == "messages" else [],
        "older": form.query(before=shown[-1].pk) if len(found) > PAGE else "",
        "newest": form.query() if before else None,
        "export": form.query(format="csv"),
        "may_repair": may(request.user, MAY_REPAIR),
    }
    return render(request, "dashboard/review.html", context)


def _lines(transactions: Sequence[Transaction]) -> list[Line]:
    findings = review.findings(list(transactions))
    return [Line(one, why(one), len(findings.get(one.pk, []))) for one in transactions]


def _before(request: HttpRequest) -> int | None:
    text = request.GET.get("before", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) < HIGHEST):
        raise BadRequest("before")
    return int(text)


def _export(request: HttpRequest, form: ReviewFilters, rows: QuerySet[Any]) -> HttpResponseBase:
    if not form.is_valid():
        raise BadRequest(form.errors.as_json())

    def chunk(last: Any, size: int) -> Sequence[Any]:
        found = list((rows if last is None else rows.filter(pk__lt=last.pk))[:size])
        if form.which != "messages":
            known = review.findings(found)
            for one in found:
                one.found = known.get(one.pk, [])
        return found

    clear = may(request.user, SEES_TAGS)
    cells = _message_cells if form.which == "messages" else _session_cells
    return stream_csv(request, f"review-{form.which}", COLUMNS[form.which], chunk, lambda row: cells(row, clear))


def _session_cells(t: Transaction, clear: bool) -> Iterable[object]:
    found = "; ".join(f"{one.code} {one.subject}".strip() for one in t.found)  # type: ignore[attr-defined]  # by the chunk
    return (
        *(t.pk, t.ocpp_transaction_id, t.station.identity, t.evse.number if t.evse else None, t.id_tag, t.status, t.doubt),
        *(str(why(t)), t.started_at, t.stopped_at, t.energy_wh, t.meter_start_wh, t.meter_stop_wh, t.meter_last_wh),
        *(t.meter_last_at, found),
    )


def _message_cells(one: RepairMessage, clear: bool) -> Iterable[object]:
    frame = one.frame if clear else without_tags(one.frame)
    return (one.pk, one.station.identity, one.action, one.protocol, one.received_at, one.reason, frame, one.answer)
