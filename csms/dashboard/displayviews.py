"""What one may do about the messages on a charger's display, and their list as a file."""

from collections.abc import Iterable, Sequence

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.text import slugify

from accounts.models import User
from csms.dashboard import parts, stationviews
from csms.dashboard.access import action, page
from csms.dashboard.displaymessages import MAY, MessageForm, Row
from csms.dashboard.exports import stream_csv
from csms.dashboard.words import in_words
from stations import showing
from stations.domain.commands import BadCommand
from stations.domain.commands.displaymessage import ClearDisplayMessage, GetDisplayMessages
from stations.models import DisplayMessage
from stations.services import commands

PART = next(part for part in parts.PARTS if part.name == "display_messages")
COLUMNS = (
    *("number", "status", "content", "format", "language", "priority", "state", "start", "end", "session"),
    *("display", "plug", "set", "removed", "display_instance", "connector"),
)


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


@action(MAY)
def add_message(request: HttpRequest, identity: str) -> HttpResponse:
    """Show a text."""
    station = stationviews.station_of(identity)
    form = MessageForm(request.POST)
    if form.is_valid():
        try:
            commands.issue(station=station, command=form.asked(station), user=_user(request))
            return stationviews.back_to_part(station, PART, "#display-title")
        except BadCommand as error:
            form.refuse(error)
    return stationviews.render_part(request, station, PART, form=form)


@action(MAY)
def clear_message(request: HttpRequest, identity: str, number: int) -> HttpResponse:
    """Show one no longer."""
    return _ask(request, identity, ClearDisplayMessage(number))


@action(MAY)
def read_messages(request: HttpRequest, identity: str) -> HttpResponse:
    """Ask the charger what it shows."""
    return _ask(request, identity, GetDisplayMessages())


def _ask(request: HttpRequest, identity: str, command: ClearDisplayMessage | GetDisplayMessages) -> HttpResponse:
    station = stationviews.station_of(identity)
    try:
        command.check()
        commands.issue(station=station, command=command, user=_user(request))
    except BadCommand as error:
        return stationviews.render_part(request, station, PART, refused=in_words(error))
    return stationviews.back_to_part(station, PART, "#display-title")


@page
def export_messages(request: HttpRequest, identity: str) -> HttpResponseBase:
    """Its messages as a file, those that are over too."""
    station = stationviews.station_of(identity)
    found = showing.messages().filter(station=station).order_by("-id")

    def chunk(last: DisplayMessage | None, size: int) -> Sequence[DisplayMessage]:
        return list((found if last is None else found.filter(pk__lt=last.pk))[:size])

    def told(m: DisplayMessage) -> Iterable[object]:
        return (m.set_at, m.removed_at, m.component_instance, m.connector_number or None)

    def cells(m: DisplayMessage) -> Iterable[object]:
        said = (m.number, Row(m).slug, m.content, m.format, m.language, m.priority, m.state, m.start_at, m.end_at)
        return (*said, m.ocpp_transaction_id, m.component, m.evse_number or None, *told(m))

    return stream_csv(request, f"display-messages-{slugify(identity) or 'charger'}", COLUMNS, chunk, cells)
