"""Labels to print for the plugs: the QR code that a driver scans opens the plug's page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import segno
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from csms.dashboard import stationlist
from csms.dashboard.access import page
from stations.models import Evse, Station

#: How many labels a sheet has at most: a browser prints no more at once gladly.
MOST = 200


@dataclass(frozen=True, slots=True)
class Label:
    evse: Evse
    url: str

    @property
    def code(self) -> SafeString:
        """As SVG. Q: a quarter of it may be scratched or dirty."""
        drawn = segno.make_qr(self.url, error="q").svg_inline(omitsize=True, border=2, light="#fff", svgclass=None, lineclass=None)
        return mark_safe(drawn)  # noqa: S308  (modules of the code; nothing of the address stands in it as text)

    @property
    def address(self) -> str:
        """As a person types it."""
        return self.url.partition("://")[2]


@page
def show_station_labels(request: HttpRequest, identity: str) -> HttpResponse:
    """A label for each plug of one charger."""
    station = get_object_or_404(Station, identity=identity)
    return _render(request, Evse.objects.filter(station=station), station)


@page
def show_labels(request: HttpRequest) -> HttpResponse:
    """A sheet for the chargers that are ticked, or for those that match the filters of the list of chargers."""
    ticked = {int(pk) for pk in request.GET.getlist("station") if pk.isascii() and pk.isdigit() and len(pk) < 19}
    chosen: QuerySet[Any] = Station.objects.filter(pk__in=ticked) if ticked else stationlist.Asked.of(request.GET).matching()
    return _render(request, Evse.objects.filter(station__in=chosen.order_by().values("pk")))


def _render(request: HttpRequest, found: QuerySet[Evse], station: Station | None = None) -> HttpResponse:
    in_order = found.select_related("station__operator").order_by("station__site__name", "station__identity", "number")
    evses = list(in_order[: MOST + 1])
    context = {"labels": list(_labels(request, evses[:MOST])), "more": len(evses) > MOST, "most": MOST, "station": station}
    return render(request, "dashboard/labels.html", context)


def _labels(request: HttpRequest, evses: Iterable[Evse]) -> Iterator[Label]:
    for evse in evses:
        yield Label(evse, request.build_absolute_uri(reverse("plug", args=[evse.station.identity, evse.number])))
