"""What the meter signed of a session, as a download."""

from django.http import HttpResponse

from billing import signedselectors
from billing.signedfile import as_text, as_xml
from stations.models import Transaction


def signed_file(transaction: Transaction, form: str) -> HttpResponse | None:
    """The download of a session, `form` is xml or txt. None: its meter signed nothing."""
    items = signedselectors.items(transaction)
    if not items:
        return None
    body, kind = (as_xml(items), "application/xml") if form == "xml" else (as_text(items), "text/plain; charset=utf-8")
    name = f"session-{transaction.pk}-signed.{form}"
    return HttpResponse(body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
