"""What one may do about a charger's network profiles: lead it to one, lead it back, do no further step; its moves as a file."""

from collections.abc import Iterable, Sequence

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from csms.dashboard import network, parts, stationviews
from csms.dashboard.access import action, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.words import in_words
from stations.domain.commands import BadCommand
from stations.models import NetworkMove, Station
from stations.services import networkmoves

COLUMNS = (
    *("id", "slot", "back", "to_another_system", "order", "order_before", "status", "detail", "by", "asked_at", "restarted_at"),
    *("ended_at", "came_by"),
)


@action(network.CHANGE)
def move(request: HttpRequest, identity: str) -> HttpResponse:
    """Lead a charger to another network profile."""
    station = stationviews.station_of(identity)
    form = network.Move(station, request.POST)
    if form.is_valid():
        try:
            networkmoves.start(station=station, profile=form.profile(), away=form.cleaned_data["away"], user=_user(request))
        except BadCommand as error:
            form.refuse(error, in_words(error))
        else:
            return stationviews.back_to_part(station, parts.NETWORK, "#network-moves")
    return stationviews.render_part(request, station, parts.NETWORK, form=form)


@action(network.CHANGE)
def lead(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Lead a charger back to the order before a move, or do no further step of one."""
    station: Station = stationviews.station_of(identity)
    found: NetworkMove = get_object_or_404(NetworkMove.objects.select_related("station"), station=station, pk=pk)
    try:
        if request.POST.get("do") == "back":
            networkmoves.go_back(move=found, user=_user(request))
        elif not networkmoves.give_up(move=found):
            notices.warning(request, _("It was too late to give it up: the move had ended already."))
    except BadCommand as error:
        notices.error(request, in_words(error))
    return stationviews.back_to_part(station, parts.NETWORK, "#network-moves")


@page
def export_moves(request: HttpRequest, identity: str) -> HttpResponseBase:
    """Where a charger was led, and where it ended."""
    station = stationviews.station_of(identity)
    found = NetworkMove.objects.filter(station=station).select_related("requested_by").order_by("-id")

    def chunk(last: NetworkMove | None, size: int) -> Sequence[NetworkMove]:
        return list((found if last is None else found.filter(pk__lt=last.pk))[:size])

    def cells(one: NetworkMove) -> Iterable[object]:
        said = (one.pk, one.slot, one.back, one.away, one.priority, one.priority_before, one.status, one.detail)
        return (*said, str(one.requested_by or ""), one.created_at, one.restarted_at, one.finished_at, one.came_by)

    return stream_csv(request, f"network-moves-{slugify(station.identity) or 'charger'}", COLUMNS, chunk, cells)


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
