"""The second factor: what is kept of it is encrypted, and what people do to it is in the audit."""

import base64
import secrets
from typing import Any

from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.people import note_own_change
from csms import sealing

PURPOSE = "second factor"


class Adapter(DefaultMFAAdapter):
    """Secrets lie in the database sealed."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _(
            "This code is not right, or it was used. The app shows another every 30 seconds: enter the one it shows now. "
            "If none works, see whether the clock of your telephone is right."
        ),
    }

    def encrypt(self, text: str) -> str:
        return sealing.seal(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        found = sealing.unseal(encrypted_text, purpose=PURPOSE)
        # One that nobody knows, so that no code fits. An owner resets it.
        return base64.b32encode(secrets.token_bytes(20)).decode() if found is None else found


def _note(user: User, authenticator: Authenticator, **rest: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        note_own_change(user=user, action="person.second_factor_set_up" if authenticator.pk else "person.second_factor_off")


def _note_codes(user: User, **rest: Any) -> None:
    note_own_change(user=user, action="person.recovery_codes_made")


def listen() -> None:
    signals.authenticator_added.connect(_note, dispatch_uid="audit")
    signals.authenticator_removed.connect(_note, dispatch_uid="audit")
    signals.authenticator_reset.connect(_note_codes, dispatch_uid="audit")
