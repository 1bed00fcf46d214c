"""The list of chargers as a page and as a file."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from csms.dashboard import exports, savedviews, stationlist
from csms.dashboard.access import may_add, page
from stations.models import Site

MAY_SEND = "commands.send"
HEADER = (
    *("identity", "name", "site", "address", "city", "status", "online", "protocol", "vendor", "model", "serial_number"),
    *("firmware_version", "iccid", "imsi", "meter_type", "meter_serial_number", "security_profile", "last_heard_at"),
)


@page
def show_stations(request: HttpRequest) -> HttpResponseBase:
    """Every charger, or those that are looked for."""
    asked = stationlist.Asked.of(request.GET)
    if request.GET.get("format") == "csv":
        return _file(request, asked)
    chips = stationlist.chips(asked)
    paginator = Paginator(asked.ordered(), stationlist.PAGE)
    # The chips have counted already.
    paginator.count = sum(chip.count for chip in chips if asked.status in ("", chip.status))  # type: ignore[misc]  # a cached property
    shown = paginator.get_page(request.GET.get("page"))
    context = {
        "asked": asked,
        "chips": chips,
        "all": sum(chip.count for chip in chips),
        "page": shown,
        "rows": stationlist.rows(list(shown.object_list), asked.cols),
        "sites": Site.objects.order_by("name"),
        "options": stationlist.options(),
        "views": savedviews.of(request, "stations", asked.query),
        "may_send": may_add(request, MAY_SEND),
        "now": timezone.now(),
        "ws_url": ("wss://" if request.is_secure() else "ws://") + request.get_host(),
    }
    return render(request, "dashboard/stations.html", context)


def _file(request: HttpRequest, asked: stationlist.Asked) -> HttpResponseBase:
    def chunk(last: Any, size: int) -> list[Any]:
        return list(asked.matching().filter(identity__gt=last.identity if last else "").order_by("identity")[:size])

    return exports.stream_csv(request, "chargers", HEADER, chunk, _line)


def _line(row: Any) -> tuple[object, ...]:
    connection = getattr(row, "connection", None)
    site = row.site
    return (
        *(row.identity, row.name, *((site.name, site.address, site.city) if site else ("", "", ""))),
        *(row.shown, "yes" if row.is_online else "no", connection.protocol if connection else ""),
        *(row.vendor, row.model, row.serial_number, row.firmware_version, row.iccid, row.imsi),
        *(row.meter_type, row.meter_serial_number, row.security_profile, connection.seen_at if connection else None),
    )
