"""One-time addresses: a secret in an address that stands for a login. Only its digest is kept."""

import hashlib
import secrets

#: Characters of a token: 256 bits.
LENGTH = 43


def make() -> tuple[str, str]:
    """A new token, and the digest to keep."""
    token = secrets.token_urlsafe(32)
    return token, digest(token)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
