"""Addresses of the operators' pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path, register_converter

from csms.dashboard import (
    enrol,
    idtagimport,
    idtags,
    messageviews,
    onboarding,
    pointviews,
    runs,
    savedviews,
    session,
    sessions,
    stationlistviews,
    stationviews,
    views,
    webhooks,
)
from csms.dashboard.identity import IdentityConverter
from csms.dashboard.login import Login
from csms.languages import choose_language

register_converter(IdentityConverter, "identity")

urlpatterns = [
    path("", views.show_wall, name="wall"),
    path("transactions/", sessions.show_sessions, name="sessions"),
    path("transactions/export/", sessions.export_sessions, name="sessions_export"),
    path("transactions/<int:pk>/", session.show_session, name="transaction"),
    path("transactions/<int:pk>/stop/", session.stop_session, name="transaction_stop"),
    path("transactions/<int:pk>/points/", pointviews.session_points, name="session_points"),
    path("id-tags/", idtags.show_id_tags, name="id_tags"),
    path("id-tags/add/", idtags.add_id_tag, name="id_tag_add"),
    path("id-tags/enrol/", enrol.show_enrol, name="id_tags_enrol"),
    path("id-tags/export/", idtags.export_id_tags, name="id_tags_export"),
    path("id-tags/import/", idtagimport.preview_import, name="id_tags_import"),
    path("id-tags/import/run/", idtagimport.run_import, name="id_tags_import_run"),
    path("id-tags/<int:pk>/", idtags.change_id_tag, name="id_tag"),
    path("id-tags/<int:pk>/status/", idtags.set_id_tag_status, name="id_tag_status"),
    path("onboarding/", onboarding.show_onboarding, name="onboarding"),
    path("onboarding/export/", onboarding.export_knocks, name="onboarding_export"),
    path("onboarding/accept/", onboarding.accept_station, name="onboarding_accept"),
    path("onboarding/password/", onboarding.renew_password, name="onboarding_password"),
    path("stations/", stationlistviews.show_stations, name="stations"),
    path("commands/", runs.choose, name="runs"),
    path("commands/start/", runs.start_run, name="run_start"),
    path("commands/<int:pk>/", runs.show_run, name="run"),
    path("views/save/", savedviews.save, name="view_save"),
    path("views/<int:pk>/delete/", savedviews.delete, name="view_delete"),
    path("stations/<identity:identity>/", stationviews.show_station, name="station"),
    path("stations/<identity:identity>/points/", pointviews.station_points, name="station_points"),
    path("stations/<identity:identity>/accept/", views.accept_boot, name="accept_boot"),
    path("messages/", messageviews.show_messages, name="messages"),
    path("stations/<identity:identity>/messages/<int:pk>/", messageviews.show_message, name="station_message"),
    path("stations/<identity:identity>/messages/<int:pk>/test/", messageviews.save_message_test, name="station_message_test"),
    path("stations/<identity:identity>/commands/", stationviews.send_command, name="send_command"),
    path("stations/<identity:identity>/commands/<int:pk>/cancel/", stationviews.cancel_command, name="cancel_command"),
    path("stations/<identity:identity>/commands/<int:pk>/retry/", stationviews.retry_command, name="retry_command"),
    path("stations/<identity:identity>/settings/", stationviews.change_settings, name="change_settings"),
    path("webhooks/", webhooks.show_webhooks, name="webhooks"),
    path("webhooks/add/", webhooks.add_webhook, name="webhook_add"),
    path("webhooks/<int:pk>/", webhooks.show_webhook, name="webhook"),
    path("webhooks/<int:pk>/change/", webhooks.change_webhook, name="webhook_change"),
    path("webhooks/<int:pk>/do/", webhooks.do_webhook, name="webhook_do"),
    path("webhooks/<int:pk>/replay/", webhooks.replay_webhook, name="webhook_replay"),
    path("webhooks/deliveries/<int:pk>/replay/", webhooks.replay_delivery, name="delivery_replay"),
    path("login/", Login.as_view(), name="login"),
    path("language/", choose_language, name="language"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
