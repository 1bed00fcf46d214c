"""Addresses below `/api/`."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

from csms.api import views

router = SimpleRouter(use_regex_path=True)
router.register("stations", views.StationView, "station")
router.register("evses", views.EvseView, "evse")
router.register("connectors", views.ConnectorView, "connector")
router.register("transactions", views.TransactionView, "transaction")
router.register("meter-samples", views.MeterSampleView, "meter-sample")
router.register("messages", views.MessageView, "message")
router.register("refusals", views.RefusalView, "refusal")
router.register("findings", views.FindingView, "finding")
router.register("id-tags", views.IdTagView, "id-tag")

app_name = "api"
urlpatterns = [
    path("v1/", include(router.urls)),
    re_path(r"^v1/(?:.*/)?$", views.NowhereView.as_view()),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema"), name="docs"),
]
