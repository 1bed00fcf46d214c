"""Addresses of the drivers' side, below /api/v1/. Login and sign-up are allauth's, below /api/v1/auth/."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from csms.api.drivers import views

router = SimpleRouter(use_regex_path=True)
router.register("me/id-tags", views.MyIdTagView, "my-id-tag")
router.register("me/sessions", views.MySessionView, "my-session")
router.register("me/receipts", views.MyReceiptView, "my-receipt")

NUMBER = "(?P<pk>[0-9]{1,18})"

urlpatterns = [
    path("me/", views.MeView.as_view(), name="me"),
    re_path(f"^me/sessions/{NUMBER}/live/$", views.LiveView.as_view(), name="my-session-live"),
    re_path(f"^me/sessions/{NUMBER}/signed/$", views.MySignedView.as_view(), name="my-session-signed"),
    *router.urls,
    path("charge/start/", views.StartView.as_view(), name="charge-start"),
    path("charge/stop/", views.StopView.as_view(), name="charge-stop"),
    re_path(f"^charge/commands/{NUMBER}/$", views.AskedView.as_view(), name="charge-command"),
    path("locations/", views.LocationsView.as_view(), name="locations"),
    re_path(f"^locations/{NUMBER}/$", views.LocationView.as_view(), name="location"),
]
