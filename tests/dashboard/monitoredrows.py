"""What a charger of OCPP 2.0.1 watches, noticed, reported and told of a customer: one of each kind that a page can show."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from stations.models import Command, CustomerPage, DeviceModel, Monitor, MonitorEvent, Report, Station, Variable


@dataclass
class Monitored:
    alert: MonitorEvent
    report: Report
    customer: Report


def made_report(station: Station, kind: str = "settings", **fields: Any) -> Report:
    now = timezone.now()
    kinds = {"settings": "get_base_report", "monitors": "get_monitoring_report", "customer": "customer_information"}
    command = Command.objects.create(
        operator=station.operator, station=station, kind=kinds[kind], status="confirmed", created_at=now, expires_at=now
    )
    given = {"about": {"report": "FullInventory"}, "status": "complete", "pages": [[0, 1]], "last_page": 1, "items": 7}
    given |= {"request_id": command.pk, "created_at": now, "due_at": now, "finished_at": now} | fields
    return Report.objects.create(command=command, operator=station.operator, station=station, kind=kind, **given)


def made_event(station: Station, number: int = 1, **fields: Any) -> MonitorEvent:
    """An open alert, unless told otherwise."""
    now = timezone.now()
    given: dict[str, Any] = {"component": "EVSE", "evse_number": 1, "variable": "Temperature", "place": "EVSE||1||Temperature|"}
    given |= {"event_id": number, "at": now, "received_at": now, "trigger": "Alerting", "notification": "CustomMonitor"}
    given |= {"value": "91", "severity": 2, "monitor_id": 1, "open": True, "since": now - timedelta(minutes=5)}
    return MonitorEvent.objects.create(operator=station.operator, station=station, **given | fields)


def monitored(station: Station) -> Monitored:
    now, operator = timezone.now(), station.operator
    base = {"base": "All", "base_at": now, "level": 5, "level_at": now, "monitors_at": now}
    DeviceModel.objects.create(operator=operator, station=station, **base)
    named = {"component": "EVSE", "evse_number": 1, "variable": "Temperature"}
    Variable.objects.create(
        operator=operator, station=station, **named, value="31.5", unit="Celsius", monitorable=True, reported_at=now
    )
    for number, origin in enumerate(("hard_wired", "custom", ""), start=1):
        watched = {"type": "UpperThreshold", "value": 70.5, "severity": 2, "transaction": number == 2, "origin": origin}
        Monitor.objects.create(operator=operator, station=station, monitor_id=number, **named, **watched, reported_at=now)
    alert = made_event(station, tech_code="E7", tech_info="The fan stands still.", ocpp_transaction_id="tx-1")
    made_event(station, 2, severity=None, monitor_id=None, variable="Mode", place="EVSE||1||Mode|")
    over = {"open": False, "closed_at": now, "closed_because": "cleared"}
    made_event(station, 3, cleared=True, value="", **over)
    made_event(station, 4, trigger="Periodic", severity=9, open=False, since=None)
    report = made_report(station)
    made_report(station, "monitors", about={}, status="receiving", pages=[[1, 1]], last_page=2, finished_at=None)
    made_report(station, status="incomplete", detail="Pages 1 of the report did not come.", pages=[[0, 0]], repeat_of=report)
    made_report(station, about={"criteria": ["Problem"], "variables": []}, status="refused", pages=[], detail="NotSupported")
    about = {"report": True, "clear": False, "id_token": "04A1B2C3", "id_token_type": "ISO14443"}
    customer = made_report(station, "customer", about=about)
    CustomerPage.objects.create(operator=operator, report=customer, sequence=0, text="Two sessions.")
    made_report(station, "customer", about={"report": False, "clear": True, "customer_identifier": "DEE-7"}, pages=[])
    return Monitored(alert, report, customer)
