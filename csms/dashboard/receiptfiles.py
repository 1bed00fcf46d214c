"""The receipts of a month as ZIP files: asked for, followed while they are made, downloaded."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.models import User
from billing import archives
from billing.archivemodels import ArchiveFile, ArchiveState, ReceiptArchive
from csms import receiptfiles
from csms.dashboard.access import action, may_add, needs, operator_of
from csms.dashboard.exports import stream_csv
from csms.dashboard.receipts import MAY_VIEW
from csms.dashboard.states import State
from csms.files.downloads import attachment

#: They are let go of after some days: there are few.
SHOWN = 60
COLUMNS = (
    *("id", "month", "state", "receipts", "made", "without_pdf", "files", "bytes", "until", "by", "created_at", "finished_at"),
    "error",
)
STATES: dict[str, State] = {
    ArchiveState.WORKING: State("charging", gettext_lazy("Is being made")),
    ArchiveState.DONE: State("available", gettext_lazy("Ready")),
    ArchiveState.FAILED: State("faulted", gettext_lazy("Stopped")),
    ArchiveState.CANCELLED: State("unavailable", gettext_lazy("Cancelled")),
}


class MonthForm(forms.Form):
    """Of which month. The rules are those of `billing.archives.plan`."""

    month = forms.DateField(
        label=gettext_lazy("Month"),
        input_formats=["%Y-%m"],
        widget=forms.DateInput({"type": "month", "placeholder": "2026-11"}, "%Y-%m"),
    )

    def clean_month(self) -> date:
        month: date = self.cleaned_data["month"]
        if not 2000 <= month.year < 2200:
            raise ValidationError(_("There are no receipts of that year."))
        return month


@dataclass(frozen=True, slots=True)
class Row:
    """An archive as the page shows it. `ready_at`: at the speed so far; None: there is none yet."""

    archive: ReceiptArchive
    files: list[tuple[ArchiveFile, str]]
    ready_at: datetime | None
    goes_on_at: datetime | None

    @property
    def state(self) -> State:
        return STATES[self.archive.state]

    @property
    def each_s(self) -> float | None:
        """How long one receipt took."""
        return self.archive.busy_s / self.archive.made if self.archive.made else None

    @property
    def stale(self) -> bool:
        """Whether it may be asked for anew: more receipts have come, or some were not printed."""
        return self.archive.state == ArchiveState.DONE and not (self.archive.whole and not self.archive.unprinted)

    @property
    def goes_at(self) -> datetime | None:
        """When it is let go of."""
        ended = self.archive.finished_at
        return ended + archives.term() if ended and self.archive.state == ArchiveState.DONE else None


def row_of(archive: ReceiptArchive, each_s: float | None, now: datetime) -> Row:
    parts = archives.parts(archive) if archive.state != ArchiveState.CANCELLED else []
    files = [(one, receiptfiles.name_of(archive, one, len(parts))) for one in parts]
    working = archive.state == ArchiveState.WORKING
    speed = archive.busy_s / archive.made if archive.made else each_s
    ready_at = now + timedelta(seconds=speed * (archive.total - archive.made)) if working and speed is not None else None
    return Row(archive, files, ready_at, archive.due_at if working and archive.error else None)


def of_month(month: date) -> Row | None:
    """The newest of a month, unless that was cancelled: two queries."""
    one = next((one for one in _found().filter(month=month).exclude(state=ArchiveState.CANCELLED)[:1]), None)
    return row_of(one, None, timezone.now()) if one else None


def _rows(before: int | None = None, size: int = SHOWN) -> list[ReceiptArchive]:
    return list((_found() if before is None else _found().filter(pk__lt=before))[:size])


def _found() -> QuerySet[ReceiptArchive]:
    files = Prefetch("files", ArchiveFile.objects.filter(piece=0).order_by("part"))
    return ReceiptArchive.objects.select_related("requested_by").prefetch_related(files).order_by("-id")


@require_safe
@needs(MAY_VIEW)
def show_receipt_files(request: HttpRequest) -> HttpResponseBase:
    """Of which months there are files, and how far those are that are being made."""
    if request.GET.get("format") == "csv":
        return stream_csv(request, "receipt-files", COLUMNS, lambda last, size: _rows(last.pk if last else None, size), _cells)
    last = timezone.localdate().replace(day=1) - timedelta(days=1)
    return _show(request, MonthForm(initial={"month": last.replace(day=1)}))


def _show(request: HttpRequest, form: MonthForm) -> HttpResponse:
    found, now = _rows(), timezone.now()
    # How long it took the last time, for those of which nothing is made yet.
    known = next((one.busy_s / one.made for one in found if one.made), None)
    context: dict[str, Any] = {
        "form": form,
        "rows": [row_of(one, known, now) for one in found],
        "live": any(one.state == ArchiveState.WORKING for one in found),
        "may_ask": may_add(request, MAY_VIEW),
        "days": archives.term().days,
        "part": receiptfiles.PART,
        "now": now,
    }
    return render(request, "dashboard/receipt_files.html", context, status=422 if form.errors else 200)


def _cells(one: ReceiptArchive) -> tuple[object, ...]:
    parts = archives.parts(one)
    return (
        *(one.pk, f"{one.month:%Y-%m}", one.state, one.total, one.made, len(one.unprinted), len(parts), sum(p.size for p in parts)),
        *(one.until, str(one.requested_by or ""), one.created_at, one.finished_at, one.error),
    )


@action(MAY_VIEW)
def ask_for_files(request: HttpRequest) -> HttpResponse:
    """Have a month's receipts put into files."""
    operator, form = operator_of(request), MonthForm(request.POST)
    if form.is_valid():
        user = request.user if isinstance(request.user, User) else None
        try:
            row = archives.plan(operator=operator, month=form.cleaned_data["month"], user=user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            told = {"month": date_format(row.month, "F Y")}
            if row.state == ArchiveState.DONE:
                messages.success(request, _("The files of %(month)s are here already.") % told)
            else:
                messages.success(request, _("The files of %(month)s are being made. You may leave this page.") % told)
            return redirect("receipt_files")
    return _show(request, form)


@action(MAY_VIEW)
def lead_files(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel it, or go on."""
    row: ReceiptArchive = get_object_or_404(ReceiptArchive.objects.all(), pk=pk)
    do = {"cancel": archives.cancel, "resume": archives.resume}.get(request.POST.get("do", ""))
    if do is None:
        raise Http404
    if not do(archive=row):
        messages.error(request, _("It had moved on meanwhile, so nothing was done. This is how it is now."))
    return redirect("receipt_files")


@require_safe
@needs(MAY_VIEW)
def download_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A ZIP file."""
    found = ArchiveFile.objects.select_related("archive").filter(piece=0)
    file: ArchiveFile = get_object_or_404(found, pk=pk)
    answer = attachment(file.path, receiptfiles.name_of(file.archive, file, len(archives.parts(file.archive))))
    archives.opened(file=file)
    return answer
