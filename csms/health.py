"""What a load balancer asks."""

from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. Touches neither the database nor Redis: their outage is no reason to restart us."""
    return HttpResponse("ok", content_type="text/plain")
