"""The cache that counts wrong passwords shares its Redis with the jobs that wait in it."""

import redis
from django.conf import settings
from django.core.cache import cache


def test_emptying_the_cache_leaves_what_others_keep_in_redis() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as shared:
        shared.set("a-job-that-waits", "1", ex=60)
        cache.set("counted", 3)
        cache.clear()
        assert cache.get("counted") is None
        assert shared.get("a-job-that-waits") == b"1"
