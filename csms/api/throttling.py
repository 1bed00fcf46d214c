"""How much one program or person may ask for: a bound for the one that went wild, far above what is useful."""

import logging
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module

PERIOD_S = 60
log = logging.getLogger(__name__)


class PerKey(BaseThrottle):
    """CSMS_API_RATE requests in each minute of the clock, by key; by person in the browser, by address without either.

    Counted in Redis, for all processes together. Without Redis nobody is held up.
    """

    waits_s = 0.0
    counted = "api-rate"

    def bound(self) -> int:
        rate: int = settings.API_RATE
        return rate

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not settings.API_RATE:
            return True
        minute, gone_s = divmod(time.time(), PERIOD_S)
        self.waits_s = PERIOD_S - gone_s
        name = f"{self.counted}:{_who(request)}:{minute:.0f}"
        try:
            cache.add(name, 0, 2 * PERIOD_S)
            return cache.incr(name) <= self.bound()
        except (RedisError, ValueError) as error:  # ValueError: it was evicted between the two
            log.warning("Requests are not counted: %s", error)
            return True

    def wait(self) -> float:
        return self.waits_s


def _who(request: Request) -> str:
    if isinstance(request.auth, ApiKey):
        return f"key-{request.auth.pk}"
    return f"user-{request.user.pk}" if request.user else f"at-{request.META.get('REMOTE_ADDR', '')}"
