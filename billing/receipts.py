"""Receipts: the rules. Each charge record gets one, with the next number of its operator's series, and it stays as it is."""

from functools import partial

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction as db
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from accounts.models import FormerIdTag, Operator, User
from accounts.tokens import plain
from billing import receiptcontent, services
from billing.models import ChargeRecord, RecordKind
from billing.receiptmodels import DIGITS, Issuer, Receipt, ReceiptCustomer, languages
from stations import outbox, ports
from stations.models import OutboxEntry, Transaction

#: Who we are in the outbox.
SUBSCRIBER = "receipts"
#: What an operator says of itself as the issuer.
DETAILS = ("legal_name", "address", "vat_id", "register", "contact", "footer", "series", "language")
#: Those of several lines.
LONG = ("address", "footer")

log = structlog.get_logger(__name__)


@db.atomic
def set_issuer(*, operator: Operator, **details: str) -> Issuer:
    """Change what the operator's receipts say of it from now on. What is not named stays; what is issued stays as it is."""
    issuer = locked(operator)
    before = audit.fields_of(issuer, *DETAILS)
    for name, value in details.items():
        if name not in DETAILS:
            raise ValueError(f"{name} is no detail of an issuer.")
        lines = value.strip().splitlines() if name in LONG else [value]
        setattr(issuer, name, "\n".join(plain(line, name) for line in lines))
    if issuer.language and issuer.language not in languages():
        raise ValidationError({"language": _("There is no language %(code)s here.") % {"code": issuer.language}})
    try:
        issuer.clean_fields()
    except ValidationError as error:
        if "series" in error.error_dict:
            words = _("Use letters, digits, the signs . / _ - and {year}, 20 at most, with a letter or a sign at the end: R{year}-")
            raise ValidationError(error.error_dict | {"series": words}) from error
        raise
    issuer.changed_at = timezone.now()
    issuer.save()
    after = audit.fields_of(issuer, *DETAILS)
    audit.record("issuer.changed", issuer, operator=operator, label=operator.name, before=before, after=after)
    return issuer


def call_for(*, record: ChargeRecord) -> None:
    """Have the receipt of a record made soon, if its turn was missed: it is from before there were receipts."""
    rows = outbox.entries(services.RECORD_TOPIC, record.operator_id, record.pk, timezone.now())
    OutboxEntry.objects.bulk_create([OutboxEntry(**row) for row in rows], ignore_conflicts=True)
    db.on_commit(partial(ports.bell.work, SUBSCRIBER))


def make_receipt(*, record_id: int) -> Receipt | None:
    """The receipt of a charge record of the operator in scope: made, unless it exists. None: there is no such record."""
    found = ChargeRecord.objects.select_related(
        "operator", "tariff", "transaction__station__site", "transaction__site", "transaction__evse"
    )
    record = found.select_related("transaction__id_token__driver").filter(pk=record_id).first()
    if record is None:
        log.warning("no receipt", record=record_id, reason="the charge record is gone")
        return None
    return issue(record=record)


@db.atomic
def issue(*, record: ChargeRecord) -> Receipt:
    """The same, of a record that was read.

    The number and the row come in one transaction, and those of an operator one after the other: whoever is killed or fails
    leaves no gap, and nobody else takes the number meanwhile.
    """
    issuer = locked(record.operator)
    known = Receipt.objects.filter(pk=record.pk).first()
    if known is not None:
        return known
    credited = issue(record=record.credits) if record.credits is not None else None
    replaced = _replaced(record)
    now = timezone.now()
    series = issuer.series.replace("{year}", str(timezone.localtime(now, timezone.get_default_timezone()).year))
    last = Receipt.objects.filter(operator=record.operator_id, series=series).aggregate(last=Max("number"))["last"]
    number = (last or 0) + 1
    label = f"{series}{number:0{DIGITS}}"
    driver = driver_of(record.transaction)
    wanted = (driver.language if driver else "", issuer.language)
    language = next((one for one in wanted if one in languages()), settings.LANGUAGE_CODE)
    facts = receiptcontent.Facts(record, issuer, label, now, language, credited, replaced)
    receipt = Receipt.objects.create(
        record=record,
        operator_id=record.operator_id,
        series=series,
        number=number,
        label=label,
        language=language,
        content=receiptcontent.content(facts),
        created_at=now,
    )
    if driver is not None:
        ReceiptCustomer.objects.create(receipt=receipt, driver=driver, name=driver.name, email=driver.email)
    return receipt


def driver_of(transaction: Transaction) -> User | None:
    """Who charged: whose the id tag was then. None: nobody's who is known."""
    token = transaction.id_token
    if token is None:
        return None
    if token.driver is not None and (token.driver_since is None or transaction.started_at >= token.driver_since):
        return token.driver
    former = FormerIdTag.objects.filter(token=token, since__lte=transaction.started_at, until__gt=transaction.started_at)
    held = former.select_related("driver").first()
    return held.driver if held else None


def _replaced(record: ChargeRecord) -> Receipt | None:
    """The receipt in place of which a charge comes that was billed anew. That and its credit note are issued first."""
    if record.kind != RecordKind.CHARGE or record.revision < 3:  # 1 the charge, 2 its credit, 3 the next
        return None
    before = ChargeRecord.objects.filter(transaction=record.transaction_id, revision=record.revision - 1)
    credit = before.select_related("operator", "credits").first()
    if credit is None or credit.credits_id is None:
        return None
    issue(record=credit)
    return Receipt.objects.filter(pk=credit.credits_id).first()


def locked(operator: Operator) -> Issuer:
    """Until the end of the transaction nobody else numbers the operator's receipts or changes what they say of it."""
    with scope(operator=operator):
        Issuer.objects.bulk_create([Issuer(operator=operator)], ignore_conflicts=True)
        issuer: Issuer = Issuer.objects.select_for_update().get(pk=operator.pk)
    issuer.operator = operator
    return issuer
