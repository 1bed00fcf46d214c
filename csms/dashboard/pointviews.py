"""The points of the charts as JSON, for the script that draws them: all of a window, or those since the last one it has."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from csms.dashboard import marks, points
from csms.dashboard.access import page
from stations import selectors
from stations.models import Station


def _moment(request: HttpRequest, name: str) -> datetime | None:
    """A parameter in seconds since 1970; None if it is not there."""
    given = request.GET.get(name, "")
    if not given:
        return None
    low, high = int(points.EARLIEST.timestamp()), int(points.LATEST.timestamp())
    if not (given.isascii() and given.isdigit() and len(given) < 12 and low <= int(given) <= high):
        raise points.BadWindow(_("%(name)s must be a time in whole seconds since 1970.") % {"name": name})
    return datetime.fromtimestamp(int(given), UTC)


def _times(request: HttpRequest) -> tuple[datetime | None, datetime | None, datetime | None]:
    return _moment(request, "from"), _moment(request, "to"), _moment(request, "since")


def _refused(error: points.BadWindow) -> JsonResponse:
    return JsonResponse({"error": str(error)}, status=400)


def _span(window: points.Window) -> dict[str, str]:
    form = "j M H:i" if window.step.total_seconds() >= 60 else "j M H:i:s"
    start, end = (date_format(timezone.localtime(one), form) for one in (window.start, window.end))
    return {"start": start, "end": end, "step": _step(int(window.step.total_seconds()))}


def _step(seconds: int) -> str:
    return _("%(n)s s") % {"n": seconds} if seconds < 60 else _("%(n)s min") % {"n": seconds // 60}


@page
def station_points(request: HttpRequest, identity: str) -> JsonResponse:
    station = get_object_or_404(Station, identity=identity)
    try:
        start, end, since = _times(request)
        window = points.day(start, end)
    except points.BadWindow as error:
        return _refused(error)
    found = points.of_station(station, window, since)
    caption = _("Mean power of each plug in every %(step)s from %(start)s to %(end)s. Where there is no line, nothing was told.")
    return JsonResponse(
        found.json()
        | {
            "caption": caption % _span(window),
            "marks": [mark.json() for mark in marks.of_station(station, window)],
            "zone": timezone.get_current_timezone_name(),
        }
    )


@page
def session_points(request: HttpRequest, pk: int) -> JsonResponse:
    transaction = get_object_or_404(selectors.transactions(), pk=pk)
    more: dict[str, Any] = {"marks": [], "zone": timezone.get_current_timezone_name()}
    try:
        start, end, since = _times(request)
        window = points.session(transaction, start, end)
    except points.BadWindow as error:
        return _refused(error)
    if window is None:
        return JsonResponse({"panels": [], "caption": _("The charger has sent no samples of this session.")} | more)
    caption = _("The session from %(start)s to %(end)s, each point the mean of %(step)s. Where there is no line, nothing was told.")
    found = points.of_session(transaction, window, since)
    return JsonResponse(found.json() | {"caption": caption % _span(window)} | more)
