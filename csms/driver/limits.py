"""How often somebody may try something. Counted in Redis, for all processes together; without Redis nobody is held up."""

import logging

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


def exceeded(what: str, who: str, *, most: int, within_s: int) -> bool:
    """Count a try, and whether it is one too many: more than `most` since the first of them, `within_s` seconds ago at most."""
    name = _name(what, who)
    try:
        cache.add(name, 0, within_s)
        return bool(cache.incr(name) > most)
    except (RedisError, ValueError) as error:  # ValueError: it expired between the two
        log.warning("Tries are not counted: %s", error)
        return False


def peer(request: HttpRequest) -> str:
    """The address that it comes from."""
    return str(request.META.get("REMOTE_ADDR", ""))


def _name(what: str, who: str) -> str:
    # Hashed: Redis need not know who tried to log in.
    return f"limit:{what}:" + salted_hmac("csms.driver.limits", who).hexdigest()
