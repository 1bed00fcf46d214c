"""The forms by which a person asks something of a charger, in plain words: one for each thing one may do."""

from datetime import datetime, timedelta
from typing import ClassVar

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from csms.dashboard.station import Head
from csms.dashboard.words import in_words
from csms.ocpp import reading
from stations.domain import commands
from stations.models import Command

Word = str | Promise
ANY = ""


class Ask(forms.Form):
    """One thing to ask. `hint` says what will happen; `names` maps a command's parameter to the field it came from.

    `many`: the same is asked of so many chargers, of which `head` is one. Then that number is typed to confirm."""

    kind: ClassVar[str]
    word: ClassVar[Word]
    hint: ClassVar[Word]
    button: ClassVar[Word] = _("Send")
    names: ClassVar[dict[str, str]] = {}
    use_required_attribute = True

    def __init__(self, head: Head, data: object = None, initial: dict[str, str] | None = None, many: int = 0) -> None:
        super().__init__(data, initial=initial)  # type: ignore[arg-type]  # a QueryDict or None
        self.head, self.many = head, many
        self.fill()
        if many:
            self.fields.setdefault("reason", forms.CharField(label=_("Why"), max_length=200, required=False))
            self.fields["sure"] = forms.CharField(
                label=_("To confirm, enter how many chargers are asked: %(n)s") % {"n": many},
                max_length=6,
                widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
            )

    def clean_sure(self) -> str:
        """What was typed to confirm. Without such a field nobody asks."""
        typed, name = str(self.cleaned_data["sure"]), self.head.station.identity
        if self.many and typed != str(self.many):
            raise forms.ValidationError(_("Enter %(n)s, if you mean all of them."), params={"n": self.many})
        if not self.many and typed != name.strip():
            raise forms.ValidationError(_("This is not the name of this charger. Type %(name)s."), params={"name": name})
        return typed

    def fill(self) -> None:
        """Offer what this charger has."""

    def offer(self, name: str, choices: list[tuple[str, Word]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def evses(self) -> list[tuple[str, Word]]:
        numbers = sorted({plug.connector.evse.number for plug in self.head.plugs})
        return [(str(number), _("Plug %(number)s") % {"number": number}) for number in numbers]

    def why(self) -> str:
        """The reason that was given, if one was asked for."""
        return str(self.cleaned_data.get("reason", ""))

    def command(self) -> commands.Command:
        """The command, from clean fields."""
        raise NotImplementedError

    def said(self, protocol: str) -> commands.Command:
        """The command in the words of this version of OCPP, where versions differ in what they are asked."""
        return self.command()

    @property
    def expires_at(self) -> datetime:
        """When it expires if the charger is not there."""
        return timezone.now() + timedelta(seconds=commands.COMMANDS[self.kind].expires_s)

    def refuse(self, error: commands.BadCommand) -> None:
        """Show why the command makes no sense beside the field it is about."""
        name = self.names.get(str(error).split(" ", 1)[0])
        self.add_error(name, in_words(error))


class Danger(Ask):
    """What may end somebody's charging: it needs a reason, and the charger's name typed out."""

    reason = forms.CharField(label=_("Why"), max_length=200, help_text=_("Kept with the command, for whoever asks later."))
    sure = forms.CharField(max_length=48, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}))

    def fill(self) -> None:
        self.fields["sure"].label = _("Type %(name)s to confirm") % {"name": self.head.station.identity}


class Start(Ask):
    kind = "remote_start"
    word = _("Start charging")
    hint = _("The charger starts as if this id tag had been held to it.")
    button = _("Start charging")
    names = {"id_token": "id_tag", "evse": "plug"}
    id_tag = forms.CharField(
        label=_("Id tag"), max_length=36, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    plug = forms.ChoiceField(label=_("Plug"), required=False)

    def fill(self) -> None:
        self.offer("plug", [(ANY, _("Whichever the charger chooses")), *self.evses()])

    def command(self) -> commands.Command:
        data = self.cleaned_data
        return commands.RemoteStart(data["id_tag"], int(data["plug"]) if data["plug"] else None)


class Stop(Ask):
    kind = "remote_stop"
    word = _("Stop charging")
    hint = _("The session ends as if its driver had stopped it.")
    button = _("Stop charging")
    names = {"transaction": "session"}
    session = forms.ChoiceField(
        label=_("Session"),
        help_text=_("Only sessions that run now can be stopped."),
        error_messages={
            "required": _("Choose a session. If there is none, nobody charges here."),
            "invalid_choice": _("This session does not run any more."),
        },
    )

    def fill(self) -> None:
        running = [(plug, plug.session.transaction) for plug in self.head.plugs if plug.session]
        self.offer(
            "session",
            [(t.ocpp_transaction_id, f"{_('Plug')} {plug.label} · {t.id_tag or t.ocpp_transaction_id}") for plug, t in running],
        )

    def command(self) -> commands.Command:
        return commands.RemoteStop(self.cleaned_data["session"])


class Unlock(Danger):
    kind = "unlock_connector"
    word = _("Unlock a plug")
    hint = _("Frees a stuck cable. What charges there is stopped.")
    button = _("Unlock")
    names = {"evse": "plug", "connector": "plug"}
    field_order = ["plug"]
    plug = forms.ChoiceField(label=_("Plug"))

    def fill(self) -> None:
        super().fill()
        self.offer("plug", [(f"{p.connector.evse.number}.{p.connector.number}", f"{_('Plug')} {p.label}") for p in self.head.plugs])
        if not any(plug.session for plug in self.head.plugs):
            # Nobody is cut off.
            del self.fields["reason"], self.fields["sure"]

    def command(self) -> commands.Command:
        evse, connector = self.cleaned_data["plug"].split(".")
        return commands.UnlockConnector(int(evse), int(connector))


class Restart(Danger):
    kind = "reset"
    word = _("Restart")
    hint = _("The charger restarts and comes back within a few minutes. At once means that whoever charges is stopped.")
    button = _("Restart the charger")
    names = {"when": "when"}
    field_order = ["when"]
    when = forms.ChoiceField(
        label=_("When"),
        choices=[("idle", _("When nobody charges")), ("immediate", _("At once"))],
        widget=forms.RadioSelect,
        initial="idle",
    )

    def command(self) -> commands.Command:
        return commands.Reset(self.cleaned_data["when"])


class TakeOut(Danger):
    kind = "change_availability"
    word = _("Take out of service")
    hint = _("Out of service, nobody can charge there. What runs now runs to its end.")
    button = _("Take out of service")
    names = {"evse": "plug"}
    field_order = ["plug"]
    plug = forms.ChoiceField(label=_("What"))

    def fill(self) -> None:
        super().fill()
        self.offer("plug", [("0", _("The whole charger")), *self.evses()])

    def command(self) -> commands.Command:
        return commands.ChangeAvailability(False, int(self.cleaned_data["plug"]))


class PutBack(Ask):
    kind = "change_availability"
    word = _("Put back into service")
    hint = _("What was out of service may be charged at again.")
    button = _("Put back into service")
    names = {"evse": "plug"}
    plug = forms.ChoiceField(label=_("What"))

    def fill(self) -> None:
        self.offer("plug", [("0", _("The whole charger")), *self.evses()])

    def command(self) -> commands.Command:
        return commands.ChangeAvailability(True, int(self.cleaned_data["plug"]))


class Status(Ask):
    kind = "trigger_message"
    word = _("Ask for status")
    hint = _("The charger tells now what it would have told later.")
    button = _("Ask")
    names = {"message": "message", "evse": "plug"}
    message = forms.ChoiceField(
        label=_("About"),
        choices=[
            ("StatusNotification", _("How its plugs are")),
            ("MeterValues", _("What its meters read")),
            ("Heartbeat", _("Whether it is alive")),
            ("BootNotification", _("What it is and which firmware it has")),
            ("FirmwareStatusNotification", _("How its firmware update goes")),
        ],
    )
    plug = forms.ChoiceField(label=_("Plug"), required=False)

    def fill(self) -> None:
        self.offer("plug", [(ANY, _("All")), *self.evses()])

    def command(self) -> commands.Command:
        data = self.cleaned_data
        with_plug = data["message"] in ("StatusNotification", "MeterValues") and data["plug"]
        evse = int(data["plug"]) if with_plug else None
        return commands.TriggerMessage(data["message"], evse, 1 if evse and data["message"] == "StatusNotification" else None)


class Read(Ask):
    kind = "get_variables"
    word = _("Read settings")
    hint = _("The charger tells all its settings; they stand under Configuration.")
    button = _("Read all settings")

    def command(self) -> commands.Command:
        return self.said(self.head.connection.protocol if self.head.connection else "")

    def said(self, protocol: str) -> commands.Command:
        return reading.read_all(protocol)


class Clear(Ask):
    kind = "clear_cache"
    word = _("Forget remembered id tags")
    hint = _("The charger asks for every id tag anew, instead of trusting those it has seen.")
    button = _("Clear")

    def command(self) -> commands.Command:
        return commands.ClearCache()


class Vendor(Ask):
    kind = "data_transfer"
    word = _("Send a vendor's message")
    hint = _("Something only this make of charger understands; its manual says what.")
    names = {"vendor_id": "vendor_id"}
    vendor_id = forms.CharField(label=_("Vendor id"), max_length=255)
    message_id = forms.CharField(label=_("Message id"), max_length=50, required=False)
    text = forms.CharField(label=_("Data"), required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 4}))

    def command(self) -> commands.Command:
        data = self.cleaned_data
        return commands.SendVendorMessage(data["vendor_id"], data["message_id"] or None, data["text"] or None)


#: What one may do, by its name in the URL, in the order of the menu.
ASKS: dict[str, type[Ask]] = {
    "start": Start,
    "stop": Stop,
    "unlock": Unlock,
    "restart": Restart,
    "out": TakeOut,
    "in": PutBack,
    "status": Status,
    "read": Read,
    "clear": Clear,
    "vendor": Vendor,
}


def offered(head: Head) -> dict[str, type[Ask]]:
    """What this charger's version of OCPP has words for."""
    kinds = reading.sayable(head.connection.protocol if head.connection else "")
    return {name: ask for name, ask in ASKS.items() if ask.kind in kinds}


def again(command: Command) -> dict[str, str]:
    """What fills the form that a dangerous command came from, so that it is confirmed anew; empty: it is not dangerous."""
    params = command.params
    match command.kind:
        case "reset":
            return {"do": "restart", "when": str(params.get("when", ""))}
        case "unlock_connector":
            return {"do": "unlock", "plug": f"{params.get('evse')}.{params.get('connector')}"}
        case "change_availability" if not params.get("operative"):
            return {"do": "out", "plug": str(params.get("evse", 0))}
    return {}
