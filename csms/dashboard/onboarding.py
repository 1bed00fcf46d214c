"""Connecting chargers: who knocked and was turned away, why, and what to do about it with one click."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from accounts.models import Operator
from csms.dashboard import held
from csms.dashboard.acceptform import AcceptForm
from csms.dashboard.access import may_add, page
from csms.dashboard.exports import stream_csv
from stations import selectors
from stations.models import Refusal, Station
from stations.models.station import IDENTITY
from stations.services import onboarding
from stations.services.connections import SENT_KEPT_FOR

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
    """A refusal, and what it asks for: "accept", "password", "lower", or "" when a click cannot help; "in": it was let in since;
    "allowed": it may come less securely.

    `mark` stands for the password that it sent, where that can be taken; not while the charger is `online` with its own.
    """

    refusal: Refusal
    step: str
    mark: str
    online: bool

    @property
    def profile(self) -> int:
        """The security profile that is as it came."""
        return 2 if self.refusal.secure else 1


@page
def show_onboarding(request: HttpRequest) -> HttpResponse:
    """Why does my charger not come in?"""
    return show(request, _chosen(request))


def _chosen(request: HttpRequest) -> AcceptForm | None:
    """The form for the knock that `?accept=` names, if one may act on it."""
    pk, identity = request.GET.get("accept", ""), request.GET.get("identity", "")
    operator: Operator | None = getattr(request.user, "operator", None)
    if operator is None or not may_add(request, MAY_CHANGE) or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return None
    refusal = onboarding.refusal_for(operator=operator, identity=identity, pk=int(pk))
    return AcceptForm.of(refusal) if refusal else None


def show(request: HttpRequest, form: AcceptForm | None = None) -> HttpResponse:
    """The page; with the form by which one charger is accepted."""
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
    may_change = may_add(request, MAY_CHANGE)
    claim = request.GET.get("claim", "").replace("\x00", "").strip()[:255] if may_change else ""
    context: dict[str, Any] = {
        "ws_url": ("wss://" if request.is_secure() else "ws://") + request.get_host(),
        "knocks": _knocks(Refusal.objects.filter(last_at__gt=now - REMEMBERED).order_by("-last_at")[:KNOCKS_SHOWN], now),
        "claim": claim,
        "claimed": _knocks(onboarding.unclaimed(claim), now) if claim else [],
        "several": may_change and Operator.objects.count() > 1,
        "held": held.all_held(now),
        "waiting": waiting if awaited else "",
        "arrived": arrived,
        "arrivals": list(arrivals[:ARRIVALS_SHOWN]),
        "secret": secret,
        "may_change": may_change,
        "form": form,
        "typed": request.session.pop("onboarding_typed", {}),
        "now": now,
    }
    return render(request, "dashboard/onboarding.html", context, status=422 if form and form.errors else 200)


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


def _knocks(found: Iterable[Refusal], now: datetime) -> list[Knock]:
    refusals = list(found)
    known = Station.objects.filter(identity__in={refusal.identity for refusal in refusals}).select_related("connection")
    stations = {station.identity: station for station in known}
    online = set(selectors.online(now).filter(pk__in=[station.pk for station in stations.values()]).values_list("pk", flat=True))
    knocks = []
    for refusal in refusals:
        fresh = refusal.last_at > now - SENT_KEPT_FOR
        station = stations.get(refusal.identity)
        step, is_online = _step(refusal, station), station is not None and station.pk in online
        takeable = fresh and step in ("accept", "password") and not is_online
        knocks.append(Knock(refusal, step, onboarding.mark(refusal) if takeable else "", is_online))
    return knocks


def _step(refusal: Refusal, station: Station | None) -> str:
    if station is None:
        valid = IDENTITY.regex.search(refusal.identity) is not None  # type: ignore[union-attr]  # compiled by Django
        return "accept" if refusal.reason == "unknown_station" and valid else ""
    connection = getattr(station, "connection", None)
    if connection and connection.connected_at and connection.connected_at > refusal.last_at:
        return "in"
    if refusal.reason == "unknown_station":
        return "registered"
    if refusal.reason == "profile_lowered":
        return "lower" if station.highest_profile > station.security_profile else "allowed"
    return "password" if refusal.reason in PASSWORD_REASONS and station.security_profile else ""
