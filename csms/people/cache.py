"""The cache, in which allauth counts wrong passwords and codes. Redis being away must not lock people out."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

#: How the keys of allauth begin.
COUNTED = "allauth"
#: A Redis that does not answer is not asked again for so long, lest each of a login's counts wait for it.
REST_S = 5


class Cache(RedisCache):
    """Django's, except that what allauth asks of it is answered as by an empty cache while Redis is away.

    Whoever else asks gets the error.
    """

    away_until = 0.0

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._asked(key, default, lambda: super(Cache, self).get(key, default, version))

    def add(self, key: Any, value: Any, timeout: Any = 300, version: int | None = None) -> bool:
        return bool(self._asked(key, True, lambda: super(Cache, self).add(key, value, timeout, version)))

    def set(self, key: Any, value: Any, timeout: Any = 300, version: int | None = None) -> None:
        self._asked(key, None, lambda: super(Cache, self).set(key, value, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._asked(key, False, lambda: super(Cache, self).delete(key, version)))

    def clear(self) -> None:
        """What this cache keeps goes. Django's empties the whole of Redis, with the jobs that wait in it."""
        client = self._cache.get_client(write=True)
        for key in client.scan_iter(match=f"{self.key_prefix}:*", count=1000):
            client.delete(key)

    def _asked(self, key: Any, otherwise: Any, ask: Callable[[], Any]) -> Any:
        if not str(key).startswith(COUNTED):
            return ask()
        if time.monotonic() < self.away_until:
            return otherwise
        try:
            return ask()
        except RedisError:
            self.away_until = time.monotonic() + REST_S
            logger.exception("Redis cannot be reached: wrong passwords and codes are not counted.")
            return otherwise
