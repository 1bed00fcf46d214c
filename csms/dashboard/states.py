"""The states a plug can be in, as people see them: a word, a shape and a colour token, for every OCPP version."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stations.domain.values import ConnectorStatus
from stations.selectors import OFFLINE


@dataclass(frozen=True, slots=True)
class State:
    """`slug` names the colour token of app.css and the shape of `templates/_icons.html`."""

    slug: str
    word: str | Promise
    needs_you: bool = False


STATES: dict[str, State] = {
    ConnectorStatus.AVAILABLE: State("available", _("Available")),
    ConnectorStatus.PREPARING: State("preparing", _("Preparing")),
    ConnectorStatus.CHARGING: State("charging", _("Charging")),
    ConnectorStatus.SUSPENDED_EV: State("suspended", _("Paused by the car")),
    ConnectorStatus.SUSPENDED_EVSE: State("suspended", _("Paused by the charger")),
    ConnectorStatus.FINISHING: State("finishing", _("Finishing")),
    ConnectorStatus.RESERVED: State("reserved", _("Reserved")),
    ConnectorStatus.UNAVAILABLE: State("unavailable", _("Unavailable")),
    ConnectorStatus.FAULTED: State("faulted", _("Faulted"), needs_you=True),
    OFFLINE: State("offline", _("Offline"), needs_you=True),
}
