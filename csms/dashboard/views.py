"""The operators' first page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.models import User
from csms.dashboard import wall
from csms.dashboard.access import action, page, rights_of
from csms.dashboard.worklist import Rights
from stations.models import Station
from stations.services import onboarding


@page
def show_wall(request: HttpRequest) -> HttpResponse:
    """Is anything wrong, and what charges? `?kiosk=1`: on a screen at a wall, where nobody clicks."""
    ws_url = ("wss://" if request.is_secure() else "ws://") + request.get_host()
    kiosk = request.GET.get("kiosk") == "1"
    # A wall screen has no buttons: whoever passes by could press them.
    rights = Rights() if kiosk else rights_of(request.user)
    context = {"wall": wall.wall(rights), "ws_url": ws_url, "kiosk": kiosk, "may_change": rights.change}
    return render(request, "dashboard/wall.html", context)


@action("stations.change")
def accept_boot(request: HttpRequest, identity: str) -> HttpResponse:
    """Let a charger take part that was told to wait or to go away."""
    station = get_object_or_404(Station, identity=identity)
    if onboarding.let_charge(station=station, user=request.user if isinstance(request.user, User) else None):
        said = _("%(station)s is accepted, and was asked to boot at once.")
    else:
        said = _("%(station)s is accepted: it takes part as soon as it boots again, which it tries every minute.")
    messages.success(request, said % {"station": station.identity})
    return redirect("station", identity=station.identity) if request.GET.get("back") == "station" else redirect("wall")
