"""A driver's receipts: to read, as a PDF, by e-mail; and by a link that opens one receipt without a login."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import issued, receipts
from billing.models import ChargeRecord
from billing.receiptmodels import Receipt
from csms import printing
from csms import receipts as print_out
from csms.driver import limits
from csms.driver.access import action, not_found, page
from csms.driver.views import me

#: How often the page looks whether the receipt is made, in seconds.
FOLLOWS_S = 5
MAILS, MAILS_S = 5, 3600
#: PDFs that one address may ask for by links.
PDFS, PDFS_S = 30, 300


@page
def show_receipt(request: HttpRequest, pk: int) -> HttpResponse:
    record = _record(request, pk)
    if record is None:
        return not_found(request)
    receipt = getattr(record, "receipt", None)
    if receipt is None:
        receipts.call_for(record=record)
        return render(request, "driver/receipt_soon.html", {"record": record, "follows_s": FOLLOWS_S})
    others = [one for one in issued.of_transactions([record.transaction_id]) if one.pk != pk]
    context = {
        "receipt": receipt,
        "record": record,
        "printed": print_out.printed(receipt),
        "others": others,
        "mail": settings.MAIL,
    }
    return render(request, "driver/receipt.html", context)


@page
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """The PDF; of a receipt that is not made yet the page that waits for it."""
    record = _record(request, pk)
    if record is None:
        return not_found(request)
    receipt = getattr(record, "receipt", None)
    return redirect("driver_receipt", pk) if receipt is None else _pdf(request, receipt)


@action
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it to the address of the driver's account."""
    driver, record = me(request), _record(request, pk)
    receipt = getattr(record, "receipt", None)
    if record is None or receipt is None:
        return not_found(request)
    if limits.exceeded("receipt-mail", str(driver.pk), most=MAILS, within_s=MAILS_S):
        messages.error(request, _("That was too often in a short time. Wait an hour, or download the PDF."))
    elif print_out.send(request, receipt, driver.email):
        messages.success(request, _("The receipt is on its way to %(address)s.") % {"address": driver.email})
    else:
        messages.error(request, _("The mail could not be sent. Download the PDF, or try again later."))
    return redirect("driver_receipt", pk)


@never_cache
@require_safe
def show_link(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has the link may read it: a mail's reader, or somebody who charged without an account."""
    receipt = issued.by_token(token)
    if receipt is None:
        return not_found(request)
    context = {"receipt": receipt, "token": token, "operator": receipt.operator, "printed": print_out.printed(receipt)}
    return _private(render(request, "driver/receipt.html", context))


@never_cache
@require_safe
def download_link(request: HttpRequest, token: str) -> HttpResponse:
    receipt = issued.by_token(token)
    if receipt is None:
        return not_found(request)
    if limits.exceeded("receipt-pdf", limits.peer(request), most=PDFS, within_s=PDFS_S):
        return render(request, "driver/no_pdf.html", {"receipt": receipt, "busy": True}, status=429)
    return _private(_pdf(request, receipt))


def _record(request: HttpRequest, pk: int) -> ChargeRecord | None:
    found: ChargeRecord | None = issued.records_of(me(request)).filter(pk=pk).first()
    return found


def _pdf(request: HttpRequest, receipt: Receipt) -> HttpResponse:
    try:
        return print_out.pdf_response(receipt)
    except printing.NoPdf as error:
        return render(request, "driver/no_pdf.html", {"receipt": receipt}, status=error.status)


def _private(answer: HttpResponse) -> HttpResponse:
    """The address is the key: no search engine keeps it, and no other site hears of it."""
    answer["X-Robots-Tag"] = "noindex"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
