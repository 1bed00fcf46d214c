"""How a charger is connected: behind which local controller, or which chargers are behind it; and the key with which it signs."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from csms.dashboard import stationlist
from csms.dashboard.access import action
from csms.dashboard.states import State
from stations.models import Station
from stations.services import localcontrollers

MAY_CHANGE = "stations.change"
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Relay:
    """`controller`: the one that it is behind; `behind`: those that go dark with it, each with its state, `more` if not all."""

    controller: Station | None
    behind: list[tuple[Station, State]] = field(default_factory=list)
    more: bool = False


def of(station: Station) -> Relay:
    """One query, or two for one that is behind another."""
    if station.controller_id is not None:
        return Relay(station.controller)
    found: list[Any] = list(stationlist.with_state().filter(controller=station).order_by("identity")[: SHOWN + 1])
    return Relay(None, [(one, stationlist.state_of(one.shown)) for one in found[:SHOWN]], len(found) > SHOWN)


def _station(identity: str) -> Station:
    return get_object_or_404(Station, identity=identity)


def _back(request: HttpRequest, station: Station, done: str) -> HttpResponse:
    messages.success(request, done)
    return redirect(reverse("station", args=[station.identity]) + "#relay")


def _refused(request: HttpRequest, station: Station, error: ValidationError) -> HttpResponse:
    messages.error(request, " ".join(error.messages))
    return redirect(reverse("station", args=[station.identity]) + "#relay")


@action(MAY_CHANGE)
def set_controller(request: HttpRequest, identity: str) -> HttpResponse:
    """Say which local controller relays a charger; nothing: none does."""
    station = _station(identity)
    name = request.POST.get("controller", "").replace("\x00", "").strip()
    controller = Station.objects.filter(identity=name).first() if name else None
    try:
        if name and controller is None:
            raise ValidationError(_("There is no charger %(name)s in this network.") % {"name": name[:48]})
        localcontrollers.set_controller(station=station, controller=controller)
    except ValidationError as error:
        return _refused(request, station, error)
    return _back(
        request, station, _("It is behind %(name)s now.") % {"name": name} if name else _("It is behind no local controller.")
    )


@action(MAY_CHANGE)
def set_signing_key(request: HttpRequest, identity: str) -> HttpResponse:
    """Keep the key with which a charger signs; nothing: none is known."""
    station = _station(identity)
    pem = request.POST.get("signing_key", "").replace("\x00", "")
    try:
        localcontrollers.set_signing_key(station=station, pem=pem)
    except ValidationError as error:
        return _refused(request, station, error)
    return _back(
        request, station, _("What it signs is checked with this key.") if pem.strip() else _("No key of it is known any more.")
    )
