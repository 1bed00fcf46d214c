"""The page that a QR code opens: price first, then sign in, start, and what came of it. Tells nothing of persons."""

import secrets

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_scopes import scope

from accounts.models import User
from csms.driver import limits, plugs
from csms.driver.access import driver_of, not_found, to_login
from stations.services import charging

#: Starts that one driver may ask for.
STARTS, STARTS_S = 10, 300
#: How often the page looks by itself without JavaScript, in seconds.
FOLLOWS_S = 5


def _at(request: HttpRequest, identity: str, evse: int) -> tuple[plugs.Place | None, User | None, bool]:
    driver = driver_of(request.user)
    place = plugs.find(identity, evse, driver=driver)
    if place is None:
        return None, driver, False
    stranger = driver is not None and driver.operator_id != place.station.operator_id
    return place, None if stranger else driver, stranger


@never_cache
@require_safe
def show_station(request: HttpRequest, identity: str) -> HttpResponse:
    """The plugs of a charger, for a label without a plug's number."""
    station = plugs.station_of(identity)
    if station is None:
        return not_found(request, identity=identity)
    return render(
        request, "driver/station.html", {"station": station, "operator": station.operator, "plugs": plugs.all_of(station)}
    )


@never_cache
@require_safe
def show_plug(request: HttpRequest, identity: str, evse: int) -> HttpResponse:
    place, driver, stranger = _at(request, identity, evse)
    if place is None:
        station = plugs.station_of(identity)
        if station is None:
            return not_found(request, identity=identity)
        return not_found(request, evse=evse, station=station, operator=station.operator, plugs=plugs.all_of(station))
    if place.plug.mine and place.plug.session:
        return redirect("driver_session", place.plug.session.pk)
    still = request.GET.get("still") == "1"
    context = {
        "place": place,
        "operator": place.station.operator,
        "driver": driver,
        "stranger": stranger,
        "staff": request.user.is_authenticated and not stranger and driver is None,
        "still": still,
        "follows_s": FOLLOWS_S if place.busy and not still else None,
        "now": timezone.now(),
        # A form sent twice asks once.
        "once": secrets.token_urlsafe(9),
    }
    with scope(operator=place.station.operator_id), timezone.override(place.zone):
        return render(request, "driver/plug.html", context)


@never_cache
@require_safe
def show_mistyped(request: HttpRequest, mistyped: str) -> HttpResponse:
    """Typed by hand, with a slash too many or with what is no plug's number."""
    if mistyped.endswith("/"):
        return redirect(request.path.rstrip("/"))
    return not_found(request, identity=mistyped)


@never_cache
@require_POST
def start(request: HttpRequest, identity: str, evse: int) -> HttpResponse:
    """Ask the plug to charge. What becomes of it the plug's page shows."""
    here = reverse("plug", args=[identity, evse])
    driver = driver_of(request.user)
    if driver is None:
        return redirect(here) if request.user.is_authenticated else to_login(here)
    if limits.exceeded("start", str(driver.pk), most=STARTS, within_s=STARTS_S):
        messages.error(request, _("That was too often in a short time. Wait five minutes, then try again."))
        return redirect(here)
    plug = charging.plug(identity, evse, driver=driver)
    if plug is None:
        return redirect(here)
    once = request.POST.get("once", "").replace("\x00", "")[:20]
    try:
        charging.start(driver=driver, evse=plug.evse, idempotency_key=once or None)
    except charging.Refused as refused:
        messages.error(request, str(refused))
    return redirect(here)
