"""The buttons of a charger's local list."""

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.models import User
from csms.dashboard import locallists, parts, stationviews
from csms.dashboard.access import action
from csms.dashboard.words import in_words
from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.services import commands as life

PART = next(part for part in parts.PARTS if part.name == "local_list")
#: What each button asks.
ASKED: dict[str, commands.Command] = {
    "send": commands.SendLocalList(),
    "full": commands.SendLocalList("full"),
    "clear": commands.SendLocalList("full", []),
    "ask": commands.GetLocalListVersion(),
}


@action(locallists.MAY_SEND)
def send_list(request: HttpRequest, identity: str) -> HttpResponse:
    """Send what differs, or all of it, or nothing at all; or ask for the version."""
    station = stationviews.station_of(identity)
    asked = ASKED.get(request.POST.get("do", ""))
    if asked is None:
        notices.error(request, _("This charger cannot be asked for that."))
        return stationviews.back_to_part(station, PART, "#local-list")
    try:
        life.issue(station=station, command=asked, user=request.user if isinstance(request.user, User) else None)
    except BadCommand as error:
        return stationviews.render_part(request, station, PART, problem=in_words(error))
    return stationviews.back_to_part(station, PART, "#local-list")


@action(locallists.MAY_CHANGE)
def change_list_rule(request: HttpRequest, identity: str) -> HttpResponse:
    """Set the rule of one charger."""
    station = stationviews.station_of(identity)
    form = locallists.station_form(station, request.POST)
    if not locallists.keep(request, form, station=station):
        return stationviews.render_part(request, station, PART, form=form)
    return stationviews.back_to_part(station, PART, "#local-list")
