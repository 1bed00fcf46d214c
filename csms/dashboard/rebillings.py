"""Many sessions priced anew: chosen by tariff and time, worked out first, then done by workers with its progress shown."""

import secrets
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.permissions import may
from billing import rebilling
from billing.models import Rebilling, RebillingState, Tariff
from csms.dashboard import days
from csms.dashboard.access import action, operator_of, page
from csms.dashboard.billing import MAY_CORRECT
from csms.dashboard.exports import stream_csv
from stations.models import Site

PAGE = 50
COLUMNS = (
    *("id", "tariff", "under", "site", "since", "until", "state", "records", "looked_at", "would_change", "would_differ"),
    *("corrected", "difference", "failed", "by", "reason", "created_at", "finished_at"),
)


class PlanForm(forms.Form):
    """Which sessions, and under what."""

    tariff: "forms.ModelChoiceField[Tariff]" = forms.ModelChoiceField(label=gettext_lazy("Sessions priced by"), queryset=None)
    since = forms.DateField(label=gettext_lazy("Begun from"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=gettext_lazy("To"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    site: "forms.ModelChoiceField[Site]" = forms.ModelChoiceField(
        label=gettext_lazy("Site"), required=False, queryset=None, empty_label=gettext_lazy("All")
    )
    under: "forms.ModelChoiceField[Tariff]" = forms.ModelChoiceField(
        label=gettext_lazy("Price them by"), required=False, queryset=None, empty_label=gettext_lazy("what is assigned to them now")
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        for name, rows in (("tariff", Tariff.objects), ("under", Tariff.objects.filter(retired_at=None)), ("site", Site.objects)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows.order_by("name")


def _rows(before: int | None, size: int) -> list[Rebilling]:
    found = Rebilling.objects.select_related("tariff", "under", "site", "requested_by").order_by("-id")
    return list((found if before is None else found.filter(pk__lt=before))[:size])


@page
def show_rebillings(request: HttpRequest) -> HttpResponseBase:
    """What was priced anew before, and the form for more."""
    if request.GET.get("format") == "csv":
        return stream_csv(request, "priced-anew", COLUMNS, lambda last, size: _rows(last.pk if last else None, size), _cells)
    return _show(request, PlanForm())


def _show(request: HttpRequest, form: PlanForm, token: str = "") -> HttpResponse:
    before = request.GET.get("before", "")
    rows = _rows(int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None, PAGE + 1)
    context = {
        "form": form,
        "token": token or secrets.token_urlsafe(16),
        "rows": rows[:PAGE],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else "",
        "newest": not before,
        "may_correct": may(request.user, MAY_CORRECT),
    }
    return render(request, "dashboard/rebillings.html", context, status=422 if form.errors else 200)


def _cells(row: Rebilling) -> tuple[object, ...]:
    return (
        *(
            row.pk,
            row.tariff.name,
            row.under.name if row.under else None,
            row.site.name if row.site else None,
            row.since,
            row.until,
        ),
        *(row.state, row.total, row.looked_at, row.would_change, _sums(row.would_differ), row.changed, _sums(row.difference)),
        *(row.failures, str(row.requested_by or ""), row.reason, row.created_at, row.finished_at),
    )


def _sums(sums: dict[str, str]) -> str:
    return "; ".join(f"{amount} {currency}" for currency, amount in sums.items())


@action(MAY_CORRECT)
def plan_rebilling(request: HttpRequest) -> HttpResponse:
    """Have it worked out what would change. Nothing is changed yet."""
    form, token = PlanForm(request.POST), request.POST.get("token", "")[:100]
    if form.is_valid() and token:
        wanted: dict[str, Any] = form.cleaned_data
        since, until = days.span(wanted["since"], wanted["until"])
        try:
            row = rebilling.plan(
                operator=operator_of(request),
                token=token,
                tariff=wanted["tariff"],
                under=wanted["under"],
                site=wanted["site"],
                reason=wanted["reason"],
                user=request.user if isinstance(request.user, User) else None,
                since=since,
                until=until,
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("rebilling", row.pk)
    return _show(request, form, token)


@page
def show_rebilling(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, and what comes of it."""
    row: Rebilling = get_object_or_404(Rebilling.objects.select_related("tariff", "under", "site", "requested_by"), pk=pk)
    checked = row.state not in (RebillingState.CHECKING,) and row.paused != RebillingState.CHECKING
    sums = row.difference if row.started_at else row.would_differ
    context = {
        "row": row,
        "last_day": row.until - timedelta(seconds=1),
        "live": row.state in (RebillingState.CHECKING, RebillingState.RUNNING),
        "over": row.state in (RebillingState.DONE, RebillingState.CANCELLED),
        "checked": checked,
        "sums": [(currency, Decimal(text)) for currency, text in sums.items()],
        "may_correct": may(request.user, MAY_CORRECT),
        "now": timezone.now(),
    }
    return render(request, "dashboard/rebilling.html", context)


@action(MAY_CORRECT)
def lead_rebilling(request: HttpRequest, pk: int) -> HttpResponse:
    """Start, pause, go on, cancel."""
    row: Rebilling = get_object_or_404(Rebilling.objects.all(), pk=pk)
    doing = {"start": rebilling.start, "pause": rebilling.pause, "resume": rebilling.resume, "cancel": rebilling.cancel}
    do = doing.get(request.POST.get("do", ""))
    if do is None:
        raise Http404
    if not do(rebilling=row):
        messages.error(request, _("It had moved on meanwhile, so nothing was done. This is how it is now."))
    return redirect("rebilling", pk)
