"""What does not work at present, as this web process knows it. Every page shows it, and it needs neither database nor Redis."""

import sys
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.defaults import server_error

from csms.ocpp.faults import AWAY

RETRY_S = 5
DATABASE, JOBS, REDIS = "database", "jobs", "redis"
WORDS: dict[str, tuple[str | Promise, str | Promise]] = {
    DATABASE: (
        _("The database does not answer."),
        _("Chargers keep their connections and repeat what was not stored. What you see may be old."),
    ),
    JOBS: (
        _("Background jobs are not done."),
        _("Charging goes on; costs of finished sessions come later. Check that a worker and the beat are running."),
    ),
    REDIS: (
        _("Redis does not answer."),
        _("Charging goes on; commands and live pages are a few seconds slower."),
    ),
}


class Fragment(TypedDict):
    """As in `csms.dashboard.fragments`."""

    id: str
    html: str
    list: str | None


@dataclass(frozen=True, slots=True)
class Trouble:
    kind: str
    since: datetime
    title: str | Promise
    effect: str | Promise


_since: dict[tuple[str, str], datetime] = {}


def began(kind: str, witness: str, since: datetime | None = None) -> None:
    """Something does not work. Several parts of the process may witness it; it is over when none does any more."""
    _since.setdefault((kind, witness), since or timezone.now())


def ended(kind: str, witness: str) -> None:
    _since.pop((kind, witness), None)


def present() -> list[Trouble]:
    """What does not work, the worst first."""
    found: dict[str, datetime] = {}
    for (kind, _witness), since in list(_since.items()):
        found[kind] = min(since, found.get(kind, since))
    return [Trouble(kind, found[kind], *WORDS[kind]) for kind in WORDS if kind in found]


def told(language: str) -> Fragment:
    """The banner, for live pages."""
    with translation.override(language):
        return {"id": "troubles", "html": render_to_string("_troubles.html", {"troubles": present()}), "list": None}


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500: without the database, 503 and the reason, in a page that comes back by itself."""
    if not isinstance(sys.exc_info()[1], AWAY):
        return server_error(request)  # type: ignore[return-value]
    headers = {"Retry-After": str(RETRY_S)}
    if request.path.startswith("/api/"):
        title, effect = gettext("The database does not answer."), gettext("Try again in a few seconds.")
        problem = {"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": f"{title} {effect}"}
        return JsonResponse(problem, status=503, headers=headers, content_type="application/problem+json")
    page = render_to_string("503.html", {"retry_s": RETRY_S, "troubles": present()})
    return HttpResponse(page, status=503, headers=headers)
