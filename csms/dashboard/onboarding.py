"""Connecting chargers: who knocked and was turned away, why, and what to do about it with one click."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from csms.dashboard.access import action, may_add, operator_of, page
from csms.dashboard.exports import stream_csv
from stations import selectors
from stations.models import Refusal, Station
from stations.models.station import IDENTITY
from stations.services import registry

MAY_CHANGE = "stations.change"
KNOCKS_SHOWN = 50
REMEMBERED = timedelta(days=1)
#: Chargers that came in within this time are told as new arrivals.
ARRIVED = timedelta(minutes=15)
ARRIVALS_SHOWN = 5
PASSWORD_REASONS = {"wrong_password", "no_password"}
#: Where the session keeps a new password until the next page shows it.
FRESH = "station_password"


@dataclass(frozen=True, slots=True)
class Knock:
    """A refusal, and what it asks for: "accept", "password", or "" when a click cannot help; "in": it was let in since."""

    refusal: Refusal
    step: str


@page
def show_onboarding(request: HttpRequest) -> HttpResponse:
    """Why does my charger not come in?"""
    now = timezone.now()
    waiting = request.GET.get("waiting", "")
    awaited = Station.objects.filter(identity=waiting).select_related("connection").first() if waiting else None
    online = selectors.online()
    arrivals = online.filter(connected_at__gt=now - ARRIVED).select_related("station").order_by("-connected_at")
    arrived = online.filter(pk=awaited.pk).first() if awaited else None
    secret = request.session.get(FRESH)
    # Shown once: gone with the first page that shows it, not with what refreshes an open one.
    if secret and request.headers.get("X-Requested-With") != "refresh":
        del request.session[FRESH]
    context = {
        "ws_url": ("wss://" if request.is_secure() else "ws://") + request.get_host(),
        "knocks": _knocks(now - REMEMBERED),
        "waiting": waiting if awaited else "",
        "arrived": arrived,
        "arrivals": list(arrivals[:ARRIVALS_SHOWN]),
        "secret": secret,
        "may_change": may_add(request, MAY_CHANGE),
        "typed": request.session.pop("onboarding_typed", {}),
        "now": now,
    }
    return render(request, "dashboard/onboarding.html", context)


@page
def export_knocks(request: HttpRequest) -> HttpResponseBase:
    """Who was turned away, as a file: all that is remembered."""
    header = ("identity", "reason", "detail", "count", "address", "path", "subprotocols", "first_at", "last_at")

    def chunk(last: Refusal | None, size: int) -> list[Refusal]:
        found = Refusal.objects.order_by("-last_at", "-pk")
        if last is not None:
            found = found.filter(Q(last_at__lte=last.last_at) & (Q(last_at__lt=last.last_at) | Q(pk__lt=last.pk)))
        return list(found[:size])

    return stream_csv(request, "turned-away", header, chunk, lambda refusal: [getattr(refusal, name) for name in header])


@action(MAY_CHANGE)
def accept_station(request: HttpRequest) -> HttpResponse:
    """Register a charger; its password is shown once, on the page that follows."""
    identity = request.POST.get("identity", "").strip()
    try:
        station, password = registry.add_station(operator=operator_of(request), identity=identity)
    except ValidationError as error:
        known = Station.objects.filter(identity=identity).exists()
        words = _in_words(error, identity, known)
        request.session["onboarding_typed"] = {"identity": identity[:255], "error": words, "known": known}
        return redirect(reverse("onboarding") + "#register")
    return _with_password(request, station, password or "", new=True)


@action(MAY_CHANGE)
def renew_password(request: HttpRequest) -> HttpResponse:
    """Give a known charger another password, shown once."""
    station = get_object_or_404(Station, identity=request.POST.get("identity", ""))
    try:
        password = registry.set_password(station=station)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("onboarding")
    return _with_password(request, station, password, new=False)


def _with_password(request: HttpRequest, station: Station, password: str, *, new: bool) -> HttpResponse:
    request.session[FRESH] = {"identity": station.identity, "password": password, "new": new}
    return redirect(f"{reverse('onboarding')}?{urlencode({'waiting': station.identity})}")


def _in_words(error: ValidationError, identity: str, known: bool) -> str:
    if not identity:
        return _("Enter the identity that the charger uses.")
    if known:
        words = _("%(identity)s is registered in your network already. If its password is lost, give it a new one:")
        return words % {"identity": identity}
    if any(one.code == "unique" for one in error.error_dict.get("identity", [])):
        words = _("%(identity)s is taken: another network on this system uses it. Give the charger another identity.")
        return words % {"identity": identity}
    return " ".join(error.messages)


def _knocks(since: object) -> list[Knock]:
    refusals = list(Refusal.objects.filter(last_at__gt=since).order_by("-last_at")[:KNOCKS_SHOWN])
    found = Station.objects.filter(identity__in={refusal.identity for refusal in refusals}).select_related("connection")
    stations = {station.identity: station for station in found}
    return [Knock(refusal, _step(refusal, stations.get(refusal.identity))) for refusal in refusals]


def _step(refusal: Refusal, station: Station | None) -> str:
    if station is None:
        valid = IDENTITY.regex.search(refusal.identity) is not None  # type: ignore[union-attr]  # compiled by Django
        return "accept" if refusal.reason == "unknown_station" and valid else ""
    connection = getattr(station, "connection", None)
    if connection and connection.connected_at and connection.connected_at > refusal.last_at:
        return "in"
    if refusal.reason == "unknown_station":
        return "registered"
    return "password" if refusal.reason in PASSWORD_REASONS and station.security_profile else ""
