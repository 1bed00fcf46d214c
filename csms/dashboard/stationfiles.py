"""The settings and the commands of a charger as files: what its tabs show."""

from collections.abc import Iterable, Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.text import slugify

from csms.dashboard import exports
from csms.dashboard import station as stationpage
from stations.models import Command, Station

SETTINGS = ("where", "name", "value", "wanted", "mutability", "data_type", "reported_at")
COMMANDS = (
    *("id", "command", "status", "detail", "error_code", "asked_at", "sent_at", "answered_at", "finished_at"),
    *("by", "reason"),
)


def settings(request: HttpRequest, station: Station, text: str, drifting: bool) -> HttpResponseBase:
    """Secrets are masked, as on the page."""

    def chunk(last: stationpage.Setting | None, size: int) -> Sequence[stationpage.Setting]:
        # A bounded number: all of it at once.
        return stationpage.settings(station, text, drifting=drifting) if last is None else []

    def cells(one: stationpage.Setting) -> Iterable[object]:
        v = one.variable
        value, wanted = ("***" if one.secret and said else said for said in (v.value, v.wanted))
        return one.where, one.name, value, wanted, v.mutability, v.data_type, v.reported_at

    return exports.stream_csv(request, _name("settings", station), SETTINGS, chunk, cells)


def commands(request: HttpRequest, station: Station) -> HttpResponseBase:
    """All it was asked, the newest first."""
    found = Command.objects.filter(station=station).select_related("requested_by").order_by("-id")

    def chunk(last: Command | None, size: int) -> list[Command]:
        return list((found if last is None else found.filter(pk__lt=last.pk))[:size])

    def cells(c: Command) -> Iterable[object]:
        times = (c.created_at, c.sent_at, c.answered_at, c.finished_at)
        return (*(c.pk, c.kind, c.status, c.detail, c.error_code), *times, str(c.requested_by or ""), c.reason)

    return exports.stream_csv(request, _name("commands", station), COMMANDS, chunk, cells)


def _name(what: str, station: Station) -> str:
    return f"{what}-{slugify(station.identity) or 'charger'}"
