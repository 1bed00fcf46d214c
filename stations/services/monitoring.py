"""Monitoring (OCPP 2.0.1 chapter N): which monitors a station has, what it noticed, and which alerts are open.

An alert is open until the station says that it is over. Events may come thousands a second in a fleet that is told to report much:
whatever their number, a batch of them takes two look-ups, an INSERT and an UPDATE.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from stations.batch import Batch
from stations.domain import commands
from stations.domain.commands import VariableName
from stations.domain.events import ComponentEvent, ComponentEventsReported, Done, Event, MonitorReport, MonitorsReported
from stations.flush import Cursor
from stations.lookups import AlertNeed, FoundMonitor, MonitorNeed, Need, OpenAlert
from stations.models import Command, DeviceModel, Monitor, MonitorEvent, MonitorOrigin, Station
from stations.services import availability, clocks, devicemodel, eventseries, inventories, reports
from stations.services.companions import Companion
from stations.services.rules import Rule
from stations.state import StationState

INT32, INT64 = 2**31 - 1, 2**63 - 1
LEAST_SEVERE = 9
#: Whose the monitor is that noticed something (OCPP 2.0.1 EventNotificationEnumType); a notification has none.
ORIGINS = {
    "HardWiredMonitor": MonitorOrigin.HARD_WIRED.value,
    "PreconfiguredMonitor": MonitorOrigin.PRECONFIGURED.value,
    "CustomMonitor": MonitorOrigin.CUSTOM.value,
}
NOTIFICATION = "HardWiredNotification"
#: Why an alert is not open any more.
CLEARED, SUPERSEDED, MONITOR_GONE, PERSON = "cleared", "superseded", "monitor_gone", "person"


def place_of(name: VariableName) -> str:
    """The whole name of a variable, as one text."""
    parts = (name.component, name.component_instance, name.evse, name.connector, name.variable, name.variable_instance)
    return "|".join(str(part) if part else "" for part in parts)[:230]


# What a station noticed


def needed(event: ComponentEventsReported, station: StationState) -> Iterable[Need]:
    for one in event.events:
        if is_status(one):
            continue
        if _number(one.monitor_id, INT32) is not None:
            yield MonitorNeed(station.id, one.monitor_id or 0)
        if one.trigger == "Alerting" or one.cleared:
            yield AlertNeed(station.id, place_of(one.name))


def is_status(one: ComponentEvent) -> bool:
    """A connector's availability that is told unasked, by no monitor, is its status (OCPP 2.0.1 G01) and nothing else."""
    return availability.is_status(one) and one.monitor_id is None and one.notification in ("", NOTIFICATION)


def noticed(event: ComponentEventsReported, batch: Batch) -> Done:
    """Keep what components noticed; open and close alerts (OCPP 2.0.1 N07-N08)."""
    eventseries.noticed(event, batch)
    availability.noticed(event, batch)
    for one in event.events:
        if not is_status(one) and devicemodel.possible(batch, one.name):
            _keep(one, batch)
    return Done()


def _keep(one: ComponentEvent, batch: Batch) -> None:
    station = batch.station
    received_at = batch.frame.received_at if batch.frame else batch.now
    at = clocks.time_of(batch, one.at, [])
    place = place_of(one.name)
    monitor = _monitor(one, batch)
    event_id, alert = _number(one.event_id, INT64) or 0, one.trigger == "Alerting" and not one.cleared
    pk, since, closed_at = batch.next_id("monitor_event"), at if alert else None, None
    if alert or one.cleared:
        opened = batch.lookups.alerts.setdefault(AlertNeed(station.id, place), [])
        if alert and any((known.event_id, known.at) == (event_id, at) for known in opened):
            return  # sent again
        ended = _ended_by(one, opened)
        if any(at < known.at and (alert or event_id < known.event_id) for known in ended):
            # It is older than what is open, and came late, or again: it ends nothing, and stands for nothing.
            closed_at = min(known.at for known in ended) if alert else None
            alert, ended = False, []
        for known in ended:
            because = CLEARED if one.cleared else SUPERSEDED
            batch.change(MonitorEvent, known.id, open=False, closed_at=at, closed_because=because)
            opened.remove(known)
        if alert:
            since = min([at, *(known.since for known in ended)])
            opened.append(OpenAlert(pk, _number(one.monitor_id, INT32), since, event_id, at))
        batch.touch()
    batch.add(
        MonitorEvent,
        id=pk,
        operator_id=station.operator_id,
        station_id=station.id,
        place=place,
        **named(one.name),
        event_id=event_id,
        at=at,
        received_at=received_at,
        trigger=one.trigger,
        notification=one.notification,
        value=one.value,
        cleared=one.cleared,
        severity=monitor.severity if monitor else None,
        monitor_id=_number(one.monitor_id, INT32),
        cause_id=_number(one.cause_id, INT64),
        ocpp_transaction_id=one.transaction_id,
        tech_code=one.tech_code,
        tech_info=one.tech_info,
        open=alert,
        since=since,
        closed_at=closed_at,
        closed_because=SUPERSEDED if closed_at else "",
    )


def _ended_by(one: ComponentEvent, opened: list[OpenAlert]) -> list[OpenAlert]:
    """Those of the variable's open alerts that this event is about: the same monitor's. Monitors are renumbered when a station
    restarts, so the only one there is is over, too, when the station says so of another number."""
    same = [known for known in opened if known.monitor_id == _number(one.monitor_id, INT32)]
    return same or (list(opened) if one.cleared and len(opened) == 1 else [])


def _monitor(one: ComponentEvent, batch: Batch) -> FoundMonitor | None:
    """The monitor that noticed it. One that is not known yet is read soon."""
    if one.monitor_id is None:
        return None
    monitor = batch.lookups.monitors.get(MonitorNeed(batch.station.id, one.monitor_id))
    if monitor is None or not monitor.known:
        inventories.unknown_monitor(batch)
        return None
    origin = ORIGINS.get(one.notification, "")
    if origin and origin != monitor.origin:
        monitor.origin = origin
        batch.change(Monitor, monitor.id, origin=origin)
    return monitor


def _number(value: int | None, highest: int) -> int | None:
    return value if value is not None and 0 <= value <= highest else None


def named(name: VariableName) -> dict[str, Any]:
    return {
        "component": name.component,
        "component_instance": name.component_instance,
        "evse_number": name.evse,
        "connector_number": name.connector,
        "variable": name.variable,
        "variable_instance": name.variable_instance,
    }


@transaction.atomic
def close(*, event: MonitorEvent, user: User | None = None, now: datetime | None = None) -> bool:
    """Somebody says that an alert is over, though its station did not. False: it is over already."""
    found = MonitorEvent.objects.filter(pk=event.pk, open=True)
    if not found.update(open=False, closed_at=now or timezone.now(), closed_because=PERSON):
        return False
    after = {"component": event.component, "variable": event.variable, "value": event.value[:100]}
    audit.record("alert.closed", event.station, operator=event.operator_id, after=after)
    return True


# Which monitors it has


def monitors_reported(event: MonitorsReported, batch: Batch) -> Done:
    """Keep a page of a report of monitors (OCPP 2.0.1 N02). Once all of them were told, what was not is gone."""
    for one in event.monitors:
        store(batch, one)
    complete = reports.take(event, batch, len(event.monitors))
    if complete is not None and not complete.about.get("criteria") and not complete.about.get("variables"):
        _told_all(batch, complete.created_at)
    return Done()


def _told_all(batch: Batch, asked_at: datetime) -> None:
    """What was not told is gone, and its alerts with it; alerts of monitors that were not known get their severity."""
    # Of pages that came in this batch the rows are not written yet.
    here = {row["monitor_id"]: row["severity"] for row in batch.added[Monitor].values() if row["station_id"] == batch.station.id}
    told = {"station": batch.station.id, "since": asked_at, "now": batch.now, "here": list(here)}
    batch.cursor.execute(GONE, told)
    batch.cursor.execute(CLOSE_GONE, told)
    for pk, monitor_id, severity in batch.cursor.execute(UNRATED, told).fetchall():
        if (severity := here.get(monitor_id, severity)) is not None:
            batch.change(MonitorEvent, pk, severity=severity)


def _report_answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """A station that has none says so, and sends no page."""
    reports.answered(batch, command_id, change, facts)
    if facts.get("empty") and (of_all := batch.cursor.execute(OF_ALL, (command_id,)).fetchone()):
        _told_all(batch, of_all[0])


OF_ALL = """SELECT created_at FROM stations_report WHERE command_id = %s AND about = '{"criteria": [], "variables": []}'"""
GONE = "UPDATE stations_monitor SET known = false WHERE station_id = %(station)s AND known AND reported_at < %(since)s"
CLOSE = """
UPDATE stations_monitorevent e SET open = false, closed_at = %(now)s, closed_because = 'monitor_gone'
WHERE e.station_id = %(station)s AND e.open
"""
CLOSE_GONE = f"""{CLOSE} AND e.monitor_id IS NOT NULL AND e.monitor_id <> ALL(%(here)s) AND EXISTS (
    SELECT FROM stations_monitor m WHERE m.station_id = e.station_id AND m.monitor_id = e.monitor_id AND NOT m.known)
"""
UNRATED = """
SELECT e.id, e.monitor_id, m.severity FROM stations_monitorevent e
LEFT JOIN stations_monitor m ON m.station_id = e.station_id AND m.monitor_id = e.monitor_id AND m.known
WHERE e.station_id = %(station)s AND e.open AND e.severity IS NULL AND e.monitor_id IS NOT NULL
"""


def store(batch: Batch, one: MonitorReport, origin: str = "") -> None:
    """Keep a monitor as the station told of it, or took it."""
    if not devicemodel.possible(batch, one.name) or _number(one.id, INT32) is None:
        return
    severity = min(max(one.severity, 0), LEAST_SEVERE)
    need = MonitorNeed(batch.station.id, one.id)
    if (known := batch.lookups.monitors.get(need)) is not None:
        known.severity, known.known = severity, True
    batch.add(
        Monitor,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        monitor_id=one.id,
        **named(one.name),
        type=one.type,
        value=one.value,
        severity=severity,
        transaction=one.transaction,
        origin=origin,
        known=True,
        reported_at=batch.now,
    )
    batch.touch()


# What it was asked


def _nothing(row: Command, station: Station, command: commands.Command) -> None:
    """No row of its own."""


def _modelled(row: Command, station: Station, command: commands.Command) -> None:
    """What the station takes will be kept in its device model."""
    DeviceModel.objects.get_or_create(station=station, defaults={"operator_id": station.operator_id})


def _set_base(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    if change["status"] == "confirmed":
        batch.change(DeviceModel, batch.station.id, base=facts["base"], base_at=batch.now)
        # Which monitors there are is another matter now (OCPP 2.0.1 N03).
        inventories.look_soon(batch)
    _look_if_unsure(batch, change)


def _set_level(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    if change["status"] == "confirmed":
        batch.change(DeviceModel, batch.station.id, level=facts["severity"], level_at=batch.now)


def _set(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """Those that were taken, even if others were refused (OCPP 2.0.1 N04)."""
    for one in facts.get("monitors", ()):
        store(batch, MonitorReport(VariableName(**one["name"]), *one["as"]), MonitorOrigin.CUSTOM.value)
    _look_if_unsure(batch, change)


def _cleared(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """Those that are gone, even if others are not (OCPP 2.0.1 N06): with them go their alerts."""
    if gone := facts.get("gone"):
        told = {"station": batch.station.id, "now": batch.now, "gone": gone}
        batch.cursor.execute(
            "UPDATE stations_monitor SET known = false WHERE station_id = %(station)s AND monitor_id = ANY(%(gone)s)", told
        )
        batch.cursor.execute(f"{CLOSE} AND e.monitor_id = ANY(%(gone)s)", told)
    _look_if_unsure(batch, change)


def _look_if_unsure(batch: Batch, change: dict[str, Any]) -> None:
    """The station may have done it, or some of it, without telling."""
    if change["status"] in inventories.UNSURE:
        inventories.look_soon(batch)


def _lost(cursor: Cursor, command_id: int, status: str, now: datetime) -> None:
    """The same of one whose answer was lost."""
    if status == "timed_out":
        inventories.look_after(cursor, command_id, now)


RULES: dict[type[Event], Rule] = {
    ComponentEventsReported: Rule(noticed, needed),
    MonitorsReported: Rule(monitors_reported, reports.needed),
}
COMPANIONS = {
    "get_monitoring_report": Companion(reports.made, _report_answered, reports.ended),
    "set_monitoring_base": Companion(_modelled, _set_base, _lost),
    "set_monitoring_level": Companion(_modelled, _set_level),
    "set_variable_monitoring": Companion(_nothing, _set, _lost),
    "clear_variable_monitoring": Companion(_nothing, _cleared, _lost),
}
