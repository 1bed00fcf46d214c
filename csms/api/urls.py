"""Addresses below `/api/`."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

from csms.api import (
    availability,
    chargerecords,
    commandruns,
    commandviews,
    displaymessages,
    firmware,
    forwarding,
    idtaggroups,
    idtags,
    localauthlist,
    logs,
    monitoring,
    network,
    people,
    priceseries,
    publishing,
    quirks,
    raw,
    rebillings,
    receiptarchives,
    receipts,
    repairs,
    reservations,
    rollouts,
    security,
    signed,
    smartcharging,
    tariffs,
    views,
    webhooks,
    whatif,
)
from csms.api.drivers import operators

router = SimpleRouter(use_regex_path=True)
router.register("sites", views.SiteView, "site")
router.register("stations", views.StationView, "station")
router.register("evses", views.EvseView, "evse")
router.register("connectors", views.ConnectorView, "connector")
router.register("transactions", views.TransactionView, "transaction")
router.register("charge-records", chargerecords.ChargeRecordView, "charge-record")
router.register("rebillings", rebillings.RebillingView, "rebilling")
router.register("receipts", receipts.ReceiptView, "receipt")
router.register("receipt-archives", receiptarchives.ReceiptArchiveView, "receipt-archive")
router.register("receipt-issuers", receipts.IssuerView, "receipt-issuer")
router.register("tariffs", tariffs.TariffView, "tariff")
router.register("tariff-versions", tariffs.VersionView, "tariff-version")
router.register("tariff-assignments", tariffs.AssignmentView, "tariff-assignment")
router.register("price-series", priceseries.PriceSeriesView, "price-series")
router.register("meter-samples", views.MeterSampleView, "meter-sample")
router.register("meter-quarters", views.MeterQuarterView, "meter-quarter")
router.register("meter-days", views.MeterDayView, "meter-day")
router.register("signed-readings", signed.SignedReadingView, "signed-reading")
router.register("meter-keys", signed.MeterKeyView, "meter-key")
router.register("messages", views.MessageView, "message")
router.register("refusals", views.RefusalView, "refusal")
router.register("findings", views.FindingView, "finding")
router.register("events", views.EventView, "event")
router.register("connections", views.ConnectionView, "connection")
router.register("variables", views.VariableView, "variable")
router.register("local-lists", localauthlist.LocalListView, "local-list")
router.register("local-list-rules", localauthlist.LocalListRuleView, "local-list-rule")
router.register("commands", commandviews.CommandView, "command")
router.register("display-messages", displaymessages.DisplayMessageView, "display-message")
router.register("command-runs", commandruns.CommandRunView, "command-run")
router.register("logs", logs.LogView, "log")
router.register("id-tags", idtags.IdTagView, "id-tag")
router.register("id-tag-groups", idtaggroups.IdTagGroupView, "id-tag-group")
router.register("firmware", firmware.FirmwareView, "firmware")
router.register("firmware-updates", firmware.FirmwareUpdateView, "firmware-update")
router.register("drivers", operators.DriverView, "driver")
router.register("people", people.PersonView, "person")
router.register("invitations", people.InvitationView, "invitation")
router.register("rollouts", rollouts.RolloutView, "rollout")
router.register("audit", views.AuditView, "audit")
router.register("repair-messages", repairs.RepairMessageView, "repair-message")
router.register("quirks", quirks.QuirkView, "quirk")
router.register("reservations", reservations.ReservationView, "reservation")
router.register("network-profiles", network.NetworkProfileView, "network-profile")
router.register("network-moves", network.NetworkMoveView, "network-move")
router.register("webhooks", webhooks.WebhookView, "webhook")
router.register("webhook-deliveries", webhooks.DeliveryView, "webhook-delivery")
router.register("forwards", forwarding.ForwardView, "forward")
router.register("forward-links", forwarding.LinkView, "forward-link")
router.register("security-events", security.SecurityEventView, "security-event")
router.register("certificates", security.CertificateView, "certificate")
router.register("certificate-requests", security.CertificateRequestView, "certificate-request")
router.register("firmware-publications", publishing.FirmwarePublicationView, "firmware-publication")

router.register("reports", monitoring.ReportView, "report")
router.register("customer-reports", monitoring.CustomerReportView, "customer-report")
router.register("monitoring", monitoring.MonitoringView, "monitoring")
router.register("monitors", monitoring.MonitorView, "monitor")
router.register("monitor-events", monitoring.MonitorEventView, "monitor-event")
router.register("charging-profiles", smartcharging.ChargingProfileView, "charging-profile")
router.register("charging-limits", smartcharging.ChargingLimitView, "charging-limit")
router.register("composite-schedules", smartcharging.CompositeScheduleView, "composite-schedule")
router.register("ev-charging-needs", smartcharging.EvChargingNeedsView, "ev-charging-needs")
router.register("ev-charging-schedules", smartcharging.EvChargingScheduleView, "ev-charging-schedule")

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
        rf"{STATION}/availability/$",
        availability.AvailabilityOfStationView.as_view({"get": "retrieve", "post": "create"}),
        name="station-availability",
    ),
    re_path(
        rf"{STATION}/firmware/$",
        firmware.FirmwareOfStationView.as_view({"get": "list", "post": "create"}),
        name="station-firmware",
    ),
    re_path(
        r"^v1/tariffs/(?P<pk>[0-9]+)/versions/$",
        tariffs.VersionsOfTariffView.as_view({"get": "list", "post": "create"}),
        name="tariff-versions",
    ),
    re_path(
        r"^v1/price-series/(?P<pk>[0-9]+)/points/$",
        priceseries.PointsOfSeriesView.as_view({"get": "list", "post": "create"}),
        name="price-series-points",
    ),
    re_path(rf"{STATION}/ocpp/(?P<action>\w+)/$", raw.RawView.as_view(), name="station-ocpp"),
    re_path(
        r"^v1/transactions/(?P<pk>[0-9]+)/repair/$",
        repairs.RepairsOfTransactionView.as_view({"get": "list", "post": "create"}),
        name="transaction-repair",
    ),
    re_path(r"^v1/transactions/(?P<pk>[0-9]+)/signed/$", signed.SignedFileView.as_view(), name="transaction-signed"),
    re_path(
        r"^v1/local-lists/(?P<pk>[0-9]+)/entries/$",
        localauthlist.EntriesOfListView.as_view({"get": "list"}),
        name="local-list-entries",
    ),
    re_path(r"^v1/rollouts/(?P<pk>[0-9]+)/steps/$", rollouts.StepsOfRolloutView.as_view({"get": "list"}), name="rollout-steps"),
    re_path(
        r"^v1/command-runs/(?P<pk>[0-9]+)/steps/$", commandruns.StepsOfRunView.as_view({"get": "list"}), name="command-run-steps"
    ),
    # Without a slash at the end, too: Django would redirect it, and a POST that is redirected becomes a GET.
    re_path(r"^v1/[\s\S]*\Z", views.NowhereView.as_view()),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema"), name="docs"),
]
