"""The list of sessions, running and finished: filters in the address, a page at a time, and as a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from csms.dashboard import savedviews, wall
from csms.dashboard.access import page
from csms.dashboard.days import within
from csms.dashboard.exports import stream_csv
from csms.dashboard.states import STATES, State
from stations import selectors
from stations.cases import took_place_at
from stations.domain.values import DECIDED, TransactionStatus
from stations.models import Finding, Site, Station, Transaction

PAGE = 50
#: What has no index in the order of the list is looked for among so many sessions at a time, and the page says so.
SCAN = 10_000
#: When it started, and its number.
Mark = tuple[datetime, int]
COLUMNS = (
    *("id", "transaction", "station", "plug", "id_tag", "status", "started_at", "stopped_at", "stop_reason", "energy_wh"),
    *("meter_start_wh", "meter_stop_wh", "price", "currency", "price_is_final", "doubt", "findings"),
    *("site", "power_w", "soc_percent", "trust"),
)


class SessionFilters(forms.Form):
    """What the list can be narrowed by. Nothing is required: an empty form is the whole list."""

    site: "forms.ModelChoiceField[Site]" = forms.ModelChoiceField(
        label=gettext_lazy("Site"), required=False, queryset=None, empty_label=gettext_lazy("All")
    )
    station = forms.CharField(label=gettext_lazy("Charger"), required=False, max_length=48)
    id_tag = forms.CharField(label=gettext_lazy("Id tag"), required=False, max_length=255)
    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[
            ("", gettext_lazy("All")),
            (TransactionStatus.ACTIVE.value, gettext_lazy("Running")),
            (TransactionStatus.ENDED.value, gettext_lazy("Finished")),
        ],
    )
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    doubtful = forms.BooleanField(label=gettext_lazy("Only in doubt"), required=False)
    findings = forms.BooleanField(label=gettext_lazy("With findings"), required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        field = self.fields["site"]
        assert isinstance(field, forms.ModelChoiceField)
        # Not at import: sites are those of whoever looks.
        field.queryset = Site.objects.order_by("name")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first one: exchange the two."))
        return cleaned

    def rows(self) -> QuerySet[Transaction]:
        """The sessions that fit, the newest first; none while something in the form is wrong."""
        return self._those_of(self._led(self._named())) if self.is_valid() else Transaction.objects.none()

    def read(self, before: Mark | None, size: int) -> tuple[list[Transaction], Mark | None]:
        """Up to `size` of them behind a place, and where to look further if `SCAN` sessions held fewer."""
        if not self.is_valid():
            return [], None
        named = self._named()
        led = self._led(named) if before is None else _after(self._led(named), *before)
        found, horizon = self._those_of(led), None
        if self._seeks(named):
            horizon = led.values_list("started_at", "pk")[SCAN : SCAN + 1].first()
        if horizon is not None:
            at, pk = horizon
            found = found.filter(Q(started_at__gt=at) | Q(pk__gte=pk), started_at__gte=at)
        rows = list(found[:size])
        return rows, horizon if len(rows) < size else None

    def _named(self) -> list[int]:
        """The stations that were asked for, or the first two."""
        text = self.cleaned_data["station"]
        return list(Station.objects.filter(identity__icontains=text).values_list("pk", flat=True)[:2]) if text else []

    def _leads(self, named: list[int]) -> list[Q]:
        """What each has an index in this order, the rarer first."""
        wanted = self.cleaned_data
        asked = [Q(station=named[0])] if len(named) == 1 else []
        asked += [Q(id_tag__iexact=wanted["id_tag"])] if wanted["id_tag"] else []
        asked += [~Q(doubt__in=DECIDED)] if wanted["doubtful"] else []
        return [*asked, took_place_at(wanted["site"].pk)] if wanted["site"] else asked

    def _led(self, named: list[int]) -> QuerySet[Transaction]:
        """As far as an index leads: the days, and the first of the rest that has one."""
        found = within(selectors.transactions().order_by("-started_at", "-id"), "started_at", self.cleaned_data)
        return found.filter(*self._leads(named)[:1])

    def _seeks(self, named: list[int]) -> bool:
        """Whether more is asked for than an index leads to. Those that run are few, and most have ended."""
        asked = self.cleaned_data["findings"] or len(named) > 1 or len(self._leads(named)) > 1
        return asked and self.cleaned_data["status"] != TransactionStatus.ACTIVE

    def _those_of(self, found: QuerySet[Transaction]) -> QuerySet[Transaction]:
        wanted = self.cleaned_data
        found = found.filter(*self._leads([]))
        if wanted["station"]:
            found = found.filter(station__identity__icontains=wanted["station"])
        if wanted["status"]:
            found = found.filter(status=wanted["status"])
        if wanted["findings"]:
            found = found.filter(Exists(Finding.objects.filter(transaction=OuterRef("pk"))))
        return found

    def query(self, **more: str) -> str:
        """The filters as they stand in an address."""
        given = {name: value for name in self.fields if (value := self.data.get(name))}
        return urlencode(given | more)


@dataclass(frozen=True, slots=True)
class Line:
    """A session, and the state its plug is in while it runs."""

    session: wall.Session
    state: State | None

    @property
    def power_w(self) -> Decimal | None:
        """What it draws now; None where nobody can know."""
        if not self.session.running or self.state is STATES[selectors.OFFLINE]:
            return None
        return wall.power_of(self.session.transaction)


@page
def show_sessions(request: HttpRequest) -> HttpResponse:
    """Who charged where, how much, and for what price?"""
    form = SessionFilters(request.GET)
    before = request.GET.get("before", "")
    found, horizon = form.read(_cursor(before) if before else None, PAGE + 1)
    last = (found[PAGE - 1].started_at, found[PAGE - 1].pk) if len(found) > PAGE else horizon
    query = form.query()
    context = {
        "form": form,
        "lines": _lines(wall.sessions(found[:PAGE])),
        "views": savedviews.of(request, "sessions", query),
        "now": timezone.now(),
        "filtered": bool(query),
        "newest": query if before else None,
        "older": form.query(before=f"{last[0].isoformat()}_{last[1]}") if last else "",
        "horizon": horizon and horizon[0],
        "scan": SCAN,
        "export": query,
    }
    return render(request, "dashboard/sessions.html", context)


def _lines(sessions: Sequence[wall.Session]) -> list[Line]:
    """With the state of the plugs at which sessions run: one query more, however many run."""
    running = {session.transaction.station_id for session in sessions if session.running}
    plugs = selectors.connectors(stations=running) if running else ()
    shown: dict[tuple[int | None, int], str] = {(plug.evse_id, plug.number): plug.shown for plug in plugs}  # type: ignore[attr-defined]  # annotated by the selector
    lines = []
    for session in sessions:
        t = session.transaction
        status = shown.get((t.evse_id, t.connector_number), "") if session.running else ""
        lines.append(Line(session, STATES.get(status)))
    return lines


@page
def export_sessions(request: HttpRequest) -> HttpResponseBase:
    """The filtered list as a file."""
    form = SessionFilters(request.GET)
    if not form.is_valid():
        raise BadRequest(form.errors.as_json())
    rows = form.rows()

    def chunk(last: wall.Session | None, size: int) -> Sequence[wall.Session]:
        later = rows if last is None else _after(rows, last.transaction.started_at, last.transaction.pk)
        return wall.sessions(later[:size])

    return stream_csv(request, "sessions", COLUMNS, chunk, _cells)


def _cells(session: wall.Session) -> Iterable[object]:
    t, price = session.transaction, session.price
    return (
        *(t.pk, t.ocpp_transaction_id, t.station.identity, t.evse.number if t.evse else None, t.id_tag, t.status),
        *(t.started_at, t.stopped_at, t.stop_reason, t.energy_wh, t.meter_start_wh, t.meter_stop_wh),
        *((price.amount, price.currency, "yes" if price.final else "no") if price else (None, None, None)),
        *(t.doubt, session.findings, t.at_site.name if t.at_site else None),
        *((wall.power_of(t), t.soc_percent) if session.running else (None, t.soc_percent)),
        t.trust.value,
    )


def _after(rows: QuerySet[Transaction], started_at: datetime, pk: int) -> QuerySet[Transaction]:
    """Those that stand below this one in the list."""
    # The first condition, which follows from the second, is what the index is searched by.
    return rows.filter(Q(started_at__lte=started_at) & (Q(started_at__lt=started_at) | Q(pk__lt=pk)))


def _cursor(text: str) -> Mark:
    at, _sep, pk = text.rpartition("_")
    try:
        moment = datetime.fromisoformat(at)
        number = int(pk)
    except ValueError as error:
        raise BadRequest("before") from error
    if moment.tzinfo is None or not 0 < number < 2**63:
        raise BadRequest("before")
    return moment, number
