"""Ada's network, codes as an app makes them, and no wrong password remembered from the test before."""

import time
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.network import Network

PASSWORD = "charge-it-all-night"


@pytest.fixture(autouse=True)
def forgotten_tries() -> None:
    cache.clear()


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


@pytest.fixture
def mail_server(settings: Any) -> None:
    """As with EMAIL_URL set; what is sent lies in `django.core.mail.outbox`."""
    settings.MAIL = True


def code_of(secret: str) -> str:
    """What the app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def with_second_factor(user: User) -> tuple[str, list[str]]:
    """The secret that their app has, and their recovery codes."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret, RecoveryCodes.activate(user).get_unused_codes()


def log_in(client: Client, user: User, password: str = PASSWORD, **fields: str) -> Any:
    return client.post("/login/", {"login": user.email, "password": password, **fields})
