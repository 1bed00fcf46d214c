"""What a charger shows, on its page: its messages, one to add, and what it is told of the price."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.permissions import may
from csms.dashboard.station import Head
from csms.dashboard.words import in_words
from csms.ocpp import reading
from stations import showing
from stations.domain.commands import BadCommand
from stations.domain.commands.displaymessage import LONGEST, ClearDisplayMessage, GetDisplayMessages, SetDisplayMessage
from stations.domain.values import MessageFormat, MessagePriority, MessageState
from stations.models import Command, DisplayMessage, Station
from stations.models.command import OPEN
from stations.showing import MessageStatus

Word = str | Promise

KINDS = (SetDisplayMessage.kind, GetDisplayMessages.kind, ClearDisplayMessage.kind)
MAY = "commands.send"
#: Messages on the page: those it keeps, and the newest of those that are over.
SHOWN, OVER = 100, 10
PRIORITIES: dict[str, Word] = {
    MessagePriority.NORMAL_CYCLE: gettext_lazy("In turn with the others"),
    MessagePriority.IN_FRONT: gettext_lazy("Before the others"),
    MessagePriority.ALWAYS_FRONT: gettext_lazy("Always, and no other"),
}
STATES: dict[str, Word] = {
    MessageState.IDLE: gettext_lazy("While it is free"),
    MessageState.CHARGING: gettext_lazy("While it charges"),
    MessageState.FAULTED: gettext_lazy("While it is broken"),
    MessageState.UNAVAILABLE: gettext_lazy("While it is out of service"),
}
STATUS: dict[str, Word] = {
    MessageStatus.SHOWN: pgettext_lazy("message", "Shown"),
    MessageStatus.WAITING: pgettext_lazy("message", "Waits for its time"),
    MessageStatus.OVER: pgettext_lazy("message", "Over"),
    MessageStatus.REMOVED: pgettext_lazy("message", "Cleared"),
}
FORMATS: dict[str, Word] = {
    MessageFormat.UTF8: gettext_lazy("Text"),
    MessageFormat.ASCII: gettext_lazy("Text without accents"),
    MessageFormat.HTML: gettext_lazy("HTML"),
    MessageFormat.URI: gettext_lazy("Address of a page"),
}


def _moment() -> forms.DateTimeInput:
    return forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M")


class MessageForm(forms.Form):
    """A message for the display. Only its text is required."""

    content = forms.CharField(label=gettext_lazy("Text"), max_length=LONGEST, widget=forms.Textarea({"rows": 3}))
    priority = forms.ChoiceField(label=gettext_lazy("How often"), choices=list(PRIORITIES.items()))
    state = forms.ChoiceField(label=gettext_lazy("When"), required=False, choices=[("", gettext_lazy("Always")), *STATES.items()])
    start = forms.DateTimeField(label=gettext_lazy("From"), required=False, widget=_moment())
    end = forms.DateTimeField(label=gettext_lazy("Until"), required=False, widget=_moment())
    language = forms.CharField(
        label=gettext_lazy("Language"), required=False, max_length=8, help_text=gettext_lazy("Such as en or de.")
    )
    format = forms.ChoiceField(label=gettext_lazy("Kind of text"), choices=list(FORMATS.items()))
    number = forms.IntegerField(
        label=gettext_lazy("Number"),
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text=gettext_lazy("That of a message it already has: this one takes its place. Empty: a new message."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end <= start:
            self.add_error("end", _("This is before the beginning: exchange the two."))
        return cleaned

    def asked(self, station: Station) -> SetDisplayMessage:
        """The command, from clean fields. Raises BadCommand. What the form does not show of a message that it changes stays."""
        data = self.cleaned_data
        changed = showing.messages().filter(station=station, number=data["number"], status__in=showing.KEPT).first()
        where = changed if changed and changed.component else None
        command = SetDisplayMessage(
            content=data["content"],
            priority=data["priority"],
            number=data["number"],
            format=data["format"],
            language=data["language"] or None,
            state=data["state"] or None,
            start=_iso(data["start"]),
            end=_iso(data["end"]),
            transaction=(changed.ocpp_transaction_id or None) if changed else None,
            component=where.component if where else None,
            component_instance=(where.component_instance or None) if where else None,
            evse=(where.evse_number or None) if where else None,
            connector=(where.connector_number or None) if where and where.evse_number else None,
        )
        command.check()
        return command

    def refuse(self, error: BadCommand) -> None:
        name = error.text.split(" ", 1)[0]
        self.add_error(name if name in self.fields else None, in_words(error))


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


@dataclass(frozen=True, slots=True)
class Row:
    message: DisplayMessage

    @property
    def slug(self) -> str:
        return str(getattr(self.message, "status", ""))

    @property
    def status(self) -> Word:
        return STATUS[self.slug]

    @property
    def kept(self) -> bool:
        return self.slug in showing.KEPT

    @property
    def when(self) -> str:
        """How often and in which state it is shown."""
        said = [str(PRIORITIES.get(self.message.priority, self.message.priority))]
        if self.message.state:
            said.append(str(STATES.get(self.message.state, self.message.state)))
        return " · ".join(said)


def context(request: HttpRequest, head: Head) -> dict[str, Any]:
    station = head.station
    protocol = head.connection.protocol if head.connection else ""
    found = showing.messages().filter(station=station)
    kept = [Row(one) for one in found.filter(status__in=showing.KEPT).order_by("number")[:SHOWN]]
    over = [Row(one) for one in found.exclude(status__in=showing.KEPT).order_by("-set_at")[:OVER]]
    under_way = Command.objects.filter(station=station, kind__in=KINDS, status__in=OPEN)
    return {
        # One that has gone back to a version without them keeps those it had.
        "can": not protocol or bool(kept) or SetDisplayMessage.kind in reading.sayable(protocol),
        "may": may(request.user, MAY),
        "rows": kept,
        "over": over,
        "under_way": under_way.exists(),
        "form": MessageForm(initial=_initial(request, kept)),
        "price": _price(station),
    }


def _initial(request: HttpRequest, kept: list[Row]) -> dict[str, Any]:
    """What the form begins with: the message that is to be replaced, if there is one in the address."""
    asked = request.GET.get("replace", "")
    one = next((row.message for row in kept if str(row.message.number) == asked), None)
    if one is None:
        return {}
    names = ("content", "priority", "state", "language", "format", "number")
    return {name: getattr(one, name) for name in names} | {"start": one.start_at, "end": one.end_at}


def _price(station: Station) -> str:
    """What it is told of the price."""
    shown = showing.of_station(station.pk)
    if shown is None or not shown.priced:
        return _("This charger has not said that it shows prices or costs. Read all its settings if it should.")
    if shown.messages:
        return _("This charger is told the price when a driver identifies, and what a session costs while it runs and at its end.")
    if shown.price and shown.cost:
        return _("This charger is told the price with each authorisation, and what a session costs while it runs and at its end.")
    if shown.cost:
        return _("This charger is told what a session costs while it runs and at its end.")
    return _("This charger is told the price with each authorisation.")
