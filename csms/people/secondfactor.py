"""The second factor: what is kept of it is encrypted, and what people do to it is in the audit."""

import base64
import hashlib
import hmac
import logging
import secrets
from typing import Any

from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.people import note_own_change

logger = logging.getLogger(__name__)


class Adapter(DefaultMFAAdapter):
    """Secrets lie in the database as `<key id>$<text>`, encrypted with the first of CSMS_STATION_SECRET_KEYS."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _(
            "This code is not right, or it was used. The app shows another every 30 seconds: enter the one it shows now. "
            "If none works, see whether the clock of your telephone is right."
        ),
    }

    def encrypt(self, text: str) -> str:
        key_id, key = settings.STATION_SECRET_KEYS[0]
        return f"{key_id}${_box(key).encrypt(text.encode()).decode()}"

    def decrypt(self, encrypted_text: str) -> str:
        key_id, _sep, text = encrypted_text.partition("$")
        key = dict(settings.STATION_SECRET_KEYS).get(key_id)
        try:
            if key is not None:
                return _box(key).decrypt(text.encode()).decode()
        except InvalidToken:
            pass
        logger.error("A second factor cannot be read: CSMS_STATION_SECRET_KEYS has no key %s, or another.", key_id)
        # One that nobody knows, so that no code fits. An owner resets it.
        return base64.b32encode(secrets.token_bytes(20)).decode()


def _box(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hmac.digest(key.encode(), b"second factor", hashlib.sha256)))


def _note(user: User, authenticator: Authenticator, **rest: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        note_own_change(user=user, action="person.second_factor_set_up" if authenticator.pk else "person.second_factor_off")


def _note_codes(user: User, **rest: Any) -> None:
    note_own_change(user=user, action="person.recovery_codes_made")


def listen() -> None:
    signals.authenticator_added.connect(_note, dispatch_uid="audit")
    signals.authenticator_removed.connect(_note, dispatch_uid="audit")
    signals.authenticator_reset.connect(_note_codes, dispatch_uid="audit")
