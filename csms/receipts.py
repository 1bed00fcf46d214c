"""Receipts as people get them: printed on a page, as a PDF, by e-mail. All of it prints what was frozen, whoever asks and when."""

from collections.abc import Callable
from smtplib import SMTPException
from typing import Any

import structlog
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _

from billing import issued
from billing.receiptmodels import Receipt, ReceiptCustomer
from csms import printing

#: By the version of the content: what is printed in ten years is what was printed today.
TEMPLATES = {1: "receipts/_receipt.html"}
SHEET = "receipt.css"

log = structlog.get_logger(__name__)


def customer_of(receipt: Receipt) -> ReceiptCustomer | None:
    """Who it is for, if that is known and they have not been forgotten."""
    return getattr(receipt, "customer", None)


def printed(receipt: Receipt) -> str:
    """The receipt as HTML, to stand in a page."""
    content = receipt.content
    context = {"content": content, "customer": customer_of(receipt)}
    # Nothing of it is translated; a number of the content that were localized would be so in its language.
    with translation.override(receipt.language):
        return render_to_string(TEMPLATES[content["version"]], context)


def pdf(receipt: Receipt, make: Callable[..., bytes] = printing.pdf) -> bytes:
    """As a PDF (PDF/UA), which `make` prints. Raises printing.NoPdf."""
    content = receipt.content
    context = {"receipt": receipt, "content": content, "printed": printed(receipt)}
    return make(
        html=render_to_string("receipts/document.html", context),
        css=_sheet() + _page_numbers(content["page"]),
        identifier=f"{receipt.operator_id}-{receipt.label}",
    )


def _sheet() -> str:
    path = finders.find(SHEET)
    assert isinstance(path, str)
    with open(path, encoding="utf-8") as file:
        return file.read()


def _page_numbers(words: str) -> str:
    """Which page of how many it is, in the words of the receipt."""
    page = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    page = page.replace("%(page)s", '" counter(page) "').replace("%(pages)s", '" counter(pages) "')
    return f'\n@page {{ @bottom-right {{ content: "{page}"; }} }}\n'


def pdf_name(receipt: Receipt) -> str:
    kind = slugify(receipt.content["heading"]) or "receipt"
    return f"{kind}-{slugify(receipt.label) or receipt.pk}.pdf"


def pdf_response(receipt: Receipt) -> HttpResponse:
    """The PDF to download. Raises printing.NoPdf."""
    headers = {
        "Content-Disposition": str(content_disposition_header(True, pdf_name(receipt))),
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(pdf(receipt), content_type="application/pdf", headers=headers)


def link_of(request: HttpRequest, receipt: Receipt) -> str:
    """Opens the receipt without a login: for whoever has no account, and for mails."""
    return request.build_absolute_uri(reverse("receipt_link", args=[issued.token_of(receipt)]))


def send(request: HttpRequest, receipt: Receipt, to: str) -> bool:
    """By e-mail, in the receipt's language, with the PDF if it can be made. Whether it is on its way."""
    context: dict[str, Any] = {"content": receipt.content, "link": link_of(request, receipt)}
    with translation.override(receipt.language):
        subject = _("%(receipt)s from %(network)s") % {
            "receipt": receipt.content["title"],
            "network": receipt.content["issuer"]["name"],
        }
        message = EmailMessage(" ".join(subject.split()), render_to_string("receipts/mail.txt", context), to=[to])
    try:
        message.attach(pdf_name(receipt), pdf(receipt), "application/pdf")
    except printing.NoPdf as error:
        log.warning("a receipt is sent without its PDF", receipt=receipt.pk, reason=str(error))
    try:
        message.send()
    except (OSError, SMTPException) as error:
        log.error("Mail could not be sent, see EMAIL_URL", error=str(error))
        return False
    return bool(settings.MAIL)
