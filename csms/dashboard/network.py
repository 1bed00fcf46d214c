"""The network profiles of one charger, and its move to another one: what its tab shows, and the form that begins a move."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.permissions import may
from csms.dashboard.station import Head
from csms.ocpp import reading
from stations.domain.commands import BadCommand, SetNetworkProfile
from stations.domain.commands.network import INTERFACES
from stations.models import MoveStatus, NetworkMove, NetworkProfile, Station
from stations.models.network import MOVE_OPEN
from stations.services import networkmoves

CHANGE = "stations.change"
#: Moves that are shown.
SHOWN = 10
STEPS: dict[str, str | Promise] = {
    MoveStatus.PROFILE: pgettext_lazy("move", "Storing the profile"),
    MoveStatus.PRIORITY: pgettext_lazy("move", "Putting it first"),
    MoveStatus.RESTART: pgettext_lazy("move", "Restarting the charger"),
    MoveStatus.WATCHING: pgettext_lazy("move", "Waiting for it to connect"),
}
ENDS: dict[str, str | Promise] = {
    MoveStatus.ARRIVED: pgettext_lazy("move", "Connected here"),
    MoveStatus.GONE: pgettext_lazy("move", "Gone elsewhere"),
    MoveStatus.RETURNED: pgettext_lazy("move", "Came back"),
    MoveStatus.LOST: pgettext_lazy("move", "Not heard again"),
    MoveStatus.FAILED: pgettext_lazy("move", "Failed"),
    MoveStatus.CANCELLED: pgettext_lazy("move", "Given up"),
}
#: What an end means, and what to do.
SENTENCES: dict[str, str | Promise] = {
    MoveStatus.ARRIVED: gettext_lazy("The charger connected here again after its restart, by this slot."),
    MoveStatus.GONE: gettext_lazy(
        "The charger restarted and did not connect here again: it uses the new address. Only there can it be led back."
    ),
    MoveStatus.RETURNED: gettext_lazy(
        "The charger could not use the new address, and fell back. Look whether the address is right."
    ),
    MoveStatus.LOST: gettext_lazy(
        "The charger restarted and did not connect here again. It should fall back on its next slot by itself; "
        "if it does not, somebody has to go there."
    ),
}
NO_SLOT = gettext_lazy("The charger connected here again after its restart. By which slot is not known: it did not tell.")
GOOD = (MoveStatus.ARRIVED, MoveStatus.GONE)


@dataclass(frozen=True, slots=True)
class Step:
    word: str
    slug: str


@dataclass(frozen=True, slots=True)
class MoveRow:
    move: NetworkMove

    @property
    def open(self) -> bool:
        return self.move.status in MOVE_OPEN

    @property
    def word(self) -> str:
        return str(STEPS.get(self.move.status) or ENDS[self.move.status])

    @property
    def slug(self) -> str:
        """Its shape: now, done or bad."""
        return "now" if self.open else "done" if self.move.status in GOOD else "bad"

    @property
    def sentence(self) -> str:
        if self.move.status == MoveStatus.ARRIVED and self.move.came_by is None:
            return str(NO_SLOT)
        return str(SENTENCES.get(self.move.status, "")) or self.move.detail

    @property
    def steps(self) -> list[Step]:
        """How far one is that is under way."""
        names = list(STEPS)
        at = names.index(self.move.status) if self.open else len(names)
        return [Step(str(STEPS[name]), "done" if n < at else "now" if n == at else "open") for n, name in enumerate(names)]

    @property
    def can_go_back(self) -> bool:
        return not self.open and bool(self.move.priority_before) and self.move.status != MoveStatus.GONE


class Move(forms.Form):
    """Where the charger is led. The rules are those of `stations.services.networkmoves`."""

    slot = forms.IntegerField(
        label=gettext_lazy("Slot"), min_value=0, max_value=2**31 - 1, help_text=gettext_lazy("What is in it is replaced.")
    )
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=512,
        widget=forms.TextInput(
            {"autocomplete": "off", "spellcheck": "false", "inputmode": "url", "placeholder": "wss://csms.example.com/ocpp"}
        ),
        help_text=gettext_lazy("Without the charger's own name, which it adds itself."),
    )
    security_profile = forms.TypedChoiceField(
        label=gettext_lazy("Security profile"),
        coerce=int,
        choices=[
            ("1", gettext_lazy("1: password, not encrypted")),
            ("2", gettext_lazy("2: password, encrypted")),
            ("3", gettext_lazy("3: certificate, encrypted")),
        ],
        initial="2",
        help_text=gettext_lazy("It is never lowered over the air."),
    )
    interface = forms.ChoiceField(label=gettext_lazy("Interface"), choices=[(name, name) for name in INTERFACES])
    message_timeout_s = forms.IntegerField(
        label=gettext_lazy("Waits for an answer, in seconds"), min_value=1, max_value=3600, initial=30
    )
    away = forms.BooleanField(label=gettext_lazy("The address is another system's"), required=False)
    apn = forms.CharField(label=gettext_lazy("APN of the mobile network"), max_length=512, required=False)
    apn_authentication = forms.ChoiceField(
        label=gettext_lazy("Its login"), required=False, choices=[(one, one) for one in ("AUTO", "CHAP", "PAP", "NONE")]
    )
    apn_user = forms.CharField(label=gettext_lazy("Its user"), max_length=20, required=False)
    apn_password = forms.CharField(
        label=gettext_lazy("Its password"),
        max_length=20,
        required=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=gettext_lazy("Sent to the charger, and not kept here."),
    )
    sure = forms.CharField(max_length=48, widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}))
    names = {"slot": "slot", "url": "url", "security_profile": "security_profile", "interface": "interface"}

    def __init__(self, station: Station, data: Any = None) -> None:
        super().__init__(data)
        self.station = station
        self.fields["sure"].label = _("Type %(name)s to confirm") % {"name": station.identity}

    def clean_sure(self) -> str:
        typed, name = str(self.cleaned_data["sure"]), self.station.identity
        if typed != name.strip():
            raise forms.ValidationError(_("This is not the name of this charger. Type %(name)s."), params={"name": name})
        return typed

    def profile(self) -> SetNetworkProfile:
        """The profile, from clean fields."""
        data = self.cleaned_data
        apn = {"apn": data["apn"], "authentication": data["apn_authentication"] or "AUTO"}
        apn |= {name: data[f"apn_{name}"] for name in ("user", "password") if data[f"apn_{name}"]}
        given = {name: data[name] for name in ("slot", "url", "security_profile", "interface", "message_timeout_s")}
        return SetNetworkProfile.of(given | ({"apn": apn} if data["apn"] else {}))

    def refuse(self, error: BadCommand, text: str) -> None:
        """Show why it makes no sense beside the field it is about."""
        self.add_error(self.names.get(str(error).split(" ", 1)[0]), text)


def context(request: HttpRequest, head: Head) -> dict[str, Any]:
    """The part of a charger's page."""
    station = head.station
    moves = [MoveRow(move) for move in NetworkMove.objects.filter(station=station).select_related("requested_by")[:SHOWN]]
    protocol = head.connection.protocol if head.connection else ""
    sayable = SetNetworkProfile.kind in reading.sayable(protocol)
    may_change = may(request.user, CHANGE)
    under_way = any(row.open for row in moves)
    return {
        "sayable": sayable,
        "profiles": NetworkProfile.objects.filter(station=station).order_by("slot"),
        "order": networkmoves.order_of(station),
        "active": networkmoves.active_slot(station),
        "moves": moves,
        "under_way": under_way,
        "may_change": may_change,
        "form": Move(station) if may_change and sayable and not under_way else None,
    }
