"""What allauth asks us: who may sign up, where people go, what they are told, how mail leaves."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.models import Kind, User
from accounts.people import change_password

logger = logging.getLogger(__name__)

#: What one sees anyway.
UNSAID = {"account/messages/logged_in.txt", "account/messages/logged_out.txt", "account/messages/password_changed.txt"}
#: Where drivers are led when they log in on the operators' page.
DRIVERS_HOME = "/driver/"


class Adapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _(
            "No account has this e-mail address and password. Check both; passwords tell capitals from small letters."
        ),
        "too_many_login_attempts": _("Too many wrong passwords for this address. Wait five minutes, then try again."),
        "incorrect_password": _("This is not your password. Passwords tell capitals from small letters."),
        "rate_limited": _("There were too many tries. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Staff come by invitation. Drivers sign up in an app: `csms.driver` opens that."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        user = request.user
        if isinstance(user, User) and user.kind == Kind.DRIVER:
            return DRIVERS_HOME
        return resolve_url("wall")

    def get_client_ip(self, request: HttpRequest) -> str:
        # `csms.proxies` has put the client's there. A server on a Unix socket knows none.
        return str(request.META.get("REMOTE_ADDR") or "unknown")

    def add_message(self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any) -> None:
        if message_template not in UNSAID:
            super().add_message(request, level, message_template, *args, **kwargs)

    def set_password(self, user: Any, password: str) -> None:
        """A new password after the old one was forgotten: whoever has the link is that person."""
        with audit.acting(user, via="page"):
            change_password(user=user, password=password)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> bool:
        """Whether it is on its way. A mail server that is away is no reason to fail: the page says what else there is."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # those of smtplib are, too
            logger.error("Mail could not be sent, see EMAIL_URL: %s", error)
            return False
        return bool(settings.MAIL)

    # Wrong passwords are counted by e-mail and client's address together, so that nobody can lock out somebody else from afar,
    # and the right one forgets them: whoever has it need not guess.

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return f"{super()._get_login_attempts_cache_key(request, **credentials)}:{ratelimit.get_ip(request)}"

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        if user:
            self._delete_login_attempts_cached_email(request, **credentials)
        return user
