"""Logs of chargers on the pages: how far each is, in words; the list of the network's; and what one may do with one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages as notices
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from accounts.permissions import may
from csms.dashboard.access import action, needs, page
from csms.dashboard.days import within
from csms.dashboard.exports import stream_csv
from csms.files.downloads import log_file
from stations.models import CommandStatus, LogKind, LogStatus, LogUpload, Station
from stations.models.upload import LOG_OPEN
from stations.services import diagnostics, logkeeping

FETCH = "logs.fetch"
PAGE = 50
#: How many stand on a charger's page.
SHOWN = 20
COLUMNS = (
    *("id", "charger", "kind", "status", "reason", "filename", "size", "sha256", "since", "until"),
    *("asked_at", "began_at", "ended_at", "by", "command", "sent_to"),
)
KINDS: dict[str, str | Promise] = {
    LogKind.DIAGNOSTICS: gettext_lazy("Diagnostics"),
    LogKind.SECURITY: gettext_lazy("Security log"),
}
STATUS: dict[str, str | Promise] = {
    LogStatus.REQUESTED: pgettext_lazy("log", "Asked for"),
    LogStatus.UPLOADING: pgettext_lazy("log", "On its way"),
    LogStatus.UPLOADED: pgettext_lazy("log", "Here"),
    LogStatus.FAILED: pgettext_lazy("log", "Failed"),
    LogStatus.EXPIRED: pgettext_lazy("log", "Did not come"),
}
#: Of one that was sent elsewhere than to us.
SENT_THERE = pgettext_lazy("log", "Sent there, says the charger")


class AskForLog(forms.Form):
    """Which log, and of which time. Nothing is required: an empty form is everything the charger keeps."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Which"),
        required=False,
        choices=list(KINDS.items()),
        widget=forms.RadioSelect,
        initial=LogKind.DIAGNOSTICS.value,
    )
    since = forms.DateTimeField(label=gettext_lazy("From"), required=False, widget=forms.DateTimeInput({"type": "datetime-local"}))
    until = forms.DateTimeField(label=gettext_lazy("To"), required=False, widget=forms.DateTimeInput({"type": "datetime-local"}))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until <= since:
            self.add_error("until", _("This is before the beginning: exchange the two."))
        if since and since > timezone.now():
            self.add_error("since", _("This is in the future: no log has that yet."))
        return cleaned

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked for, from clean fields."""
        data = self.cleaned_data
        return {"kind": data["kind"] or LogKind.DIAGNOSTICS.value, "since": data["since"], "until": data["until"]}


@dataclass(frozen=True, slots=True)
class LogRow:
    upload: LogUpload

    @property
    def word(self) -> str:
        return str(KINDS.get(self.upload.kind, self.upload.kind))

    @property
    def status(self) -> str:
        return str(STATUS[self.upload.status] if self.here or self.upload.status != LogStatus.UPLOADED else SENT_THERE)

    @property
    def slug(self) -> str:
        """Its shape: done, now or bad."""
        ends: dict[str, str] = {LogStatus.UPLOADED: "done", LogStatus.FAILED: "bad", LogStatus.EXPIRED: "bad"}
        return ends.get(self.upload.status, "now")

    @property
    def here(self) -> bool:
        return self.upload.status == LogStatus.UPLOADED and not self.upload.location

    @property
    def open(self) -> bool:
        return self.upload.status in LOG_OPEN

    @property
    def sentence(self) -> str:
        upload, command = self.upload, self.upload.command
        if upload.reason or not self.open:
            return upload.reason
        if upload.status == LogStatus.UPLOADING:
            return _("The charger is sending it.")
        match command.status if command else "":
            case CommandStatus.QUEUED:
                return _("The charger will be asked as soon as it can be.")
            case CommandStatus.SENT:
                return _("The charger was asked, and has not answered yet.")
            case CommandStatus.ACCEPTED if command and not command.facts.get("filename") and "request_id" not in command.facts:
                # OCPP 1.6 (5.9): without a name there is nothing to send. Some send a file all the same.
                return _("The charger agreed, but names no file: it may have nothing to send.")
            case CommandStatus.ACCEPTED:
                return _("The charger agreed to send it.")
        return _("The charger did not agree. Why stands here in a moment.")


class LogFilters(forms.Form):
    """What the list can be narrowed by. Nothing is required: an empty form is the whole list."""

    station = forms.CharField(label=gettext_lazy("Charger"), required=False, max_length=48)
    kind = forms.ChoiceField(label=gettext_lazy("Which"), required=False, choices=[("", gettext_lazy("All")), *KINDS.items()])
    status = forms.ChoiceField(label=gettext_lazy("Status"), required=False, choices=[("", gettext_lazy("All")), *STATUS.items()])
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))

    def rows(self) -> QuerySet[LogUpload]:
        """The logs that fit, the newest first; none while something in the form is wrong."""
        found = _logs()
        if not self.is_valid():
            return found.none()
        wanted = self.cleaned_data
        if wanted["station"]:
            found = found.filter(station__identity__icontains=wanted["station"])
        found = found.filter(**{name: wanted[name] for name in ("kind", "status") if wanted[name]})
        return within(found, "created_at", wanted)

    def query(self, **more: str) -> str:
        """The filters as they stand in an address."""
        return urlencode({name: value for name in self.fields if (value := self.data.get(name))} | more)


def _logs() -> QuerySet[LogUpload]:
    return LogUpload.objects.select_related("station", "command", "requested_by").order_by("-id")


def newest(station: Station, limit: int = SHOWN) -> list[LogRow]:
    """The newest logs of a charger, newest first."""
    return [LogRow(upload) for upload in _logs().filter(station=station)[:limit]]


def of_station(station: Station, form: AskForLog | None) -> dict[str, Any]:
    """What the tab of a charger shows."""
    rows = newest(station)
    return {
        "log_rows": rows,
        "log_form": form or AskForLog(),
        "log_detailed": form is not None,
    }


@page
def show_logs(request: HttpRequest) -> HttpResponseBase:
    """The logs of the whole network."""
    form = LogFilters(request.GET)
    rows = form.rows()
    if request.GET.get("format") == "csv":
        if not form.is_valid():
            raise BadRequest(form.errors.as_json())
        return export(request, rows, "logs")
    before = request.GET.get("before", "")
    if before:
        if not (before.isascii() and before.isdigit() and len(before) < 19):
            raise BadRequest("before")
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    query = form.query()
    context = {
        "form": form,
        "rows": [LogRow(upload) for upload in found[:PAGE]],
        "may_fetch": may(request.user, FETCH),
        "now": timezone.now(),
        "filtered": bool(query),
        "newest": query if before else None,
        "older": form.query(before=str(found[PAGE - 1].pk)) if len(found) > PAGE else "",
        "export": form.query(format="csv"),
        "back": "?" + urlencode({"in": query}),
    }
    return render(request, "dashboard/logs.html", context)


def export(request: HttpRequest, rows: QuerySet[LogUpload], name: str) -> HttpResponseBase:
    """A list as a file."""

    def chunk(last: LogUpload | None, size: int) -> Sequence[LogUpload]:
        return list((rows if last is None else rows.filter(pk__lt=last.pk))[:size])

    def cells(u: LogUpload) -> Iterable[object]:
        times = (u.created_at, u.started_at, u.finished_at)
        said = (u.pk, u.station.identity, u.kind, u.status, u.reason, u.filename, u.size, u.sha256, u.since, u.until)
        return (*said, *times, str(u.requested_by or ""), u.command_id, u.location)

    return stream_csv(request, name, COLUMNS, chunk, cells)


def export_of(request: HttpRequest, station: Station) -> HttpResponseBase:
    return export(request, _logs().filter(station=station), f"logs-{slugify(station.identity) or 'charger'}")


@require_safe
@needs(FETCH)
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file as the charger sent it."""
    return log_file(get_object_or_404(_logs(), pk=pk))


@action(FETCH)
def give_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Wait for a log no more."""
    upload = get_object_or_404(_logs(), pk=pk)
    if not diagnostics.give_up(upload=upload):
        notices.warning(request, _("It was too late to give it up: it had ended already."))
    return _back(request, upload)


@action(FETCH)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a log, and the file with it."""
    upload = get_object_or_404(_logs(), pk=pk)
    logkeeping.delete(upload=upload)
    notices.success(request, _("The log of %(charger)s is deleted.") % {"charger": upload.station.identity})
    return _back(request, upload)


def _back(request: HttpRequest, upload: LogUpload) -> HttpResponse:
    """To the list it was pressed in."""
    query = QueryDict(request.GET.get("in", "").replace("\x00", "")[:1000]).urlencode()
    if "in" in request.GET:
        return redirect(f"{reverse('logs')}?{query}" if query else "logs")
    return redirect(f"{reverse('station', args=[upload.station.identity])}?tab=logs")
