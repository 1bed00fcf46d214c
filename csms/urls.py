"""All addresses. `/live/` and the stations' `/ocpp/` are in `csms.asgi`, `/healthz` and its like in `csms.probes`."""

from django.urls import include, path, re_path

from csms.admin import repair
from csms.api.drivers.openapi import NOT_OFFERED
from csms.api.drivers.views import NotOfferedView

handler500 = "csms.troubles.failed"

urlpatterns = [
    re_path(NOT_OFFERED, NotOfferedView.as_view()),
    # Before the API, whose last address answers for all that are not there.
    path("api/v1/auth/", include("allauth.headless.urls")),
    path("api/", include("csms.api.urls")),
    path("admin/", repair.urls),
    path("", include("csms.dashboard.urls")),
    path("", include("csms.people.urls")),
    path("", include("csms.driver.urls")),
]
