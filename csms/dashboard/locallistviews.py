"""The buttons of a charger's local list, and what is on it as a file."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from csms.dashboard import locallists, parts, stationviews
from csms.dashboard.access import action, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.words import in_words
from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import LocalList
from stations.services import commands as life

PART = next(part for part in parts.PARTS if part.name == "local_list")
#: What each button asks.
ASKED: dict[str, commands.Command] = {
    "send": commands.SendLocalList(),
    "full": commands.SendLocalList("full"),
    "clear": commands.SendLocalList("full", []),
    "ask": commands.GetLocalListVersion(),
}
COLUMNS = ("id_tag", "type", "status", "group", "valid_until")


@page
def export_list(request: HttpRequest, identity: str) -> HttpResponseBase:
    """The id tags on a charger's list."""
    station = stationviews.station_of(identity)
    one = LocalList.objects.filter(station=station).select_related("rule").first()

    def chunk(last: Any, size: int) -> Sequence[Any]:
        found = None if one is None else locallists.entries(one)
        return [] if found is None else list((found if last is None else found.filter(pk__gt=last.pk))[:size])

    def cells(entry: Any) -> Iterable[object]:
        return entry.value, entry.type, entry.status, str(entry.group or ""), entry.expires_at

    return stream_csv(request, f"local-list-{slugify(station.identity) or 'charger'}", COLUMNS, chunk, cells)


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
