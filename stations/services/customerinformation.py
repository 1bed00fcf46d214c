"""Customer information (OCPP 2.0.1 N09-N10): what a station keeps of a customer, told in pages, kept here for a bounded time.

It is personal data: only roles of the verb `customers.fetch` see it, and after `KEPT` it is deleted.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts import audit
from stations import topics
from stations.batch import Batch
from stations.domain.events import CustomerInformationTold, Done, Event
from stations.domain.values import Note, Severity
from stations.models import CustomerPage, Report, ReportKind, Station
from stations.services import reports
from stations.services.companions import Companion
from stations.services.rules import Rule

KEPT = timedelta(days=30)
#: A report has no more pages (of 512 characters each) than this.
MOST_PAGES = 2000
#: Deleted in one run, at most.
SWEPT = 500


def told(event: CustomerInformationTold, batch: Batch) -> Done:
    """Keep a page. What nobody asked for is not kept: it would be somebody's data without a term."""
    report = reports.found(event, batch)
    if report is None:
        detail = f"Customer information {event.request_id} came, which was not asked for. It was not kept."
        batch.note(Note("customer_information_unasked", str(event.request_id), detail, Severity.WARNING))
        return Done()
    if not 0 <= event.sequence < MOST_PAGES:
        detail = f"Customer information has more than {MOST_PAGES} pages; the rest was not kept."
        batch.note(Note("report_page_impossible", str(event.request_id), detail, Severity.WARNING))
        return Done()
    batch.add(CustomerPage, operator_id=batch.station.operator_id, report_id=report.id, sequence=event.sequence, text=event.text)
    reports.take(event, batch, 1 if event.text else 0)
    return Done()


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    reports.answered(batch, command_id, change, facts)
    forgotten = facts.get("forgotten")
    if forgotten and change["status"] in ("accepted", "confirmed"):
        # Where it stands on the station's local list, an update of that follows (OCPP 2.0.1 N10.FR.02).
        told = dict(zip(("id_token", "type"), forgotten, strict=True))
        batch.tell(topics.TOKEN_FORGOTTEN, facts={"station": batch.station.id} | told)


def text_of(report: Report) -> str:
    """What the station told, in the order of its pages, whatever the order they came in."""
    return "".join(CustomerPage.objects.filter(report=report).order_by("sequence").values_list("text", flat=True))


@transaction.atomic
def delete(*, report: Report) -> None:
    """Forget what a station told of a customer, before its term."""
    station: Station = report.station
    audit.record("customer.deleted", station, operator=report.operator_id, before={"command": report.pk})
    Report.objects.filter(pk=report.pk, kind=ReportKind.CUSTOMER).delete()


def let_go(*, now: datetime) -> int:
    """Delete what is older than its term. Idempotent; returns how many. Run without a scope."""
    old = Report.objects.filter(kind=ReportKind.CUSTOMER, created_at__lte=now - KEPT).order_by("created_at")
    pks = list(old.values_list("pk", flat=True)[:SWEPT])
    Report.objects.filter(pk__in=pks).delete()
    return len(pks)


RULES: dict[type[Event], Rule] = {CustomerInformationTold: Rule(told, reports.needed)}
COMPANIONS = {"customer_information": Companion(reports.made, answered, reports.ended)}
