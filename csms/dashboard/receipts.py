"""Receipts for the operator: the list, one of them, its PDF, and what all of them say of who issues them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from billing import issued, receipts
from billing.receiptmodels import Issuer, Receipt
from csms import printing
from csms import receipts as print_out
from csms.dashboard.access import may_add, needs, operator_of
from csms.dashboard.exports import stream_csv

PAGE = 50
MAY_VIEW, MAY_CHANGE = "receipts.view", "receipts.change"
COLUMNS = (
    *("number", "series", "issued_at", "kind", "credits", "session", "charger", "site", "customer_name", "customer_email"),
    *("started_at", "stopped_at", "energy_wh", "total_excl_tax", "tax", "total_incl_tax", "currency", "language"),
)


class ReceiptFilters(forms.Form):
    """What the list can be narrowed by."""

    q = forms.CharField(label=gettext_lazy("Number"), required=False, max_length=60)
    month = forms.DateField(
        label=gettext_lazy("Month"),
        required=False,
        input_formats=["%Y-%m"],
        widget=forms.DateInput({"type": "month", "placeholder": "2026-11"}, "%Y-%m"),
    )

    def clean_month(self) -> date | None:
        month: date | None = self.cleaned_data["month"]
        if month and not 2000 <= month.year < 2200:
            raise ValidationError(_("There are no receipts of that year."))
        return month

    def rows(self) -> QuerySet[Receipt]:
        found = issued.receipts()
        if not self.is_valid():
            return found.none()
        if self.cleaned_data["q"]:
            found = found.filter(issued.numbered(self.cleaned_data["q"]))
        if month := self.cleaned_data["month"]:
            after = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
            found = found.filter(created_at__gte=_midnight(month), created_at__lt=_midnight(after))
        return found

    def query(self, **more: str) -> str:
        return urlencode({name: value for name in self.fields if (value := self.data.get(name))} | more)


class IssuerForm(forms.Form):
    """What receipts say of who issues them. The rules are those of `billing.receipts.set_issuer`."""

    legal_name = forms.CharField(
        label=gettext_lazy("Name of the company"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("As it stands in the register. Empty: the network's name."),
    )
    address = forms.CharField(label=gettext_lazy("Address"), required=False, max_length=500, widget=forms.Textarea({"rows": 3}))
    vat_id = forms.CharField(label=gettext_lazy("VAT number"), required=False, max_length=40)
    register = forms.CharField(
        label=gettext_lazy("Company register"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("The court and number of the commercial register, for example."),
    )
    contact = forms.CharField(
        label=gettext_lazy("Contact"), required=False, max_length=300, help_text=gettext_lazy("E-mail, telephone or web address.")
    )
    footer = forms.CharField(label=gettext_lazy("Small print"), required=False, max_length=1000, widget=forms.Textarea({"rows": 3}))
    series = forms.CharField(
        label=gettext_lazy("Numbers begin with"),
        max_length=20,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "{year} stands for the year in which a receipt is issued. Each beginning has numbers of its own, from 1 without gaps."
        ),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=[("", gettext_lazy("As the system's")), *settings.LANGUAGES],
        help_text=gettext_lazy("For drivers who have chosen none."),
    )


@require_safe
@needs(MAY_VIEW)
def show_receipts(request: HttpRequest) -> HttpResponse:
    """What was billed to whom, by number?"""
    form = ReceiptFilters(request.GET)
    rows = form.rows()
    before = request.GET.get("before", "")
    if before:
        rows = _older(rows, before)
    found = list(rows[: PAGE + 1])
    issuer = _issuer(request)
    context = {
        "form": form,
        "receipts": found[:PAGE],
        "waiting": issued.waiting(),
        "filtered": bool(form.query()),
        "first": form.query() if before else None,
        "more": form.query(before=str(found[PAGE - 1].pk)) if len(found) > PAGE else "",
        "export": form.query(),
        "incomplete": request.user.is_authenticated and request.user.operator_id and not (issuer and issuer.complete),
        "may_change": may_add(request, MAY_CHANGE),
    }
    return render(request, "dashboard/receipts.html", context)


@require_safe
@needs(MAY_VIEW)
def export_receipts(request: HttpRequest) -> HttpResponseBase:
    rows = ReceiptFilters(request.GET).rows()

    def chunk(last: Receipt | None, size: int) -> Sequence[Receipt]:
        return list((rows if last is None else rows.filter(_before(last)))[:size])

    return stream_csv(request, "receipts", COLUMNS, chunk, _cells)


def _cells(receipt: Receipt) -> Iterable[object]:
    data, record, customer = receipt.content["data"], receipt.record, print_out.customer_of(receipt)
    return (
        *(receipt.label, receipt.series, receipt.created_at, receipt.content["kind"], data["credits"], data["session"]),
        *(data["station"], data["site"], customer.name if customer else None, customer.email if customer else None),
        *(_time(data["started_at"]), _time(data["stopped_at"]), record.energy_wh, record.total_excl_tax),
        *(record.total_incl_tax - record.total_excl_tax, record.total_incl_tax, record.currency, receipt.language),
    )


@require_safe
@needs(MAY_VIEW)
def show_receipt(request: HttpRequest, pk: int) -> HttpResponse:
    receipt = get_object_or_404(issued.receipts(), pk=pk)
    transaction = receipt.record.transaction_id
    context = {
        "receipt": receipt,
        "transaction": transaction,
        "printed": print_out.printed(receipt),
        "others": [one for one in issued.of_transactions([transaction]) if one.pk != pk],
        "link": print_out.link_of(request, receipt),
    }
    return render(request, "dashboard/receipt.html", context)


@require_safe
@needs(MAY_VIEW)
def download_receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """The PDF, or why there is none."""
    receipt = get_object_or_404(issued.receipts(), pk=pk)
    try:
        return print_out.pdf_response(receipt)
    except printing.NoPdf as error:
        return render(request, "dashboard/no_pdf.html", {"receipt": receipt, "why": str(error)}, status=error.status)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def change_details(request: HttpRequest) -> HttpResponse:
    """Who issues the receipts? From the next one on."""
    operator = operator_of(request)
    issuer = _issuer(request) or Issuer(operator=operator)
    known = {name: getattr(issuer, name) for name in receipts.DETAILS}
    form = IssuerForm(request.POST if request.method == "POST" else None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            receipts.set_issuer(operator=operator, **form.cleaned_data)
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                form.add_error(name if name in form.fields else None, errors)
        else:
            messages.success(request, _("The next receipt says so. What is issued already stays as it is."))
            return redirect("receipts")
    return render(request, "dashboard/receipt_details.html", {"form": form}, status=422 if form.errors else 200)


def _issuer(request: HttpRequest) -> Issuer | None:
    operator_id = getattr(request.user, "operator_id", None)
    return issued.issuer_of(operator_id) if operator_id else None


def _before(receipt: Receipt) -> Q:
    # The first condition, which follows from the second, is what the index is searched by.
    return Q(created_at__lte=receipt.created_at) & (Q(created_at__lt=receipt.created_at) | Q(pk__lt=receipt.pk))


def _older(rows: QuerySet[Receipt], before: str) -> QuerySet[Receipt]:
    """Those behind a receipt; none if there is no such one."""
    pk = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else 0
    last = Receipt.objects.filter(pk=pk).first()
    return rows.filter(_before(last)) if last else rows.none()


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001  (made aware here)


def _time(text: str | None) -> Any:
    return datetime.fromisoformat(text) if text else None
