"""The page of the network's security events, and that somebody has seen them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages as notices
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import may
from csms.dashboard import parts, securityevents, stationviews
from csms.dashboard.access import action, page
from csms.dashboard.exports import stream_csv
from stations.models import SecurityEvent, Station
from stations.services import security

PAGE = 50
COLUMNS = (*("id", "charger", "type", "critical", "happened_at", "told_at", "information", "seen_at", "seen_by"),)


def _place(text: str) -> securityevents.Mark | None:
    """The place that `?before=` names: time and key of the last that was shown, or looked at."""
    if not text:
        return None
    at, _sign, pk = text.partition("~")
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
            raise ValueError(text)
    except ValueError:
        raise BadRequest("before") from None
    return moment, int(pk)


@page
def show_security(request: HttpRequest) -> HttpResponseBase:
    """The security events of the whole network."""
    form = securityevents.EventFilters(request.GET)
    if request.GET.get("format") == "csv":
        if not form.is_valid():
            raise BadRequest(form.errors.as_json())
        return _export(request, form)
    before = _place(request.GET.get("before", ""))
    found, horizon = form.read(before, PAGE + 1)
    query = form.query()
    last = (found[PAGE - 1].at, found[PAGE - 1].pk) if len(found) > PAGE else horizon
    context = {
        "form": form,
        "rows": [securityevents.EventRow(event) for event in found[:PAGE]],
        "may_change": may(request.user, securityevents.MAY_CHANGE),
        "now": timezone.now(),
        "filtered": bool(query),
        "newest": query if before else None,
        "older": form.query(before=f"{last[0].isoformat()}~{last[1]}") if last else "",
        "horizon": horizon and horizon[0],
        "scan": securityevents.SCAN,
        "export": form.query(format="csv"),
        "back": "?" + urlencode({"in": query}),
    }
    return render(request, "dashboard/security.html", context)


def _export(request: HttpRequest, form: securityevents.EventFilters) -> HttpResponseBase:
    def chunk(last: SecurityEvent | None, size: int) -> Sequence[SecurityEvent]:
        found: list[SecurityEvent] = []
        place = (last.at, last.pk) if last is not None else None
        while len(found) < size:
            rows, place = form.read(place, size - len(found))
            found += rows
            if place is None:
                break
        return found

    def cells(one: SecurityEvent) -> Iterable[object]:
        said = (one.pk, one.station.identity, one.type, "yes" if one.critical else "", one.at, one.received_at, one.tech_info)
        return (*said, one.acknowledged_at, str(one.acknowledged_by or ""))

    return stream_csv(request, "security-events", COLUMNS, chunk, cells)


@action(securityevents.MAY_CHANGE)
def mark_seen(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody has seen a critical event."""
    event = get_object_or_404(securityevents.events(), pk=pk)
    if not security.acknowledge(station=event.station, event=event, user=_user(request)):
        notices.warning(request, _("Somebody else has marked it as seen already."))
    if "in" in request.GET:
        query = QueryDict(request.GET["in"].replace("\x00", "")[:1000]).urlencode()
        return redirect(f"{reverse('security')}?{query}" if query else "security")
    return _back(event.station)


@action(securityevents.MAY_CHANGE)
def mark_all_seen(request: HttpRequest, identity: str) -> HttpResponse:
    """Somebody has seen the critical events of a charger: those up to the newest that was shown."""
    station = stationviews.station_of(identity)
    upto = request.POST.get("upto", "")
    known = upto.isascii() and upto.isdigit() and len(upto) < 19
    if not known or not security.acknowledge(station=station, upto=int(upto), user=_user(request)):
        notices.warning(request, _("Somebody else has marked it as seen already."))
    return _back(station)


def _back(station: Station) -> HttpResponse:
    return stationviews.back_to_part(station, parts.SECURITY_EVENTS, "#security-events")


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
