"""Reports in pages (OCPP 2.0.1 B07-B08, N02, N09): which came, in whatever order; which are missing, and are asked for again once.

A report's row is made with the command that asks for it. Pages find it by their request id; the station's answer to the command may
come after them.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from django.db import transaction

from stations.batch import Batch, of_one
from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.domain.events import CustomerInformationTold, Done, Event, MonitorsReported, VariablesReported
from stations.domain.values import Note, Severity
from stations.flush import Cursor
from stations.lookups import FoundReport, Need, ReportNeed
from stations.models import Command, Report, ReportKind, ReportStatus, Station
from stations.services import commandends, devicemodel, registry, reportparts
from stations.services import commands as life
from stations.services.companions import Companion
from stations.services.effects import Effect
from stations.services.rules import Rule
from stations.state import AwaitedEffect, StationState

log = structlog.get_logger(__name__)

#: How long a station may take for the next page; and for an answer that was accepted to be followed by the first.
NEXT_PAGE = timedelta(seconds=60)
#: The command's own term: how far the report is stands in its row, which gives up sooner.
WITHIN_S = 24 * 3600
#: No report has more pages; beyond it a number is a mistake.
MOST_PAGES = 100_000
INT32 = 2**31 - 1
SWEPT = 200
AGAIN = "To get the pages of a report that did not come."

Page = VariablesReported | MonitorsReported | CustomerInformationTold
KINDS: dict[type[Event], ReportKind] = {
    VariablesReported: ReportKind.SETTINGS,
    MonitorsReported: ReportKind.MONITORS,
    CustomerInformationTold: ReportKind.CUSTOMER,
}
OF_COMMANDS = {
    "get_base_report": ReportKind.SETTINGS,
    "get_report": ReportKind.SETTINGS,
    "get_monitoring_report": ReportKind.MONITORS,
    "customer_information": ReportKind.CUSTOMER,
}


# Asked for


def made(row: Command, station: Station, command: commands.Command) -> None:
    """A report's row, with the command that asks for it."""
    request_id = life.request_of(row)
    kind = OF_COMMANDS[row.kind]
    # Under a number that is in use pages could not be told apart.
    if Report.objects.filter(station=station, request_id=request_id, kind=kind, finished_at__isnull=True).exists():
        raise BadCommand("A report with the number %(number)s is still awaited: choose another requestId.", number=request_id)
    Report.objects.create(
        command=row,
        operator_id=row.operator_id,
        station=station,
        kind=kind,
        request_id=request_id,
        about=command.params(),
        parts=_parts(row, station, command, request_id),
        created_at=row.created_at,
        due_at=row.expires_at + NEXT_PAGE,
    )


def _parts(row: Command, station: Station, command: commands.Command, request_id: int) -> list[list[Any]]:
    """The further requests of a report for which the station needs several. What goes out is kept with the command's row."""
    if not isinstance(command, commands.ReportOfSome) or row.facts.get("raw"):
        return []
    counts = reportparts.counts(station, command)
    if len(counts) < 2:
        return []
    further = [life.number_of(key) for key in reportparts.numbers(len(counts) - 1)]
    row.facts = row.facts | {"parts": [list(part) for part in zip([request_id, *further], counts, strict=True)]}
    row.save(update_fields=["facts"])
    return [[number, [], None] for number in further]


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """The station answered the command: the pages come now, there is nothing to tell, or it will not."""
    status, detail = change["status"], change.get("detail", "")
    if status == "accepted":
        batch.cursor.execute(WAIT, {"due": batch.now + NEXT_PAGE, "detail": detail, "id": command_id})
        return
    # Confirmed by the answer: all its pages were here before, or none will come.
    ends = {"rejected": ReportStatus.REFUSED, "failed": ReportStatus.REFUSED, "confirmed": ReportStatus.COMPLETE}.get(
        status, ReportStatus.INCOMPLETE
    )
    if detail.startswith("EmptyResultSet"):
        ends = ReportStatus.EMPTY
    batch.cursor.execute(END, {"status": ends.value, "detail": detail, "now": batch.now, "id": command_id})


def ended(cursor: Cursor, command_id: int, status: str, now: datetime) -> None:
    """The command ended without an answer."""
    ends = ReportStatus.INCOMPLETE if status in ("timed_out", "no_effect", "confirmed") else ReportStatus.UNSENT
    cursor.execute(END, {"status": ends.value, "detail": "", "now": now, "id": command_id})


WAIT = """
UPDATE stations_report SET due_at = %(due)s, detail = %(detail)s WHERE command_id = %(id)s AND finished_at IS NULL
"""
END = """
UPDATE stations_report SET status = %(status)s, detail = COALESCE(NULLIF(%(detail)s, ''), detail), finished_at = %(now)s
WHERE command_id = %(id)s AND finished_at IS NULL
"""


# Its pages


def needed(event: Any, station: StationState) -> Iterable[Need]:
    if 0 <= event.request_id <= INT32:
        yield ReportNeed(station.id, KINDS[type(event)].value, event.request_id)


def found(event: Page, batch: Batch) -> FoundReport | None:
    """The report that a page belongs to; None if nobody asked for it."""
    return batch.lookups.reports.get(ReportNeed(batch.station.id, KINDS[type(event)].value, event.request_id))


def take(event: Page, batch: Batch, items: int) -> FoundReport | None:
    """Write down that a page came, with so many items. Returns its report if this was the last that was missing."""
    report = found(event, batch)
    if report is None or report.finished:
        return None
    if not 0 <= event.sequence < MOST_PAGES:
        detail = f"A page of a report has the number {event.sequence}, which none can have."
        batch.note(Note("report_page_impossible", str(event.request_id), detail, Severity.WARNING))
        return None
    part = reportparts.of(report.parts, event.request_id)
    pages = report.pages if part is None else part[1]
    if not came(pages, event.sequence):
        pages = with_page(pages, event.sequence)
        report.items += items
    if part is None:
        report.pages, report.last_page = pages, event.sequence if event.last else report.last_page
    else:
        part[1:] = [pages, event.sequence if event.last else part[2]]
    change: dict[str, Any] = {"status": ReportStatus.RECEIVING.value, "due_at": batch.now + NEXT_PAGE}
    report.finished = not gaps(report)
    if report.finished:
        change = {"status": ReportStatus.COMPLETE.value, "finished_at": batch.now}
    if report.parts:
        change["parts"] = report.parts
    batch.change(
        Report, report.id, pages=report.pages, last_page=report.last_page, items=report.items, heard_at=batch.now, **change
    )
    batch.touch()
    return report if report.finished else None


def came(pages: list[list[int]], number: int) -> bool:
    return any(first <= number <= last for first, last in pages)


def with_page(pages: list[list[int]], number: int) -> list[list[int]]:
    """The closed ranges with one more number."""
    joined: list[list[int]] = []
    for first, last in sorted([*pages, [number, number]]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return joined


def gaps(report: Report | FoundReport) -> str:
    """The numbers of the pages of a report that did not come; of one in several requests, those of each; "" if none is missing."""
    first = missing(report.pages, report.last_page)
    if not report.parts:
        return first
    every = [first, *(missing(pages, last_page) for _number, pages, last_page in report.parts)]
    return "; ".join(f"request {number}: {one}" for number, one in enumerate(every, start=1) if one)


def count(report: Report) -> int:
    """How many pages came."""
    return sum(last - first + 1 for pages in (report.pages, *(part[1] for part in report.parts)) for first, last in pages)


def missing(pages: list[list[int]], last_page: int | None) -> str:
    """The numbers that did not come, as a person writes them: "2-4, 7"; "" if none is missing. Pages begin with 0."""
    absent, at = [], 0
    for first, last in pages:
        if first > at:
            absent.append(str(at) if first == at + 1 else f"{at}-{first - 1}")
        at = last + 1
    if last_page is None:
        absent.append(f"{at} and what follows")
    return ", ".join(absent)


def variables_reported(event: VariablesReported, batch: Batch) -> Done:
    """Keep a page of a report of settings (OCPP 2.0.1 B07-B08), whether or not it was asked for."""
    for report in event.reports:
        devicemodel.store(batch, report)
    complete = take(event, batch, len(event.reports))
    if complete is not None and complete.about.get("report") == "FullInventory":
        # What is not in it is not in the station any more.
        batch.cursor.execute(GONE, (batch.station.id, complete.created_at))
    return Done()


GONE = "UPDATE stations_variable SET known = false WHERE station_id = %s AND component <> '' AND known AND reported_at < %s"


# Seen


def _complete(awaited: AwaitedEffect, event: Event, batch: Batch) -> bool:
    if not isinstance(event, Page) or KINDS[type(event)] != OF_COMMANDS[awaited.kind]:
        return False
    report = found(event, batch)
    if report is None:
        # One that was asked for before there were rows of them ends with its last page.
        return event.last and event.request_id == awaited.facts.get("request_id")
    return report.finished and report.id == awaited.command_id


def _came_before_the_answer(awaited: AwaitedEffect, batch: Batch, asked_at: datetime) -> bool:
    """Stations send pages before they answer. Reports are seldom asked for, so this may look into the table."""
    changed = batch.changed[Report].get(awaited.command_id, {})
    if "finished_at" in changed:
        return True
    if empty := awaited.facts.get("empty"):
        return _nothing_to_tell(batch, awaited.command_id, empty)
    row = batch.cursor.execute("SELECT status FROM stations_report WHERE command_id = %s", (awaited.command_id,)).fetchone()
    return row is not None and row[0] == ReportStatus.COMPLETE.value


def _nothing_to_tell(batch: Batch, command_id: int, numbers: list[int]) -> bool:
    """Of several requests for one report these have no pages: each counts as if its only page had come, without anything. Whether
    nothing is missing then."""
    row = batch.cursor.execute(PARTS, (command_id,)).fetchone()
    if row is None:
        return False
    # Pages that came in this batch are not written yet.
    here = next((one for one in batch.lookups.reports.values() if one.id == command_id), None)
    report = here or FoundReport(command_id, orjson.loads(row[1]), row[2], row[4], row[5], {}, batch.now, orjson.loads(row[3]))
    if row[0] in numbers:
        report.pages, report.last_page = [[0, 0]], 0
    for part in report.parts:
        if part[0] in numbers:
            part[1:] = [[[0, 0]], 0]
    report.finished = not gaps(report)
    change: dict[str, Any] = {"pages": report.pages, "last_page": report.last_page, "parts": report.parts}
    if report.finished:
        status = ReportStatus.COMPLETE if report.items else ReportStatus.EMPTY
        change |= {"status": status.value, "finished_at": batch.now}
    batch.change(Report, command_id, **change)
    return report.finished


PARTS = "SELECT request_id, pages, last_page, parts, items, finished_at IS NOT NULL FROM stations_report WHERE command_id = %s"


def _within_s(command: commands.Command, outcome: commands.Outcome) -> int | None:
    """Of a customer that is only to be forgotten nothing is told."""
    return None if isinstance(command, commands.CustomerInformation) and not command.report else WITHIN_S


# Given up


def sweep(*, now: datetime) -> int:
    """Give up the reports whose next page did not come. Returns how many. Run without a scope. Safe when run twice, or killed."""
    due = Report.objects.filter(finished_at__isnull=True, due_at__lte=now).order_by("due_at").values_list("pk", flat=True)
    pks = list(due[:SWEPT])
    for pk in pks:
        try:
            give_up(pk, now=now)
        except Exception:
            log.exception("a report could not be given up", report=pk)
            Report.objects.filter(pk=pk).update(due_at=now + timedelta(hours=1))
    return len(pks)


@transaction.atomic
def give_up(pk: int, *, now: datetime) -> None:
    """Pages are missing: a finding says which, the command has no effect, and the report is asked for once more."""
    # The station first, as a batch does that takes a page: so the two never wait for each other.
    registry.bump(Report.objects.values_list("station_id", flat=True).get(pk=pk))
    report = Report.objects.select_for_update(of=("self",)).select_related("station", "command").get(pk=pk)
    if report.finished_at is not None or report.due_at > now:
        return
    detail = f"Pages {gaps(report)} of the report did not come." if count(report) else "No page of the report came."
    if report.parts and count(report):
        detail = f"Pages of the report did not come: {gaps(report)}."[:300]
    report.status, report.detail, report.finished_at = ReportStatus.INCOMPLETE, detail, now
    report.save(update_fields=["status", "detail", "finished_at"])
    with of_one(report.station_id, now=now) as batch:
        batch.note(Note("report_incomplete", report.command.kind, detail, Severity.WARNING))
        batch.touch()
    commandends.decide(command_id=report.pk, status="no_effect", detail=detail, now=now)
    if report.repeat_of_id is None and report.kind != ReportKind.CUSTOMER:
        again = commands.COMMANDS[report.command.kind].of(report.about)
        row = life.issue(station=report.station, command=again, user=report.command.requested_by, reason=AGAIN)
        Report.objects.filter(pk=row.pk).update(repeat_of=report.pk)


RULES: dict[type[Event], Rule] = {VariablesReported: Rule(variables_reported, needed)}
EFFECTS = {kind: Effect(_within_s, _complete, _came_before_the_answer) for kind in OF_COMMANDS}
#: Customer information has more to do when it is answered.
COMPANIONS = {kind: Companion(made, answered, ended) for kind in OF_COMMANDS if kind != "customer_information"}
