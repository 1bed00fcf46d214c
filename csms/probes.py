"""What machines ask over HTTP: `/healthz`, `/readyz`, `/metrics`.

Answered before anything else looks at the request, so that a probe needs no name that ALLOWED_HOSTS has, no TLS and no
session.
"""

import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from csms import health
from csms.metrics import page
from csms.proxies import FORWARDED, is_trusted

READ = ("GET", "HEAD")


class Probes:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info)
        if probe is None:
            return self.get_response(request)
        if request.method not in READ:
            return HttpResponse(status=405, headers={"Allow": ", ".join(READ)})
        response = probe(request)
        response["Cache-Control"] = "no-store"
        # Django would write an error to the log for each probe that hears "not ready".
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response


def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. Touches neither the database nor Redis: their outage is no reason to restart us."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Whether all parts are well: 200, or 503. `?exclude=worker,beat` leaves parts out of the judgement.

    What is wrong with a part is for those who may read the metrics; anybody else hears which part it is.
    """
    excluded = set(request.GET.get("exclude", "").split(","))
    parts = [part for part in health.parts() if part.name not in excluded]
    told = may_read(request)
    found = {}
    for part in parts:
        found[part.name] = {"well": part.well} | ({"cause": part.cause, "since": part.since} if told and not part.well else {})
    ready = all(part.well for part in parts)
    return JsonResponse({"ready": ready, "parts": found}, status=200 if ready else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read(request):
        said = "Closed to you: CSMS_METRICS_FROM and CSMS_METRICS_TOKEN say who may read the metrics, and not through a proxy.\n"
        return HttpResponse(said, status=403, content_type="text/plain")
    text, kind = page.text(request.headers.get("Accept", ""))
    return HttpResponse(text, content_type=kind)


def may_read(request: HttpRequest) -> bool:
    """Whoever shows the token; or an address of CSMS_METRICS_FROM that comes itself, since a proxy speaks for the whole world."""
    token, shown = settings.METRICS_TOKEN, request.headers.get("Authorization", "")
    if token and secrets.compare_digest(shown.encode(), f"Bearer {token}".encode()):
        return True
    if any(name in request.META for name in FORWARDED):
        return False
    return is_trusted(request.META.get("REMOTE_ADDR", ""), settings.METRICS_FROM)


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
