"""What messages are about: their kind, with a shape of its own, and the event or command they are, in words."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from csms.dashboard.commandrows import WORDS as COMMAND_WORDS
from stations.domain.commands import COMMANDS

Word = str | Promise


@dataclass(frozen=True, slots=True)
class Kind:
    """`state` names a colour token of app.css, `icon` a shape of `templates/_icons.html`."""

    state: str
    icon: str
    word: Word


SESSION = Kind("charging", "charging", _("session"))
METER = Kind("preparing", "now", _("meter"))
STATUS = Kind("available", "available", _("status"))
CARD = Kind("reserved", "door", _("id tag"))
LIFE = Kind("unavailable", "waiting", _("sign of life"))
FIRMWARE = Kind("finishing", "in", _("firmware"))
SETTINGS = Kind("finishing", "finishing", _("settings"))
ORDER = Kind("suspended", "out", _("command"))
OTHER = Kind("unavailable", "note", _("other"))

KINDS: dict[str, Kind] = {
    "StartTransaction": SESSION,
    "StopTransaction": SESSION,
    "TransactionEvent": SESSION,
    "RemoteStartTransaction": SESSION,
    "RemoteStopTransaction": SESSION,
    "RequestStartTransaction": SESSION,
    "RequestStopTransaction": SESSION,
    "GetTransactionStatus": SESSION,
    "MeterValues": METER,
    "StatusNotification": STATUS,
    "NotifyEvent": STATUS,
    "SetMonitoringBase": SETTINGS,
    "SetMonitoringLevel": SETTINGS,
    "SetVariableMonitoring": SETTINGS,
    "ClearVariableMonitoring": SETTINGS,
    "GetMonitoringReport": SETTINGS,
    "NotifyMonitoringReport": SETTINGS,
    "GetReport": SETTINGS,
    "CustomerInformation": CARD,
    "NotifyCustomerInformation": CARD,
    "Authorize": CARD,
    "BootNotification": LIFE,
    "Heartbeat": LIFE,
    "UpdateFirmware": FIRMWARE,
    "SignedUpdateFirmware": FIRMWARE,
    "FirmwareStatusNotification": FIRMWARE,
    "SignedFirmwareStatusNotification": FIRMWARE,
    "GetConfiguration": SETTINGS,
    "ChangeConfiguration": SETTINGS,
    "GetVariables": SETTINGS,
    "SetVariables": SETTINGS,
    "GetBaseReport": SETTINGS,
    "NotifyReport": SETTINGS,
}


def kind_of(action: str, direction: str) -> Kind:
    return KINDS.get(action) or (ORDER if direction == "out" else OTHER)


#: What a message of a charger means, by the event it became.
EVENTS: dict[str, Word] = {
    "StationBooted": _("The charger started and introduced itself."),
    "HeartbeatReceived": _("The charger said that it is alive, and asked what time it is."),
    "TokenPresented": _("Somebody held a card to the charger: may it charge?"),
    "ConnectorStatusReported": _("A plug, or the charger as a whole, told its state."),
    "TransactionStarted": _("A session began."),
    "MetersSampled": _("A meter was read."),
    "TransactionEnded": _("A session ended."),
    "TransactionProgressed": _("A session began, went on or ended."),
    "VariablesReported": _("The charger told its settings."),
    "ComponentEventsReported": _("Parts of the charger noticed something."),
    "MonitorsReported": _("The charger told what it watches."),
    "CustomerInformationTold": _("The charger told what it keeps of a customer."),
    "FirmwareStatusReported": _("The charger told how far its firmware update is."),
    "DisplayMessagesReported": _("The charger told what it shows on its display."),
    "VehicleUnplugged": _("The charger told that the cable is out."),
    "LogStatusReported": _("The charger told how far the upload of its log is."),
    "VendorMessageReceived": _("A message outside the standard, of the charger's maker."),
}
PARTS: dict[str, Word] = {
    "Started": EVENTS["TransactionStarted"],
    "Updated": _("A session went on."),
    "Ended": EVENTS["TransactionEnded"],
}
ORDERS: dict[str, Word] = {command.__name__: COMMAND_WORDS.get(kind, kind) for kind, command in COMMANDS.items()}


def word_of(event: str, direction: str, part: str = "") -> Word:
    """The event, or the command, in words. Empty: the message became none."""
    if direction == "out":
        return ORDERS.get(event, event)
    return PARTS.get(part) or EVENTS.get(event, event)
