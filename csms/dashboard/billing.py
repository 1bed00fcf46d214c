"""What was billed: charge records of a time and what they sum to, a month to close, what waits and why, and the files of it."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.permissions import may
from billing import ledger, services
from billing.models import ChargeRecord, Rebilling, RebillingState, RecordKind, Tariff
from csms.dashboard import days, receiptfiles
from csms.dashboard.access import action, may_add, operator_of, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.receipts import MAY_VIEW
from csms.models import Job
from stations import review
from stations.cases import took_place_at
from stations.models import Site

MAY_CORRECT = "billing.correct"
JOB = "billing.tasks.make_charge_records"
PAGE = 50
#: A row for each rate of tax of a record; energy and duration stand in the first, so that every column can be summed.
COLUMNS = (
    *("record", "kind", "credits", "revision", "made_at", "session", "transaction", "station", "site", "plug", "tariff"),
    *("tariff_version", "started_at", "stopped_at", "duration_s", "energy_wh", "currency", "tax_percent", "net", "tax", "gross"),
    "reason",
)


class BillingFilters(forms.Form):
    """What the list is narrowed by. Without any it is this month."""

    since = forms.DateField(label=gettext_lazy("Made from"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    site: "forms.ModelChoiceField[Site]" = forms.ModelChoiceField(
        label=gettext_lazy("Site"), required=False, queryset=None, empty_label=gettext_lazy("All")
    )
    tariff: "forms.ModelChoiceField[Tariff]" = forms.ModelChoiceField(
        label=gettext_lazy("Tariff"), required=False, queryset=None, empty_label=gettext_lazy("All")
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False, choices=[("", gettext_lazy("All")), *RecordKind.choices])

    def __init__(self, data: QueryDict) -> None:
        first = timezone.localdate().replace(day=1)
        given = {name: data[name] for name in self.base_fields if data.get(name)}
        if not {"since", "until"} & given.keys():
            given |= {"since": first.isoformat(), "until": _last(first).isoformat()}
        super().__init__(given)
        # Not at import: they are those of whoever looks.
        for name, rows in (("site", Site.objects.order_by("name")), ("tariff", Tariff.objects.order_by("name"))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if self.errors:
            return cleaned
        # One day alone: the year after it, or before it.
        if since is None and until is not None:
            cleaned["since"] = until - ledger.LONGEST + timedelta(days=1)
        elif until is None and since is not None:
            cleaned["until"] = since + ledger.LONGEST - timedelta(days=1)
        elif since is None or until is None:
            return cleaned
        elif until < since:
            self.add_error("until", _("This day is before the first one: exchange the two."))
        elif until - since >= ledger.LONGEST:
            self.add_error("until", _("A year at most can be looked at at once: narrow it."))
        return cleaned

    @property
    def span(self) -> tuple[datetime, datetime]:
        return days.span(self.cleaned_data["since"], self.cleaned_data["until"])

    @property
    def month(self) -> date | None:
        """The first of the month that is looked at, if it is exactly one."""
        if not self.is_valid():
            return None
        first = self.cleaned_data["since"]
        return first if first.day == 1 and self.cleaned_data["until"] == _last(first) else None

    def rows(self) -> QuerySet[ChargeRecord]:
        """The records that fit; none while something in the form is wrong."""
        found = ledger.records()
        if not self.is_valid():
            return found.none()
        wanted, (since, until) = self.cleaned_data, self.span
        found = found.filter(created_at__gte=since, created_at__lt=until)
        if wanted["site"]:
            found = found.filter(took_place_at(wanted["site"].pk, "transaction__"))
        if wanted["tariff"]:
            found = found.filter(tariff=wanted["tariff"])
        if wanted["kind"]:
            found = found.filter(kind=wanted["kind"])
        return found

    def query(self, **more: str) -> str:
        """The filters as they stand in an address."""
        return urlencode({name: self.data[name] for name in self.fields if self.data.get(name)} | more)

    @property
    def narrowed(self) -> bool:
        return any(self.data.get(name) for name in ("site", "tariff", "kind"))


def _last(first: date) -> date:
    """The last day of a month."""
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


@page
def show_billing(request: HttpRequest) -> HttpResponseBase:
    """What was billed in a time, what it sums to, and what is not billed yet."""
    form = BillingFilters(request.GET)
    rows = form.rows()
    if request.GET.get("format") == "csv":
        return _csv(request, form, rows)
    if request.GET.get("format") == "json":
        return _json(form, rows)
    before = request.GET.get("before", "")
    found = list((ledger.after(rows, *_cursor(before)) if before else rows)[: PAGE + 1])
    job = Job.objects.filter(pk=JOB).first()
    files = receiptfiles.of_month(form.month) if form.month and may(request.user, MAY_VIEW) else None
    this = timezone.localdate().replace(day=1)
    shown = form.month or this
    context = {
        "form": form,
        "records": found[:PAGE],
        "totals": ledger.totals(rows) if form.is_valid() else [],
        "month": form.month,
        "months": [(one, _query_of(one), one == form.month) for one in (_before(shown), shown, _next(shown)) if one <= this],
        "closing": ledger.closing(*form.span) if form.is_valid() and not form.narrowed else None,
        "waiting": ledger.waiting(),
        "doubted": review.counts(timezone.now()),
        "most": review.COUNTED,
        "job": job,
        "running": list(Rebilling.objects.filter(state__in=[RebillingState.CHECKING, RebillingState.RUNNING]).order_by("-pk")[:5]),
        "newest": form.query() if before else None,
        "older": form.query(before=_cursor_of(found[PAGE - 1])) if len(found) > PAGE else "",
        "files": files,
        "may_zip": form.month is not None and may_add(request, MAY_VIEW) and (files is None or files.stale),
        "export": form.query(format="csv"),
        "export_json": form.query(format="json"),
        "may_correct": may(request.user, MAY_CORRECT),
        "now": timezone.now(),
    }
    return render(request, "dashboard/billing.html", context)


def _before(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def _next(first: date) -> date:
    return _last(first) + timedelta(days=1)


def _query_of(first: date) -> str:
    return urlencode({"since": first.isoformat(), "until": _last(first).isoformat()})


def _cursor_of(record: ChargeRecord) -> str:
    return f"{record.created_at.isoformat()}_{record.pk}"


def _cursor(text: str) -> tuple[datetime, int]:
    at, _sep, pk = text.rpartition("_")
    try:
        moment, number = datetime.fromisoformat(at), int(pk)
    except ValueError as error:
        raise BadRequest("before") from error
    if moment.tzinfo is None or not 0 < number < 2**63:
        raise BadRequest("before")
    return moment, number


def _csv(request: HttpRequest, form: BillingFilters, rows: QuerySet[ChargeRecord]) -> HttpResponseBase:
    if not form.is_valid():
        raise BadRequest(form.errors.as_json())

    def chunk(last: tuple[ChargeRecord, int] | None, size: int) -> Sequence[tuple[ChargeRecord, int]]:
        found = ledger.lean(rows if last is None else ledger.after(rows, last[0].created_at, last[0].pk))
        return [(one, place) for one in found[:size] for place in range(max(1, len(one.taxes)))]

    return stream_csv(request, f"billing-{form.cleaned_data['since']}-{form.cleaned_data['until']}", COLUMNS, chunk, _cells)


def _cells(row: tuple[ChargeRecord, int]) -> Iterable[object]:
    one, place = row
    t = one.transaction
    # A record of before taxes were kept by rate has its totals alone.
    tax = one.taxes[place] if one.taxes else {"percent": "", "net": one.total_excl_tax, "tax": one.tax}
    net, of_it = Decimal(tax["net"]), Decimal(tax["tax"])
    first = place == 0
    site = t.at_site.name if t.at_site else None
    return (
        *(one.pk, one.kind, one.credits_id, one.revision, one.created_at, t.pk, t.ocpp_transaction_id, t.station.identity, site),
        *(t.evse.number if t.evse else None, one.tariff.name, one.version.number if one.version else None),
        *(one.started_at or t.started_at, one.stopped_at or t.stopped_at, one.duration_s if first else None),
        *(one.energy_wh if first else None, one.currency, tax["percent"], net, of_it, net + of_it, one.reason),
    )


def _json(form: BillingFilters, rows: QuerySet[ChargeRecord]) -> HttpResponse:
    """What a time sums to and how far it is closed; the records themselves are at `charge-records/` of the API."""
    if not form.is_valid():
        raise BadRequest(form.errors.as_json())
    since, until = form.span
    closing = ledger.closing(since, until)
    told = {
        "since": since,
        "until": until,
        "totals": [
            {
                "currency": one.currency,
                "charges": one.charges,
                "credits": one.credits,
                "energy_wh": one.energy_wh,
                "total_excl_tax": one.net,
                "tax": one.tax,
                "total_incl_tax": one.gross,
            }
            for one in ledger.totals(rows)
        ],
        "sessions_ended": closing.ended,
        "sessions_without_record": closing.open,
        "written_off": closing.written_off,
        "complete_until": closing.complete_until,
        "final": closing.final,
        "records": f"/api/v1/charge-records/?{urlencode({'since': since.isoformat(), 'until': until.isoformat()})}",
    }
    return JsonResponse(told, json_dumps_params={"indent": 1})


@action(MAY_CORRECT)
def try_again(request: HttpRequest) -> HttpResponse:
    """Price now what could not be priced before."""
    count = services.try_again(operator=operator_of(request))
    words = ngettext("%(n)s session is priced again now.", "%(n)s sessions are priced again now.", count)
    messages.success(request, words % {"n": count} if count else _("Nothing waits to be tried again."))
    return redirect("billing")
