"""Addresses of the drivers' pages. That of a plug stands on its label: short, without a slash at its end."""

from django.urls import path, register_converter

from csms.dashboard.identity import IdentityConverter
from csms.driver import account, doors, plugviews, receipts, views
from csms.driver.access import drivers


class ChargerConverter(IdentityConverter):
    """Without what no identity can hold and no table keeps: anybody may come here with anything."""

    regex = "[^/\x00]+"


register_converter(ChargerConverter, "charger")

urlpatterns = [
    path("charge/<charger:identity>", plugviews.show_station, name="plugs"),
    path("charge/<charger:identity>/<int:evse>", plugviews.show_plug, name="plug"),
    path("charge/<charger:identity>/<int:evse>/start", plugviews.start, name="plug_start"),
    path("charge/<path:mistyped>", plugviews.show_mistyped, name="plug_mistyped"),
    path("driver/", views.show_home, name="driver"),
    path("driver/login/", doors.SignIn.as_view(), name="driver_login"),
    path("driver/signup/", doors.sign_up, name="driver_signup"),
    path("driver/logout/", doors.sign_out, name="driver_logout"),
    path("driver/sessions/export/", views.export_sessions, name="driver_export"),
    path("driver/sessions/<int:pk>/", views.show_session, name="driver_session"),
    path("driver/sessions/<int:pk>/signed.xml", views.signed_xml, name="driver_signed"),
    path("driver/sessions/<int:pk>/signed.txt", views.signed_text, name="driver_signed_text"),
    path("driver/sessions/<int:pk>/stop/", views.stop_session, name="driver_stop"),
    path("driver/receipts/<int:pk>/", receipts.show_receipt, name="driver_receipt"),
    path("driver/receipts/<int:pk>/pdf/", receipts.download, name="driver_receipt_pdf"),
    path("driver/receipts/<int:pk>/mail/", receipts.mail, name="driver_receipt_mail"),
    path("receipt/<str:token>/", receipts.show_link, name="receipt_link"),
    path("receipt/<str:token>/pdf/", receipts.download_link, name="receipt_link_pdf"),
    path("driver/account/", account.show_account, name="driver_account"),
    path("driver/account/password/", drivers(doors.ChangePassword.as_view()), name="driver_password"),
    path("driver/account/delete/", account.delete_account, name="driver_delete"),
]
