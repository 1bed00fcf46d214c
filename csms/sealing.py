"""Secrets that are needed as they are, and yet do not lie in the database as they are.

Kept is "<key id>$<text>", encrypted under the newest of `STATION_SECRET_KEYS`, which lie outside the database. Any key still
listed opens. Each purpose has a key of its own, derived from them: what was sealed for one cannot be passed off as another's.
"""

import base64
import hashlib
import hmac
import logging
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import models

logger = logging.getLogger(__name__)


def seal(text: str, *, purpose: str) -> str:
    key_id, key = settings.STATION_SECRET_KEYS[0]
    return f"{key_id}${_box(key, purpose).encrypt(text.encode()).decode()}"


def unseal(sealed: str, *, purpose: str) -> str | None:
    """What was sealed; None if it was under a key that is not listed any more, or for another purpose."""
    key_id, _sep, text = sealed.partition("$")
    key = dict(settings.STATION_SECRET_KEYS).get(key_id)
    try:
        if key is not None:
            return _box(key, purpose).decrypt(text.encode()).decode()
    except InvalidToken:
        pass
    logger.error("A %s cannot be read: CSMS_STATION_SECRET_KEYS has no key %s, or another.", purpose, key_id)
    return None


def _box(key: str, purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hmac.digest(key.encode(), purpose.encode(), hashlib.sha256)))


class SealedField(models.CharField):  # type: ignore[type-arg]
    """Text that is sealed in the table and plain in the program; what cannot be read is empty. Nothing can be looked up by it."""

    def __init__(self, *args: Any, purpose: str = "", **kwargs: Any) -> None:
        self.purpose = purpose
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"purpose": self.purpose}

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return (unseal(value, purpose=self.purpose) or "") if value else value

    def get_prep_value(self, value: Any) -> Any:
        plain = super().get_prep_value(value)
        return seal(plain, purpose=self.purpose) if plain else plain
