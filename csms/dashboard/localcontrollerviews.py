"""What one may do about how a charger is connected: which local controller relays it, and the key with which it signs."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from csms.dashboard import stationviews
from csms.dashboard.access import action
from stations.models import Station
from stations.services import localcontrollers

MAY_CHANGE = "stations.change"


def _back(request: HttpRequest, station: Station, done: str) -> HttpResponse:
    messages.success(request, done)
    return redirect(reverse("station", args=[station.identity]) + "#relay")


def _refused(request: HttpRequest, station: Station, error: ValidationError, **given: str) -> HttpResponse:
    """The page again, with what was entered and why it cannot be."""
    return stationviews.render_overview(request, station, relay_refused={"why": " ".join(error.messages), **given})


@action(MAY_CHANGE)
def set_controller(request: HttpRequest, identity: str) -> HttpResponse:
    """Say which local controller relays a charger; nothing: none does."""
    station = stationviews.station_of(identity)
    name = request.POST.get("controller", "").replace("\x00", "").strip()[:48]
    controller = Station.objects.filter(identity=name).first() if name else None
    try:
        if name and controller is None:
            raise ValidationError(_("There is no charger %(name)s in this network.") % {"name": name})
        localcontrollers.set_controller(station=station, controller=controller)
    except ValidationError as error:
        return _refused(request, station, error, controller=name)
    return _back(
        request, station, _("It is behind %(name)s now.") % {"name": name} if name else _("It is behind no local controller.")
    )


@action(MAY_CHANGE)
def set_signing_key(request: HttpRequest, identity: str) -> HttpResponse:
    """Keep the key with which a charger signs; nothing: none is known."""
    station = stationviews.station_of(identity)
    pem = request.POST.get("signing_key", "").replace("\x00", "")
    try:
        localcontrollers.set_signing_key(station=station, pem=pem)
    except ValidationError as error:
        return _refused(request, station, error, signing_key=pem[: localcontrollers.LONGEST_KEY])
    return _back(
        request, station, _("What it signs is checked with this key.") if pem.strip() else _("No key of it is known any more.")
    )
