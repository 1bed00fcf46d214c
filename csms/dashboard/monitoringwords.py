"""Monitors and what they noticed, in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from stations.models import Monitor, MonitorEvent, Variable

Word = str | Promise

#: OCPP 2.0.1 SetMonitoringData.severity.
SEVERITIES: tuple[Word, ...] = (
    _("Danger"),
    _("Hardware failure"),
    _("System failure"),
    _("Critical"),
    _("Error"),
    _("Alert"),
    _("Warning"),
    _("Notice"),
    _("Information"),
    _("Debugging"),
)
#: The icon and colour of each.
SLUGS = (*("bad",) * 4, *("note",) * 3, *("offline",) * 3)
TYPES: dict[str, Word] = {
    "UpperThreshold": _("rises above"),
    "LowerThreshold": _("falls below"),
    "Delta": _("changes by"),
    "Periodic": _("every so many seconds"),
    "PeriodicClockAligned": _("every so many seconds, by the clock"),
}
BASES: dict[str, Word] = {
    "All": _("All monitors"),
    "FactoryDefault": _("Those it came with"),
    "HardWiredOnly": _("Those that are built in"),
}
ORIGINS: dict[str, Word] = {
    "": pgettext_lazy("monitor", "not told"),
    "hard_wired": pgettext_lazy("monitor", "built in"),
    "preconfigured": pgettext_lazy("monitor", "preconfigured"),
    "custom": pgettext_lazy("monitor", "set by us"),
}
CLOSED: dict[str, Word] = {
    "cleared": _("over, says the charger"),
    "superseded": _("told again since"),
    "monitor_gone": _("its monitor is gone"),
    "person": _("closed by hand"),
}
TRIGGERS: dict[str, Word] = {
    "Alerting": pgettext_lazy("event", "Alert"),
    "Delta": pgettext_lazy("event", "Changed"),
    "Periodic": pgettext_lazy("event", "Regular"),
}
REPORTS: dict[str, Word] = {
    "requested": pgettext_lazy("report", "Asked for"),
    "receiving": pgettext_lazy("report", "Coming"),
    "complete": pgettext_lazy("report", "Complete"),
    "empty": pgettext_lazy("report", "Nothing to tell"),
    "refused": pgettext_lazy("report", "Refused"),
    "incomplete": pgettext_lazy("report", "Pages are missing"),
    "unsent": pgettext_lazy("report", "Never asked"),
}
REPORT_SLUGS = {"complete": "done", "empty": "done", "refused": "bad", "incomplete": "bad"}


def severity(level: int | None) -> Word:
    """A level with its name; of one that is not known that it is not."""
    return _("severity not told") if level is None else SEVERITIES[min(level, len(SEVERITIES) - 1)]


def slug(level: int | None) -> str:
    return "note" if level is None else SLUGS[min(level, len(SLUGS) - 1)]


def where(row: Monitor | MonitorEvent | Variable) -> str:
    """The component with its instance and plug."""
    number = ".".join(str(n) for n in (row.evse_number, row.connector_number) if n)
    return " ".join(part for part in (row.component, row.component_instance, number and f"#{number}") if part)


def what(row: Monitor | MonitorEvent | Variable) -> str:
    return f"{row.variable}[{row.variable_instance}]" if row.variable_instance else row.variable
