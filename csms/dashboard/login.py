"""Logging in with an e-mail address and a password, with a limit on how often one may guess."""

import logging
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)

TRIES = 10
WINDOW_S = 300


class LoginForm(AuthenticationForm):
    username = forms.EmailField(
        label=_("E-mail"), widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"}), max_length=254
    )
    error_messages = {
        "invalid_login": _(
            "No account has this e-mail address and password. Check both; passwords tell capitals from small letters."
        ),
        "inactive": _("This account is switched off. Ask the owner of your network."),
        "too_many": _("Too many wrong passwords for this address. Wait five minutes, then try again."),
    }

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()

    def clean(self) -> dict[str, Any]:
        key = self._key()
        # Redis being away must not lock people out.
        try:
            tries = cache.get_or_set(key, 0, WINDOW_S)
        except Exception:
            logger.exception("Redis cannot be reached: wrong passwords are not counted.")
            return super().clean()
        if tries is not None and tries >= TRIES:
            raise forms.ValidationError(self.error_messages["too_many"], code="too_many")
        try:
            cleaned = super().clean()
        except forms.ValidationError:
            self._count(key)
            raise
        cache.delete(key)
        return cleaned

    def _key(self) -> str:
        # By address too, so that nobody can lock out somebody else from afar.
        peer = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        return "login:" + salted_hmac("login", f"{self.cleaned_data.get('username')} {peer}").hexdigest()

    def _count(self, key: str) -> None:
        try:
            cache.incr(key)
        except ValueError:  # it expired meanwhile
            cache.set(key, 1, WINDOW_S)


class Login(LoginView):
    authentication_form = LoginForm
    redirect_authenticated_user = True
