"""Addresses below `/api/`."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

from csms.api import commandviews, firmware, forwarding, logs, people, quirks, raw, repairs, rollouts, views, webhooks, whatif
from csms.api.drivers import operators

router = SimpleRouter(use_regex_path=True)
router.register("sites", views.SiteView, "site")
router.register("stations", views.StationView, "station")
router.register("evses", views.EvseView, "evse")
router.register("connectors", views.ConnectorView, "connector")
router.register("transactions", views.TransactionView, "transaction")
router.register("charge-records", views.ChargeRecordView, "charge-record")
router.register("tariffs", views.TariffView, "tariff")
router.register("meter-samples", views.MeterSampleView, "meter-sample")
router.register("meter-quarters", views.MeterQuarterView, "meter-quarter")
router.register("meter-days", views.MeterDayView, "meter-day")
router.register("messages", views.MessageView, "message")
router.register("refusals", views.RefusalView, "refusal")
router.register("findings", views.FindingView, "finding")
router.register("events", views.EventView, "event")
router.register("connections", views.ConnectionView, "connection")
router.register("variables", views.VariableView, "variable")
router.register("commands", commandviews.CommandView, "command")
router.register("logs", logs.LogView, "log")
router.register("id-tags", views.IdTagView, "id-tag")
router.register("firmware", firmware.FirmwareView, "firmware")
router.register("firmware-updates", firmware.FirmwareUpdateView, "firmware-update")
router.register("drivers", operators.DriverView, "driver")
router.register("people", people.PersonView, "person")
router.register("invitations", people.InvitationView, "invitation")
router.register("rollouts", rollouts.RolloutView, "rollout")
router.register("audit", views.AuditView, "audit")
router.register("repair-messages", repairs.RepairMessageView, "repair-message")
router.register("quirks", quirks.QuirkView, "quirk")
router.register("webhooks", webhooks.WebhookView, "webhook")
router.register("webhook-deliveries", webhooks.DeliveryView, "webhook-delivery")
router.register("forwards", forwarding.ForwardView, "forward")
router.register("forward-links", forwarding.LinkView, "forward-link")

STATION = f"^v1/stations/(?P<identity>{views.StationView.lookup_value_regex})"

app_name = "api"
urlpatterns = [
    path("v1/tariffs/what-if/", whatif.WhatIfView.as_view(), name="what-if"),
    path("v1/", include(router.urls)),
    path("v1/", include("csms.api.drivers.urls")),
    re_path(
        rf"{STATION}/commands/$",
        commandviews.CommandsOfStationView.as_view({"get": "list", "post": "create"}),
        name="station-commands",
    ),
    re_path(
        rf"{STATION}/firmware/$",
        firmware.FirmwareOfStationView.as_view({"get": "list", "post": "create"}),
        name="station-firmware",
    ),
    re_path(rf"{STATION}/ocpp/(?P<action>\w+)/$", raw.RawView.as_view(), name="station-ocpp"),
    re_path(
        r"^v1/transactions/(?P<pk>[0-9]+)/repair/$",
        repairs.RepairsOfTransactionView.as_view({"get": "list", "post": "create"}),
        name="transaction-repair",
    ),
    re_path(r"^v1/rollouts/(?P<pk>[0-9]+)/steps/$", rollouts.StepsOfRolloutView.as_view({"get": "list"}), name="rollout-steps"),
    # Without a slash at the end, too: Django would redirect it, and a POST that is redirected becomes a GET.
    re_path(r"^v1/[\s\S]*\Z", views.NowhereView.as_view()),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema"), name="docs"),
]
