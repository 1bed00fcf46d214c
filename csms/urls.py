"""All addresses. `/live/` and the stations' WebSockets are in `csms.asgi`, `/healthz` and its like in `csms.probes`."""

from django.urls import include, path

from csms.admin import repair
from csms.ocpp.http import refuse_plain_http

urlpatterns = [
    path("ocpp/<path:identity>", refuse_plain_http, name="ocpp"),
    path("api/", include("csms.api.urls")),
    path("admin/", repair.urls),
    path("", include("csms.dashboard.urls")),
]
