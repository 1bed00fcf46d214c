"""What one may do about firmware that a charger hands on, and its list as a file."""

from collections.abc import Iterable, Sequence

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.text import slugify

from accounts.models import User
from csms.dashboard import publications, stationviews
from csms.dashboard.access import action, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.words import in_words
from stations.domain.commands import BadCommand, Command, PublishFirmware, UnpublishFirmware
from stations.models import FirmwarePublication, Station
from stations.services import commands
from stations.services.firmware import RETRIES

COLUMNS = (
    *("id", "image", "checksum", "status", "detail", "locations", "bytes_served", "by", "asked_at", "status_at"),
    "ended_at",
)


def _ask(request: HttpRequest, station: Station, command: Command) -> HttpResponse:
    try:
        command.check()
        commands.issue(station=station, command=command, user=request.user if isinstance(request.user, User) else None)
    except BadCommand as error:
        notices.error(request, in_words(error))
    return redirect(f"{reverse('station', args=[station.identity])}?tab=firmware#publications-title")


@action("firmware.change")
def publish_firmware(request: HttpRequest, identity: str) -> HttpResponse:
    """Have a charger fetch an image and hand it on."""
    station = stationviews.station_of(identity)
    form = publications.PublishForm(request.POST)
    if not form.is_valid():
        notices.error(request, " ".join(str(error) for error in form["firmware"].errors))
        return redirect(f"{reverse('station', args=[station.identity])}?tab=firmware#publications-title")
    return _ask(request, station, PublishFirmware(firmware=form.cleaned_data["firmware"], retries=RETRIES))


@action("firmware.change")
def unpublish_firmware(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Have a charger hand a file on no more."""
    station = stationviews.station_of(identity)
    return _ask(request, station, UnpublishFirmware(get_object_or_404(publications.of(station), pk=pk).checksum))


@page
def export_publications(request: HttpRequest, identity: str) -> HttpResponseBase:
    """What a charger was asked to hand on."""
    station = stationviews.station_of(identity)
    found = publications.of(station)

    def chunk(last: FirmwarePublication | None, size: int) -> Sequence[FirmwarePublication]:
        return list((found if last is None else found.filter(pk__lt=last.pk))[:size])

    def cells(one: FirmwarePublication) -> Iterable[object]:
        said = (one.pk, str(one), one.checksum, one.status, one.detail, " ".join(one.locations), one.bytes_served)
        return (*said, str(one.requested_by or ""), one.created_at, one.status_at, one.finished_at)

    return stream_csv(request, f"publications-{slugify(station.identity) or 'charger'}", COLUMNS, chunk, cells)
