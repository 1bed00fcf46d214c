"""The parts of a charger's page that the chapters of OCPP bring: each a card with a context of its own, on one of the tabs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from csms.dashboard import (
    certificates,
    charging,
    customers,
    displaymessages,
    locallists,
    meterkeys,
    monitoring,
    network,
    reservations,
    securityevents,
)
from csms.dashboard.station import Head

Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """`name` is its own; `context` makes what its template finds as `part`, beside what every tab has."""

    name: str
    tab: str
    template: str
    context: Callable[[HttpRequest, Head], Context]


#: Tabs made of parts, as they stand after those that every charger has.
TABS: dict[str, Promise] = {
    "access": _("Access"),
    "power": _("Power"),
    "monitoring": _("Monitoring"),
    "display": _("Display"),
    "security": _("Security"),
}
LOCAL_LIST = Part("local_list", "access", "dashboard/_part_local_list.html", locallists.part)
RESERVATIONS = Part("reservations", "access", "dashboard/_part_reservations.html", reservations.context)
CHARGING = Part("charging", "power", "dashboard/_part_charging.html", charging.context)
EVENTS = Part("events", "monitoring", "dashboard/_part_events.html", monitoring.events)
MONITORS = Part("monitors", "monitoring", "dashboard/_part_monitors.html", monitoring.monitors)
REPORTS = Part("reports", "monitoring", "dashboard/_part_reports.html", monitoring.reports_context)
CUSTOMER = Part("customer", "display", "dashboard/_part_customer.html", customers.context)
DISPLAY_MESSAGES = Part("display_messages", "display", "dashboard/_part_display_messages.html", displaymessages.context)
NETWORK = Part("network", "security", "dashboard/_part_network.html", network.context)
SECURITY_EVENTS = Part("security_events", "security", "dashboard/_part_security_events.html", securityevents.part)
CERTIFICATES = Part("certificates", "security", "dashboard/_part_certificates.html", certificates.part)
METER_KEYS = Part("meter_keys", "security", "dashboard/_part_meter_keys.html", meterkeys.part)
#: In the order in which they stand on their tab.
PARTS: tuple[Part, ...] = (
    LOCAL_LIST,
    RESERVATIONS,
    CHARGING,
    EVENTS,
    MONITORS,
    REPORTS,
    CUSTOMER,
    DISPLAY_MESSAGES,
    NETWORK,
    SECURITY_EVENTS,
    CERTIFICATES,
    METER_KEYS,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A part with what it shows."""

    template: str
    context: Context


def labels() -> list[tuple[str, Promise]]:
    """The tabs that have parts."""
    return [(name, label) for name, label in TABS.items() if any(part.tab == name for part in PARTS)]


def on(tab: str, request: HttpRequest, head: Head, more: dict[str, Context]) -> list[Shown]:
    """The parts of a tab. `more`: by a part's name what a view adds to it, such as a form that was refused."""
    return [Shown(part.template, part.context(request, head) | more.get(part.name, {})) for part in PARTS if part.tab == tab]
