"""What stations of a device model have, read without being asked: all settings when a station first comes or has changed, its
monitors whenever it restarted, since they may be numbered anew then (OCPP 2.0.1 B07, N02).

The socket only notes that it is time to look. A job reads, some stations at a time: after a power cut they all come at once.
"""

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

import structlog
from django.db import transaction

from stations.batch import Batch
from stations.domain.commands import Command as Asked
from stations.domain.commands import GetBaseReport, GetMonitoringReport
from stations.flush import Cursor
from stations.models import Command, DeviceModel, Monitor, MonitorEvent, Report, ReportKind, ReportStatus, Station, Variable
from stations.models.command import OPEN
from stations.selectors import online
from stations.services import commands as life
from stations.services import reports
from stations.services.companions import Companion

log = structlog.get_logger(__name__)

#: A station that has just booted has other things to tell first.
SETTLES = timedelta(seconds=20)
SOON = timedelta(seconds=5)
#: An event of a monitor that is not known leads to no more than a look within so long.
RARELY = timedelta(hours=1)
#: How long after it refused to tell all settings a station is asked again, each time; then not before it has changed.
AGAIN_AFTER = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=7))
#: Errors by which a station says that it knows no such request.
UNABLE = ("NotSupported", "NotImplemented")
#: How a command ended of which nobody knows what the station made of it.
UNSURE = ("timed_out", "failed")
#: Looked at by one run, at most.
SWEPT = 100
EVERYTHING = "To know all settings of a charger that is new or has changed."
MONITORS = "To know the monitors of a charger."


def booted(batch: Batch) -> None:
    _due(batch, batch.now + SETTLES)


def look_soon(batch: Batch) -> None:
    _due(batch, batch.now + SOON)


def unknown_monitor(batch: Batch) -> None:
    """An event came of a monitor of which nobody told. Not put off, lest events that come often put it off for ever."""
    _due(batch, batch.now)


def _due(batch: Batch, at: datetime) -> None:
    station = batch.station
    batch.add(DeviceModel, station_id=station.id, operator_id=station.operator_id, due_at=at)


LOOK_AFTER = """
INSERT INTO stations_devicemodel (station_id, operator_id, due_at, inventory_of, base)
SELECT station_id, operator_id, %s, '', '' FROM stations_command WHERE id = %s
ON CONFLICT (station_id) DO UPDATE SET due_at = excluded.due_at
"""


def look_after(cursor: Cursor, command_id: int, now: datetime) -> None:
    """Look soon at the station of a command that ended outside of a batch."""
    cursor.execute(LOOK_AFTER, (now + SOON, command_id))


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """The station answered that it will tell its settings, or will not: then it is asked again, some time."""
    reports.answered(batch, command_id, change, facts)
    if change["status"] in ("rejected", "failed"):
        look_soon(batch)


def sweep(*, now: datetime) -> int:
    """Look at the stations that are due and there. Returns how many. Run without a scope. Safe when run twice, or killed."""
    due = DeviceModel.objects.filter(due_at__lte=now, station__in=online(now).values("pk")).order_by("due_at")
    pks = list(due.values_list("pk", flat=True)[:SWEPT])
    for pk in pks:
        try:
            look(pk, now=now)
        except Exception:
            log.exception("a station's device model could not be looked at", station=pk)
            DeviceModel.objects.filter(pk=pk).update(due_at=now + RARELY)
    return len(pks)


@transaction.atomic
def look(pk: int, *, now: datetime) -> None:
    """Ask one station for what is not known of it. One that is away is looked at when it is back."""
    model = DeviceModel.objects.select_for_update(of=("self",)).select_related("station").get(pk=pk)
    if model.due_at is None or model.due_at > now or not online(now).filter(pk=pk).exists():
        return
    model.due_at = None
    _ask(model, now)
    model.save(update_fields=["due_at", "inventory_of", "inventory_at", "monitors_at"])


def _ask(model: DeviceModel, now: datetime) -> None:
    station = model.station
    what = mark(station)
    if model.inventory_of != what or _in_vain(model):
        model.inventory_of, model.inventory_at = what, _issue(station, GetBaseReport(), EVERYTHING).created_at
    elif (again_at := _again_at(model)) is not None and again_at > now:
        model.due_at = again_at
    elif again_at is not None:
        _issue(station, GetBaseReport(), EVERYTHING)
    if _monitors_wanted(model, now):
        _issue(station, GetMonitoringReport(), MONITORS)
        model.monitors_at = now


def _in_vain(model: DeviceModel) -> bool:
    """Whether it restarted since it was last asked for everything, and that never reached it, or did not come whole."""
    booted_at = model.station.booted_at
    if model.inventory_at is None or booted_at is None or booted_at <= model.inventory_at:
        return False
    newest = Report.objects.filter(station=model.station, command__kind=GetBaseReport.kind).order_by("-pk").first()
    return newest is not None and newest.status in (ReportStatus.UNSENT, ReportStatus.INCOMPLETE)


def _again_at(model: DeviceModel) -> datetime | None:
    """When a station that refused is asked again for everything; None: it did not refuse, or is asked no more."""
    if model.inventory_at is None:
        return None
    about = Report.objects.filter(station=model.station, about=GetBaseReport().params(), created_at__gte=model.inventory_at)
    newest = list(about.select_related("command").order_by("-pk")[: len(AGAIN_AFTER) + 1])
    refused = list(takewhile(lambda report: report.status == ReportStatus.REFUSED, newest))
    if not refused or len(refused) > len(AGAIN_AFTER):
        return None
    last = refused[0]
    if last.finished_at is None or unable(last):
        return None
    return last.finished_at + AGAIN_AFTER[len(refused) - 1]


def unable(refused: Report) -> bool:
    """Whether the station does not know what it was asked for, and did not just refuse it."""
    return refused.detail.startswith(UNABLE) or refused.command.error_code in UNABLE


def mark(station: Station) -> str:
    """What changes with a station's hardware or firmware."""
    return "|".join((station.vendor, station.model, station.serial_number, station.firmware_version))[:300]


def _monitors_wanted(model: DeviceModel, now: datetime) -> bool:
    """Whether the station restarted since they were read, or was told another base, or tells of one that is not known."""
    station = model.station
    read_at = model.monitors_at
    if Variable.objects.filter(station=station, component="MonitoringCtrlr", variable="Available", value="false").exists():
        return False
    if read_at is None or now - read_at >= RARELY or (station.booted_at is not None and station.booted_at > read_at):
        return not _refuses(station)
    return (model.base_at is not None and model.base_at > read_at) or _changed(station, read_at)


def _refuses(station: Station) -> bool:
    """A station that has said that it knows no such thing is asked again only when it has changed, or has shown that it does."""
    newest = Report.objects.filter(station=station, kind=ReportKind.MONITORS).select_related("command").order_by("-pk").first()
    if newest is None or newest.status != ReportStatus.REFUSED or not unable(newest):
        return False
    if Monitor.objects.filter(station=station).exists() or MonitorEvent.objects.filter(station=station).exists():
        return False
    asked_since_changed = Report.objects.filter(station=station, kind=ReportKind.SETTINGS, pk__gt=newest.pk).exists()
    return not asked_since_changed


def _changed(station: Station, read_at: datetime) -> bool:
    """Whether it was asked for other monitors and may have taken it without telling."""
    lost = Command.objects.filter(
        station=station,
        kind__in=("set_monitoring_base", "set_variable_monitoring", "clear_variable_monitoring"),
        status__in=UNSURE,
        finished_at__gt=read_at,
    )
    return bool(lost.order_by("-id")[:1])


def _issue(station: Station, command: Asked, reason: str) -> Command:
    """The command, or the one that asks the same already."""
    same = Command.objects.filter(station=station, kind=command.kind, params=command.params(), status__in=OPEN).first()
    return same or life.issue(station=station, command=command, reason=reason)


COMPANIONS = {"get_base_report": Companion(reports.made, answered, reports.ended)}
