"""Another password for a charger over its own connection, on its page: how far it is, and what to do if it goes wrong."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User
from csms.dashboard.access import action
from csms.dashboard.commandrows import Dot
from csms.dashboard.words import in_words
from csms.ocpp import registry as translators
from csms.ocpp.translator import Unsayable
from stations.domain.commands import BadCommand, SetVariables
from stations.models import ChangeStatus, CommandStatus, PasswordChange, Station
from stations.models.passwordchange import IN_FLIGHT
from stations.services import passwords

MAY_CHANGE = "stations.change"
Word = str | Promise

STEPS: tuple[Word, ...] = (
    pgettext_lazy("password", "Asked"),
    pgettext_lazy("command", "Sent"),
    pgettext_lazy("command", "Answered"),
    gettext_lazy("Came with it"),
)
#: How many steps are done, what the next one is, and its word if not the step's own.
LIFE: dict[str, tuple[int, str, Word | None]] = {
    ChangeStatus.WAITING: (1, "now", None),
    ChangeStatus.UNKNOWN: (2, "now", gettext_lazy("No answer")),
    ChangeStatus.AT_RESTART: (3, "now", gettext_lazy("Waiting for its restart")),
    ChangeStatus.ACCEPTED: (3, "now", None),
    ChangeStatus.DONE: (4, "done", None),
    ChangeStatus.REFUSED: (2, "bad", gettext_lazy("Refused")),
    ChangeStatus.NOT_TAKEN: (2, "bad", gettext_lazy("Not taken")),
    ChangeStatus.UNSENT: (1, "bad", gettext_lazy("Not sent")),
    ChangeStatus.REPLACED: (1, "bad", gettext_lazy("Replaced")),
}
#: What it means, and what one can do.
SENTENCES: dict[str, Word] = {
    ChangeStatus.WAITING: gettext_lazy("Until the charger has answered, the old and the new password both let it in."),
    ChangeStatus.UNKNOWN: gettext_lazy(
        "Nobody knows whether it took the new password, so both let it in. The one that it comes with next stays, the other goes."
    ),
    ChangeStatus.AT_RESTART: gettext_lazy(
        "It took the new password and uses it from its next restart on; until then both let it in. Restart it when nobody charges."
    ),
    ChangeStatus.ACCEPTED: gettext_lazy("It took the new password; the old one lets nobody in any more."),
    ChangeStatus.DONE: gettext_lazy("It came back with the new password."),
    ChangeStatus.REFUSED: gettext_lazy("It refused; its old password stays. Some chargers take one only at the charger itself."),
    ChangeStatus.NOT_TAKEN: gettext_lazy("It came back with the old password, which stays. Try again."),
    ChangeStatus.UNSENT: gettext_lazy("It was never sent; the old password stays."),
    ChangeStatus.REPLACED: gettext_lazy("Another password was given to it meanwhile."),
}


@dataclass(frozen=True, slots=True)
class Row:
    change: PasswordChange

    @property
    def dots(self) -> list[Dot]:
        change = self.change
        command = change.command
        done, state, word = LIFE[change.status]
        if change.status == ChangeStatus.WAITING and command and command.status != CommandStatus.QUEUED:
            done = 2
        sent_at = command.sent_at if command else None
        times = (change.created_at, sent_at, change.answered_at, change.finished_at)
        rest = "none" if state == "bad" else "open"
        return [
            Dot(step, "done", times[number])
            if number < done
            else Dot(word or step, state, change.finished_at if state == "bad" else None)
            if number == done
            else Dot(step, rest, None)
            for number, step in enumerate(STEPS)
        ]

    @property
    def sentence(self) -> Word:
        return SENTENCES[self.change.status]

    @property
    def open(self) -> bool:
        """No other can be given meanwhile."""
        return self.change.finished_at is None and self.change.status in IN_FLIGHT

    @property
    def may_not_return(self) -> bool:
        """It may be locked out, so what then is said."""
        return self.change.status in (ChangeStatus.ACCEPTED, ChangeStatus.UNKNOWN, ChangeStatus.AT_RESTART)

    @property
    def cancellable(self) -> bool:
        command = self.change.command
        waits = self.change.status == ChangeStatus.WAITING
        return waits and command is not None and command.status == CommandStatus.QUEUED

    @property
    def at_restart(self) -> bool:
        return self.change.status == ChangeStatus.AT_RESTART


def newest(station: Station) -> Row | None:
    """The last change of a station's password over the air. None: there was none."""
    found = PasswordChange.objects.filter(station=station).select_related("command").order_by("-id").first()
    return Row(found) if found else None


@action(MAY_CHANGE)
def change_password(request: HttpRequest, identity: str) -> HttpResponse:
    """Give a charger another password over its own connection: one that is made, or the one that was typed."""
    station: Station = get_object_or_404(Station.objects.select_related("connection"), identity=identity)
    typed = request.POST.get("password", "") if request.POST.get("do") == "typed" else None
    try:
        if typed is not None:
            _check_sayable(station, typed)
        user = request.user if isinstance(request.user, User) else None
        passwords.start(station=station, password=typed, user=user)
    except BadCommand as error:
        messages.error(request, _("The password was not changed: %(why)s") % {"why": in_words(error)})
    except (Unsayable, ValidationError) as error:
        why = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        messages.error(request, _("The password was not changed: %(why)s") % {"why": why})
    return redirect(f"{reverse('station', args=[station.identity])}?tab=configuration#password")


def _check_sayable(station: Station, password: str) -> None:
    """Whether the version that it speaks has words for this password. Raises Unsayable."""
    translator = translators.outgoing(station.connection.protocol, SetVariables.kind) if station.connection.protocol else None
    if translator is not None:
        translator.encode(SetVariables([passwords.variable(password)]), 1, {})
