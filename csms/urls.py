"""All addresses. `/live/` and the stations' WebSockets are in `csms.asgi`, `/healthz` and its like in `csms.probes`."""

from django.urls import include, path

from csms.admin import repair
from csms.api.views import NowhereView
from csms.ocpp.http import refuse_plain_http

handler500 = "csms.troubles.failed"

urlpatterns = [
    path("ocpp/<path:identity>", refuse_plain_http, name="ocpp"),
    # Before the API, whose last address answers for all that are not there.
    # An address by which somebody is known stays: allauth would change it unseen by the audit, to one that nobody has verified.
    path("api/v1/auth/app/v1/account/email", NowhereView.as_view(), name="address_stays"),
    path("api/v1/auth/", include("allauth.headless.urls")),
    path("api/", include("csms.api.urls")),
    path("admin/", repair.urls),
    path("", include("csms.dashboard.urls")),
    path("", include("csms.people.urls")),
    path("", include("csms.driver.urls")),
]
