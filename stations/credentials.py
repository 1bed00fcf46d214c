"""Passwords of stations: how they are kept, and in which forms a station may present them.

Kept is "<key id>$<hex>": HMAC-SHA256 under the newest of `STATION_SECRET_KEYS`, which lie outside the database. A keyed hash and
not a slow one, because a reconnect storm checks thousands; made passwords have over 100 bits. Any key still listed verifies.
"""

import hmac
import re

from django.conf import settings

# A 1.6 AuthorizationKey is 16 to 20 bytes, configured as hex digits of either case (OCPP 1.6 security whitepaper, A00).
HEX = re.compile(r"[0-9a-fA-F]{32,40}\Z")
#: Characters of a password: OCPP 2.0.1 A00 and the 1.6 security whitepaper.
LEAST, MOST = 16, 40


def hash_password(password: str) -> str:
    """What to store for a password."""
    key_id, key = settings.STATION_SECRET_KEYS[0]
    return f"{key_id}${_mac(key, _normal(password)).hex()}"


def matches(stored_hash: str, presented: bytes, *, any_form: bool) -> bool:
    """Whether what stood after the colon of HTTP Basic is the password.

    2.x presents the text itself. Many 1.6 stations present the raw bytes of a password that was set as hex digits, or the hex
    digits of one that was set as text. A password of 32 to 40 hex digits is compared without case in every version.
    """
    key_id, _, digest = stored_hash.rpartition("$")
    key = dict(settings.STATION_SECRET_KEYS).get(key_id)
    if not key or not digest or not presented:
        return False
    wanted = digest.encode()
    found = False
    for form in _forms(presented, any_form=any_form):
        # No short cut: how long it takes must not tell which form was right.
        found |= hmac.compare_digest(_mac(key, form).hex().encode(), wanted)
    return found


def as_presented(presented: bytes | None, *, any_form: bool) -> tuple[str, str]:
    """What was presented: a good password, or why it cannot be a station's (`stations.models.Sent`); and its hash if it can."""
    if not presented:
        return "nothing", ""
    text = _text(presented)
    if text is None or not text.isprintable():
        # Raw bytes of a password that was set as hex digits.
        raw = any_form and 16 <= len(presented) <= 20
        return ("good", hash_password(presented.hex())) if raw else ("odd", "")
    if not LEAST <= len(text) <= MOST:
        return "short" if len(text) < LEAST else "long", ""
    return "good", hash_password(text)


def _forms(presented: bytes, *, any_form: bool) -> list[str]:
    """The passwords that `presented` may stand for."""
    text = _text(presented)
    forms = [] if text is None else [_normal(text)]
    if any_form and 16 <= len(presented) <= 20:
        forms.append(presented.hex())
    if any_form and text is not None and HEX.match(text) and len(text) % 2 == 0:
        decoded = _text(bytes.fromhex(text))
        forms += [] if decoded is None else [decoded]
    return forms


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _normal(password: str) -> str:
    return password.lower() if HEX.match(password) else password


def _mac(key: str, password: str) -> bytes:
    return hmac.digest(key.encode(), password.encode(), "sha256")
