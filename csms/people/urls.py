"""Addresses at which people come in and look after their login: allauth's views by the names that allauth gives them."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.urls import path, re_path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django.views.generic import RedirectView

from csms.people.joining import join

to_account = RedirectView.as_view(pattern_name="account")

urlpatterns = [
    path("join/<str:token>/", join, name="join"),
    path("login/", account.login, name="account_login"),
    path("login/off/", account.account_inactive, name="account_inactive"),
    path("login/code/", mfa.authenticate, name="mfa_authenticate"),
    path("logout/", require_POST(account.logout), name="account_logout"),
    path("password/", account.password_reset, name="account_reset_password"),
    path("password/sent/", account.password_reset_done, name="account_reset_password_done"),
    path("password/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("account/sure/", account.reauthenticate, name="account_reauthenticate"),
    path("account/sure/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("account/second-factor/", to_account, name="mfa_index"),
    path("account/second-factor/set-up/", never_cache(totp.activate_totp), name="mfa_activate_totp"),
    path("account/second-factor/off/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/codes/", never_cache(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("account/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("account/codes/download/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
]
