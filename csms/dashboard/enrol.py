"""Enrolling by tapping: a card is held to any reader, and what nobody is enrolled with is caught here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import IdToken
from accounts.tokens import parse_moment
from csms.dashboard.access import needs, operator_of
from csms.dashboard.idtags import MAY_CHANGE
from stations.models import Finding
from stations.services.authorization import UNKNOWN

TAPS_SHOWN = 20
#: A page that was left open for longer begins anew.
LONGEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Tap:
    """A card that nobody is enrolled with, held to a charger. `known`: it is enrolled meanwhile."""

    value: str
    type: str
    identity: str
    at: datetime
    known: IdToken | None

    @property
    def query(self) -> str:
        return urlencode({"value": self.value, "type": self.type})


@require_safe
@needs(MAY_CHANGE)
def show_enrol(request: HttpRequest) -> HttpResponse:
    """Which card is it? Only taps after the page was opened count: `since`, in the address."""
    operator_of(request)
    now = timezone.now()
    try:
        since = parse_moment(request.GET.get("since", ""))
    except ValueError:
        since = now - 2 * LONGEST
    if not now - LONGEST < since <= now:
        return redirect(f"{reverse('id_tags_enrol')}?{urlencode({'since': now.isoformat()})}")
    return render(request, "dashboard/enrol.html", {"taps": _taps(since), "since": since, "now": now})


def _taps(since: datetime) -> list[Tap]:
    """The newest first, each card once."""
    found = Finding.objects.filter(code=UNKNOWN, last_at__gte=since).select_related("station").order_by("-last_at")
    taps = {finding.subject: finding for finding in reversed(found[:TAPS_SHOWN])}
    cards = {subject: subject.partition(" ")[::2] for subject in taps}
    keys = [value.upper() for _type, value in cards.values()]
    known = {(token.key, token.type): token for token in IdToken.objects.filter(key__in=keys)}
    return [
        Tap(value, kind, taps[subject].station.identity, taps[subject].last_at, known.get((value.upper(), kind)))
        for subject, (kind, value) in reversed(cards.items())
    ]
