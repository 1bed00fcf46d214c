"""Reads receipts."""

from dataclasses import dataclass

from django.core import signing
from django.db.models import Count, Q, QuerySet
from django_scopes import scope, scopes_disabled

from accounts.models import User
from billing.models import ChargeRecord
from billing.receiptmodels import Issuer, Receipt
from billing.receipts import SUBSCRIBER
from stations import charging
from stations.models import OutboxEntry

#: For links that open one receipt without a login.
_signer = signing.Signer(salt="billing.receipt")
HIGHEST = 2**31 - 1
FAILURES = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """Charge records whose receipts are not made yet. `failed`: of those how many were tried; `failures`: the first of them."""

    records: int
    failed: int
    failures: list[OutboxEntry]


def waiting() -> Waiting:
    """One query, two if some failed, on a table that is empty when all is well."""
    entries = OutboxEntry.objects.filter(subscriber=SUBSCRIBER)
    counts = entries.aggregate(records=Count("pk"), failed=Count("pk", filter=Q(attempts__gt=0)))
    failures = list(entries.filter(attempts__gt=0).order_by("created_at", "pk")[:FAILURES]) if counts["failed"] else []
    return Waiting(**counts, failures=failures)


def receipts() -> QuerySet[Receipt]:
    """Those of the operator in scope, the newest first, with what lists show."""
    return Receipt.objects.select_related("record", "customer").order_by("-created_at", "-pk")


def numbered(text: str) -> Q:
    """The receipts of a number: as it is printed, or without its series and its zeros."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= HIGHEST:
        return Q(number=int(text))
    return Q(label__in=[text, text.upper()]) if text else Q()


def records_of(driver: User) -> QuerySet[ChargeRecord]:
    """The driver's charge records and credits, the newest first, with their receipts as far as they are made."""
    with scope(operator=driver.operator_id or []):
        mine = charging.history(driver).order_by().values("pk")
        found = ChargeRecord.objects.filter(transaction__in=mine)
        return found.select_related(
            "operator", "transaction__station__site", "transaction__site", "transaction__evse", "receipt"
        ).order_by("-id")


def of_transactions(pks: list[int]) -> list[Receipt]:
    """The receipts of sessions, in the order in which they were issued."""
    found = Receipt.objects.filter(record__transaction__in=pks).select_related("record")
    return list(found.order_by("created_at", "pk"))


def issuer_of(operator_id: int) -> Issuer | None:
    return Issuer.objects.filter(pk=operator_id).first()


def token_of(receipt: Receipt) -> str:
    """What the link of a receipt ends with: whoever has the link may read it."""
    return str(_signer.sign(str(receipt.pk)))


def by_token(token: str) -> Receipt | None:
    """The receipt of a link. Needs no scope: the link leads to the network."""
    try:
        pk = int(_signer.unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    with scopes_disabled():
        found = Receipt.objects.select_related("operator", "customer", "record")
        return found.filter(pk=pk).first()
