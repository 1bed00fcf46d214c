"""Commands in words: what was asked, how far it came (four dots), and what that means."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from csms.ocpp.masking import params_shown
from stations.domain.addresses import without_secrets
from stations.domain.commands import COMMANDS, SECRET
from stations.models import Command, CommandStatus, Station
from stations.services.commandends import UNSEEN

#: How many stand on a charger's page.
SHOWN = 20
Word = str | Promise

WORDS: dict[str, Word] = {
    "remote_start": gettext_lazy("Start charging"),
    "remote_stop": gettext_lazy("Stop charging"),
    "reset": gettext_lazy("Restart"),
    "unlock_connector": gettext_lazy("Unlock the plug"),
    "change_availability": gettext_lazy("Change availability"),
    "get_variables": gettext_lazy("Read settings"),
    "get_base_report": gettext_lazy("Read all settings"),
    "set_variables": gettext_lazy("Change settings"),
    "clear_cache": gettext_lazy("Forget remembered id tags"),
    "trigger_message": gettext_lazy("Ask for status"),
    "data_transfer": gettext_lazy("Send a vendor's message"),
    "get_log": gettext_lazy("Get the log"),
    "set_display_message": gettext_lazy("Show a message"),
    "get_display_messages": gettext_lazy("Ask what it shows"),
    "clear_display_message": gettext_lazy("Show a message no longer"),
    "cost_updated": gettext_lazy("Tell what a session costs so far"),
    "final_cost": gettext_lazy("Tell what a session cost"),
    "set_user_price": gettext_lazy("Tell a driver the price"),
    "update_firmware": gettext_lazy("Update the firmware"),
    "get_report": gettext_lazy("Read some settings"),
    "get_monitoring_report": gettext_lazy("Read the monitors"),
    "set_monitoring_base": gettext_lazy("Set the monitoring base"),
    "set_monitoring_level": gettext_lazy("Set the monitoring level"),
    "set_variable_monitoring": gettext_lazy("Set monitors"),
    "clear_variable_monitoring": gettext_lazy("Clear monitors"),
    "customer_information": gettext_lazy("Ask what it keeps of a customer"),
    "set_charging_profile": gettext_lazy("Limit the power"),
    "clear_charging_profile": gettext_lazy("Clear limits of the power"),
    "get_charging_profiles": gettext_lazy("Read the limits of the power"),
    "get_composite_schedule": gettext_lazy("Ask what may be drawn"),
    "get_transaction_status": gettext_lazy("Ask what is missing of a session"),
    "send_local_list": gettext_lazy("Send the list of id tags"),
    "get_local_list_version": gettext_lazy("Ask for the version of the list of id tags"),
    "reserve_now": gettext_lazy("Reserve a plug"),
    "cancel_reservation": gettext_lazy("Give up a reservation"),
    "set_network_profile": gettext_lazy("Store a network profile"),
    "install_certificate": gettext_lazy("Install a certificate"),
    "delete_certificate": gettext_lazy("Delete a certificate"),
    "get_installed_certificates": gettext_lazy("Read which certificates are installed"),
    "certificate_signed": gettext_lazy("Deliver a signed certificate"),
    "publish_firmware": gettext_lazy("Hand firmware on"),
    "unpublish_firmware": gettext_lazy("Hand firmware on no more"),
}
STEPS: tuple[Word, ...] = (
    pgettext_lazy("command", "Queued"),
    pgettext_lazy("command", "Sent"),
    pgettext_lazy("command", "Answered"),
    pgettext_lazy("command", "Confirmed"),
)
#: How many dots are done, and what the next one is: (done, state, its word if not the step's own).
LIFE: dict[str, tuple[int, str, Word | None]] = {
    CommandStatus.QUEUED: (0, "now", None),
    CommandStatus.SENT: (1, "now", None),
    CommandStatus.ACCEPTED: (3, "now", gettext_lazy("Waiting for the effect")),
    CommandStatus.CONFIRMED: (4, "done", None),
    CommandStatus.REJECTED: (2, "bad", gettext_lazy("Refused")),
    CommandStatus.FAILED: (2, "bad", gettext_lazy("Failed")),
    CommandStatus.TIMED_OUT: (2, "bad", gettext_lazy("No answer")),
    CommandStatus.NO_EFFECT: (3, "bad", gettext_lazy("No effect seen")),
    CommandStatus.EXPIRED: (0, "bad", gettext_lazy("Expired")),
    CommandStatus.CANCELLED: (0, "bad", gettext_lazy("Cancelled")),
}
#: What to do after a refusal, by the kind of command.
NEXT: dict[str, Word] = {
    "remote_start": gettext_lazy("Look whether the plug is free and in service, then try again."),
    "remote_stop": gettext_lazy("Unlock the plug instead, or ask the driver to stop at the charger."),
    "unlock_connector": gettext_lazy("The lock may be stuck: somebody has to go there."),
    "reserve_now": gettext_lazy("Look whether the plug is free and in service, or choose another one."),
    "reset": gettext_lazy("Stop what charges first, or restart it when idle."),
}


#: Ends at which nothing was done, or nothing was seen to be done.
FAILED = (
    CommandStatus.REJECTED,
    CommandStatus.FAILED,
    CommandStatus.TIMED_OUT,
    CommandStatus.NO_EFFECT,
    CommandStatus.EXPIRED,
    CommandStatus.CANCELLED,
)


@dataclass(frozen=True, slots=True)
class Dot:
    """`state`: done, now, open (to come), bad, or none (will not come)."""

    word: Word
    state: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class CommandRow:
    command: Command
    online: bool

    @property
    def word(self) -> str:
        params = self.command.params
        if self.command.kind == "change_availability":
            return _("Put back into service") if params.get("operative") else _("Take out of service")
        if self.command.kind == "reset":
            return _("Restart now") if params.get("when") == "immediate" else _("Restart when idle")
        return str(WORDS.get(self.command.kind, self.command.kind))

    @property
    def about(self) -> str:
        """What it is about: a plug, a tag, a setting."""
        params = params_shown(self.command.kind, self.command.params)
        parts = []
        if params.get("id_token"):
            parts.append(_("id tag %(tag)s") % {"tag": params["id_token"]})
        if params.get("transaction"):
            parts.append(_("transaction %(id)s") % {"id": params["transaction"]})
        if params.get("evse"):
            parts.append(_("plug %(number)s") % {"number": params["evse"]})
        if params.get("content"):
            parts.append(_("“%(text)s”") % {"text": str(params["content"])[:60]})
        if params.get("number") is not None:
            parts.append(_("message %(number)s") % {"number": params["number"]})
        if params.get("cost"):
            parts.append(str(params["cost"]))
        if params.get("firmware"):
            parts.append(_("image %(id)s of the library") % {"id": params["firmware"]})
        parts += [without_secrets(str(params[name])) for name in ("message", "vendor_id", "location") if params.get(name)]
        if "reservation" in params and params["reservation"] is not None:
            parts.append(_("reservation %(number)s") % {"number": params["reservation"]})
        if "slot" in params:
            parts.append(_("slot %(number)s: %(url)s") % {"number": params["slot"], "url": params.get("url", "")})
        named = params.get("variables") or []
        parts += [str(one.get("variable", "")) for one in named[:3]] + (["…"] if len(named) > 3 else [])
        return ", ".join(parts)

    @property
    def dots(self) -> list[Dot]:
        command = self.command
        done, state, word = LIFE.get(command.status, (0, "now", None))
        if command.status == CommandStatus.FAILED and command.sent_at is None:
            done = 1  # it could not even be said
        elif command.status == CommandStatus.CANCELLED and command.answered_at is not None:
            done = 3  # what it had begun was given up
        times = (command.created_at, command.sent_at, command.answered_at, command.finished_at)
        rest = "none" if state == "bad" else "open"
        dots = []
        for number, step in enumerate(STEPS):
            if number < done:
                dots.append(Dot(step, "done", times[number]))
            elif number == done:
                dots.append(Dot(word or step, state, command.finished_at if state == "bad" else times[number]))
            else:
                dots.append(Dot(step, rest, None))
        return dots

    @property
    def waits(self) -> bool:
        """Queued for a charger that is not there."""
        return self.command.status == CommandStatus.QUEUED and not self.online

    @property
    def cancellable(self) -> bool:
        return self.command.status == CommandStatus.QUEUED

    @property
    def retryable(self) -> bool:
        """Whether it came to nothing and may be asked again: not what held a secret, which is not kept, and no raw CALL."""
        command = self.command
        secret = any(SECRET.search(str(one.get("variable", ""))) for one in command.params.get("variables") or [])
        # Who may fetch from an address stands in it, and is not kept. A log is asked for anew, with an address of its own.
        secret |= "***" in map(str, (command.params.get("apn") or {}).values()) or bool(command.params.get("vpn"))
        secret |= "***@" in str(command.params.get("location", "")) or command.kind == "get_log"
        # Whom it was about is not kept with it.
        secret |= command.kind == "customer_information"
        return command.status in FAILED and not secret and not command.facts.get("raw")

    @property
    def verb(self) -> str:
        """What whoever has it asked again must be allowed to do."""
        return COMMANDS[self.command.kind].verb if self.command.kind in COMMANDS else ""

    @property
    def sentence(self) -> str:
        command, said = self.command, self.command.detail
        match command.status:
            case CommandStatus.QUEUED:
                return _("It is sent as soon as what was asked before is answered.")
            case CommandStatus.SENT:
                return _("Sent. The charger has not answered yet.")
            case CommandStatus.ACCEPTED:
                return _("The charger agreed. Its doing so has not been seen yet.")
            case CommandStatus.CONFIRMED:
                return said or _("Done.")
            case CommandStatus.REJECTED:
                refused = _("The charger refused: %(why)s.") % {"why": said} if said else _("The charger refused.")
                return " ".join([refused, str(NEXT.get(command.kind, ""))]).strip()
            case CommandStatus.FAILED:
                return _("It failed: %(why)s") % {"why": said or command.error_code}
            case CommandStatus.TIMED_OUT:
                return _("No answer came in time. Look whether the charger did it all the same.")
            case CommandStatus.NO_EFFECT:
                if said in ("", UNSEEN):
                    return _("The charger agreed, but was not seen to do it.")
                return _("The charger agreed, but it came to nothing: %(why)s") % {"why": said}
            case CommandStatus.EXPIRED:
                return _("The charger did not come back in time, so it was not sent.")
            case _ if command.answered_at:
                return _("It was given up after the charger had agreed.")
            case _:
                return _("It was taken back before it was sent.")

    @property
    def asked_then(self) -> str:
        """What was asked next because nothing was seen of it; empty: nothing."""
        return str(WORDS.get(kind, kind)) if (kind := self.command.facts.get("asked_then", "")) else ""

    @property
    def raw(self) -> str:
        """The charger's answer as it came, secrets masked; empty: none yet."""
        return "" if self.command.response is None else pretty(self.command.response)


def pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def newest(station: Station, online: bool, limit: int = SHOWN, *, wanted: str = "") -> list[CommandRow]:
    """The newest commands of a station, newest first, and below them the one that is `wanted` by its key, if it is older."""
    found = Command.objects.filter(station=station).select_related("requested_by", "station").order_by("-id")
    rows = list(found[:limit])
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 and int(wanted) not in {row.pk for row in rows}:
        rows += found.filter(pk=int(wanted))
    return [CommandRow(command, online) for command in rows]
