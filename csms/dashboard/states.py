"""A plug as people see it: its state (a word, a shape and a colour token, for every OCPP version), its number, its fault."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from stations.domain.values import ConnectorStatus
from stations.models import Connector
from stations.selectors import OFFLINE


@dataclass(frozen=True, slots=True)
class State:
    """`slug` names the colour token of app.css and the shape of `templates/_icons.html`; `letter` goes with a small shape."""

    slug: str
    word: str | Promise
    needs_you: bool = False
    letter: str | Promise = ""


STATES: dict[str, State] = {
    ConnectorStatus.AVAILABLE: State("available", _("Available"), letter=pgettext_lazy("letter of a state", "A")),
    ConnectorStatus.PREPARING: State("preparing", _("Preparing"), letter=pgettext_lazy("letter of a state", "P")),
    ConnectorStatus.CHARGING: State("charging", _("Charging"), letter=pgettext_lazy("letter of a state", "C")),
    ConnectorStatus.SUSPENDED_EV: State("suspended", _("Paused by the car"), letter=pgettext_lazy("letter of a state", "S")),
    ConnectorStatus.SUSPENDED_EVSE: State("suspended", _("Paused by the charger"), letter=pgettext_lazy("letter of a state", "S")),
    ConnectorStatus.FINISHING: State("finishing", _("Finishing"), letter=pgettext_lazy("letter of a state", "E")),
    ConnectorStatus.RESERVED: State("reserved", _("Reserved"), letter=pgettext_lazy("letter of a state", "R")),
    ConnectorStatus.UNAVAILABLE: State("unavailable", _("Unavailable"), letter=pgettext_lazy("letter of a state", "U")),
    ConnectorStatus.FAULTED: State("faulted", _("Faulted"), needs_you=True, letter=pgettext_lazy("letter of a state", "F")),
    OFFLINE: State("offline", _("Offline"), needs_you=True, letter=pgettext_lazy("letter of a state", "O")),
}

NO_ERROR = "NoError"


def label(connector: Connector) -> str:
    """The plug's number as it stands on the charger; an EVSE's further connectors follow a dot."""
    number = connector.evse.number
    return str(number) if connector.number == 1 else f"{number}.{connector.number}"


def error(connector: Connector) -> str:
    """What a faulted plug, or its whole charger, says is wrong."""
    own = connector.error_code
    code = own if own and own != NO_ERROR else connector.evse.station.error_code
    return "" if code == NO_ERROR else code
