"""Signatures as standardwebhooks.com has them: HMAC-SHA256 over id, time and body, so that neither can be changed or used again."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"


def make_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(*, name: str, at: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """What goes with a body: the event's id, the time (seconds since 1970), and a signature for each secret that is valid."""
    signatures = " ".join(f"v1,{sign(name=name, at=at, body=body, secret=secret)}" for secret in secrets)
    return {"Webhook-Id": name, "Webhook-Timestamp": str(at), "Webhook-Signature": signatures}


def sign(*, name: str, at: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
