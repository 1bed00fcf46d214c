"""The secret in a one-time address. Only its hash is kept: whoever reads the table can open nothing with it.

A fast hash is enough for 160 random bits. Lower-case hex, because there are stations that change the case of a URL.
"""

import hashlib
import re
import secrets

TOKEN = re.compile(r"[0-9a-f]{40}\Z")


def make() -> tuple[str, str]:
    """A new token for an address, and what to store of it."""
    token = secrets.token_hex(20)
    return token, digest(token)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def check(presented: str) -> str | None:
    """What to look for in the table; None if this cannot be a token of ours. Found by the hash, nothing is compared in steps."""
    presented = presented.lower()
    return digest(presented) if TOKEN.match(presented) else None
