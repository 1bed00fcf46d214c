"""What a charger watches, noticed and reported: the parts of its tab Monitoring."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import may
from csms.dashboard import monitoringwords as words
from csms.dashboard.monitoringwords import what, where
from csms.dashboard.station import Head
from csms.ocpp import reading
from stations.domain import commands
from stations.domain.commands import Command
from stations.models import DeviceModel, Monitor, MonitorEvent, Report, ReportKind, ReportStatus, Station, Variable
from stations.services import inventories, reports

MAY = "commands.send"
#: How many of each stand on the tab; the rest is in the file.
MONITORS_SHOWN, EVENTS_SHOWN, REPORTS_SHOWN, OFFERED = 500, 50, 10, 500


class MonitorForm(forms.Form):
    """A monitor to be set, of what the charger can watch."""

    variable = forms.TypedChoiceField(
        label=gettext_lazy("Watch"),
        coerce=int,
        error_messages={"invalid_choice": gettext_lazy("The charger does not say that it can watch this. Choose another one.")},
    )
    type = forms.ChoiceField(label=gettext_lazy("Tell me when it"), choices=list(words.TYPES.items()))
    value = forms.FloatField(label=gettext_lazy("Value, or seconds"), min_value=-1e15, max_value=1e15)
    severity = forms.TypedChoiceField(
        label=gettext_lazy("How severe that is"),
        coerce=int,
        initial=5,
        choices=[(level, word) for level, word in enumerate(words.SEVERITIES)],
    )
    transaction = forms.BooleanField(label=gettext_lazy("Only while somebody charges"), required=False)

    def __init__(self, station: Station, data: Any = None) -> None:
        super().__init__(data)
        found = Variable.objects.filter(station=station, monitorable=True, known=True, attribute="Actual")[:OFFERED]
        self.offered = {one.pk: one for one in found}
        field = self.fields["variable"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (pk, f"{where(one)} · {what(one)}" + (f" ({one.unit})" if one.unit else "")) for pk, one in self.offered.items()
        ]

    def command(self) -> Command:
        of, data = self.offered[self.cleaned_data["variable"]], self.cleaned_data
        entry: dict[str, Any] = {
            **{"component": of.component, "variable": of.variable},
            **{"component_instance": of.component_instance, "variable_instance": of.variable_instance},
            **{"evse": of.evse_number, "connector": of.connector_number},
            **{"type": data["type"], "value": data["value"], "severity": data["severity"]},
        }
        entry = {name: part for name, part in entry.items() if part not in ("", None)}
        return commands.SetVariableMonitoring([entry | ({"transaction": True} if data["transaction"] else {})])


@dataclass(frozen=True, slots=True)
class EventRow:
    event: MonitorEvent

    @property
    def slug(self) -> str:
        return words.slug(self.event.severity) if self.event.open else "offline"

    @property
    def severity(self) -> words.Word:
        return words.severity(self.event.severity)

    @property
    def where(self) -> str:
        return where(self.event)

    @property
    def what(self) -> str:
        return what(self.event)

    @property
    def trigger(self) -> words.Word:
        return _("Over") if self.event.cleared else words.TRIGGERS.get(self.event.trigger, self.event.trigger)

    @property
    def closed(self) -> words.Word:
        return words.CLOSED.get(self.event.closed_because, "")


@dataclass(frozen=True, slots=True)
class MonitorRow:
    monitor: Monitor

    @property
    def where(self) -> str:
        return where(self.monitor)

    @property
    def what(self) -> str:
        return what(self.monitor)

    @property
    def value(self) -> str:
        return f"{self.monitor.value:.10g}"

    @property
    def type(self) -> words.Word:
        return words.TYPES.get(self.monitor.type, self.monitor.type)

    @property
    def severity(self) -> words.Word:
        return words.severity(self.monitor.severity)

    @property
    def origin(self) -> words.Word:
        return words.ORIGINS.get(self.monitor.origin, self.monitor.origin)


@dataclass(frozen=True, slots=True)
class ReportRow:
    report: Report

    @property
    def slug(self) -> str:
        return words.REPORT_SLUGS.get(self.report.status, "note")

    @property
    def word(self) -> words.Word:
        return words.REPORTS.get(self.report.status, self.report.status)

    @property
    def title(self) -> words.Word:
        if self.report.kind == ReportKind.MONITORS:
            return _("Monitors")
        about = self.report.about
        return str(about["report"]) if "report" in about else ", ".join(about.get("criteria", [])) or _("Some settings")

    @property
    def pages(self) -> int:
        return reports.count(self.report)

    @property
    def missing(self) -> str:
        """What has not come of one of which something has."""
        return reports.gaps(self.report) if self.pages else ""


@dataclass(frozen=True, slots=True)
class Refusal:
    report: Report

    @property
    def at(self) -> datetime | None:
        return self.report.finished_at

    @property
    def why(self) -> str:
        """As the charger said it."""
        return ": ".join(part for part in (self.report.command.error_code, self.report.detail) if part) or "–"

    @property
    def then(self) -> str:
        if inventories.unable(self.report):
            return _("It does not know this request. It is asked again when its firmware or hardware has changed.")
        return _("It is asked again when it restarts.")


# What the parts show


def monitors_of(station: Station) -> QuerySet[Monitor]:
    return Monitor.objects.filter(station=station, known=True).order_by("monitor_id")


def events_of(station: Station) -> QuerySet[MonitorEvent]:
    return MonitorEvent.objects.filter(station=station).order_by("-id")


def reports_of(station: Station) -> QuerySet[Report]:
    return Report.objects.filter(station=station).exclude(kind=ReportKind.CUSTOMER).order_by("-pk")


def refused(station: Station) -> Refusal | None:
    """Why the charger's monitors are not read, if it would not tell them when it was asked last."""
    about = commands.GetMonitoringReport().params()
    told = Report.objects.filter(station=station, kind=ReportKind.MONITORS, about=about).select_related("command")
    newest = told.order_by("-pk").first()
    return Refusal(newest) if newest is not None and newest.status == ReportStatus.REFUSED else None


def sayable(head: Head) -> bool:
    """Whether the charger speaks a version that has monitors; also where it has not told yet."""
    protocol = head.connection.protocol if head.connection else ""
    return commands.SetVariableMonitoring.kind in reading.sayable(protocol)


def monitors(request: HttpRequest, head: Head) -> dict[str, Any]:
    station, asks = head.station, may(request.user, MAY) and sayable(head)
    rows = list(monitors_of(station)[: MONITORS_SHOWN + 1])
    return {
        "sayable": sayable(head),
        "asks": asks,
        "model": DeviceModel.objects.filter(station=station).first(),
        "base": words.BASES,
        "rows": [MonitorRow(one) for one in rows[:MONITORS_SHOWN]],
        "more": len(rows) > MONITORS_SHOWN,
        "form": MonitorForm(station) if asks else None,
        "bases": list(words.BASES.items()),
        "levels": list(enumerate(words.SEVERITIES)),
        "refused": refused(station),
        "problem": "",
    }


def events(request: HttpRequest, head: Head) -> dict[str, Any]:
    found = events_of(head.station)
    alerts = list(found.filter(open=True).order_by("severity", "-since")[: EVENTS_SHOWN + 1])
    return {
        "open": [EventRow(one) for one in alerts[:EVENTS_SHOWN]],
        "more": len(alerts) > EVENTS_SHOWN,
        "rows": [EventRow(one) for one in found.filter(open=False)[:EVENTS_SHOWN]],
        "closes": may(request.user, MAY),
    }


def reports_context(request: HttpRequest, head: Head) -> dict[str, Any]:
    return {
        "rows": [ReportRow(one) for one in reports_of(head.station)[:REPORTS_SHOWN]],
        "asks": may(request.user, MAY) and sayable(head),
    }
