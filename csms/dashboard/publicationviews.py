"""What one may do about firmware that a charger hands on."""

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from accounts.models import User
from csms.dashboard import publications, stationviews
from csms.dashboard.access import action
from csms.dashboard.words import in_words
from stations.domain.commands import BadCommand, Command, PublishFirmware, UnpublishFirmware
from stations.models import Station
from stations.services import commands
from stations.services.firmware import RETRIES


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
