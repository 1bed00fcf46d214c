"""The parts of a charger's page that the chapters of OCPP bring: each a card with a context of its own, on one of the tabs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from csms.dashboard import charging
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
#: In the order in which they stand on their tab.
PARTS: tuple[Part, ...] = (Part("charging", "power", "dashboard/_part_charging.html", charging.context),)


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
