"""What one may do on a charger's tab Monitoring, and its lists as files."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import messages as notices
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from csms.dashboard import exports, parts, stationviews
from csms.dashboard.access import action, page
from csms.dashboard.monitoring import MAY, MonitorForm, ReportRow, events_of, monitors_of, reports_of
from csms.dashboard.monitoringwords import what, where
from csms.dashboard.words import in_words
from stations.domain import commands
from stations.domain.commands import BadCommand, Command
from stations.models import Monitor, MonitorEvent, Report, Station
from stations.services import commands as life
from stations.services import monitoring


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


#: What the buttons ask of the charger, by their name.
ASKS: dict[str, Callable[[dict[str, str]], Command]] = {
    "base": lambda said: commands.SetMonitoringBase(said.get("base", "")),
    "level": lambda said: commands.SetMonitoringLevel(_whole(said.get("level", ""))),
    "clear": lambda said: commands.ClearVariableMonitoring([_whole(said.get("monitor", ""))]),
    "monitors": lambda said: commands.GetMonitoringReport(),
    "everything": lambda said: commands.GetBaseReport(),
    "problems": lambda said: commands.GetReport(criteria=["Problem"]),
}


@action(MAY)
def ask_monitoring(request: HttpRequest, identity: str) -> HttpResponse:
    """Set a monitor, or press one of the buttons of the tab."""
    station = stationviews.station_of(identity)
    do = request.POST.get("do", "")
    form = MonitorForm(station, request.POST) if do == "set" else None
    if form is not None and not form.is_valid():
        return stationviews.render_part(request, station, parts.MONITORS, form=form)
    if form is None and do not in ASKS:
        raise Http404(_("This charger cannot be asked for that."))
    try:
        command = form.command() if form is not None else ASKS[do](request.POST.dict())
        command.check()
        life.issue(station=station, command=command, user=_user(request))
    except BadCommand as error:
        more = {"form": form} if form is not None else {}
        return stationviews.render_part(request, station, parts.MONITORS, problem=in_words(error), **more)
    notices.success(request, _("The charger is asked. What came of it stands on the tab Commands."))
    return stationviews.back_to_part(station, parts.MONITORS, "#reports" if do in ("everything", "problems") else "#monitors")


@action(MAY)
def close_alert(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Say that an alert is over though the charger does not."""
    station = stationviews.station_of(identity)
    event = get_object_or_404(MonitorEvent, station=station, pk=pk)
    if not monitoring.close(event=event, user=_user(request)):
        notices.warning(request, _("It was over already."))
    return stationviews.back_to_part(station, parts.EVENTS, "#events")


# Files


@page
def export_monitors(request: HttpRequest, identity: str) -> HttpResponseBase:
    header = (*("monitor_id", "component", "variable", "type", "value", "severity", "transaction", "origin"), "reported_at")

    def cells(one: Monitor) -> Iterable[object]:
        watched = (one.monitor_id, where(one), what(one), one.type, one.value, one.severity)
        return (*watched, one.transaction, one.origin, one.reported_at)

    def after(rows: QuerySet[Monitor], last: Monitor) -> QuerySet[Monitor]:
        return rows.filter(monitor_id__gt=last.monitor_id)

    return _export(request, identity, "monitors", header, monitors_of, after, cells)


@page
def export_events(request: HttpRequest, identity: str) -> HttpResponseBase:
    header = (
        *("id", "event_id", "at", "component", "variable", "value", "trigger", "cleared", "severity", "monitor_id"),
        *("notification", "session", "code", "info", "open", "since", "closed_at", "closed_because"),
    )

    def cells(one: MonitorEvent) -> Iterable[object]:
        noticed = (one.pk, one.event_id, one.at, where(one), what(one), one.value, one.trigger, one.cleared, one.severity)
        told = (one.monitor_id, one.notification, one.ocpp_transaction_id, one.tech_code, one.tech_info)
        return (*noticed, *told, one.open, one.since, one.closed_at, one.closed_because)

    def after(rows: QuerySet[MonitorEvent], last: MonitorEvent) -> QuerySet[MonitorEvent]:
        return rows.filter(pk__lt=last.pk)

    return _export(request, identity, "events", header, events_of, after, cells)


@page
def export_reports(request: HttpRequest, identity: str) -> HttpResponseBase:
    header = (*("command", "request_id", "kind", "about", "status", "pages", "missing", "items", "detail"), "asked_at", "ended_at")

    def cells(one: Report) -> Iterable[object]:
        row = ReportRow(one)
        said = (one.pk, one.request_id, one.kind, str(row.title), one.status, row.pages, row.missing, one.items, one.detail)
        return (*said, one.created_at, one.finished_at)

    def after(rows: QuerySet[Report], last: Report) -> QuerySet[Report]:
        return rows.filter(pk__lt=last.pk)

    return _export(request, identity, "reports", header, reports_of, after, cells)


def _export(
    request: HttpRequest,
    identity: str,
    name: str,
    header: Sequence[str],
    of: Callable[[Station], QuerySet[Any]],
    after: Callable[[QuerySet[Any], Any], QuerySet[Any]],
    cells: Callable[[Any], Iterable[object]],
) -> HttpResponseBase:
    station = stationviews.station_of(identity)

    def chunk(last: Any, size: int) -> Sequence[Any]:
        return list((of(station) if last is None else after(of(station), last))[:size])

    return exports.stream_csv(request, f"{name}-{slugify(station.identity) or 'charger'}", header, chunk, cells)
