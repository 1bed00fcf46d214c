"""A bound on tries that works without Redis, too, by letting everybody try."""

from typing import Any

from csms.driver import limits


def test_so_many_tries_and_no_more(db: None) -> None:
    tries = [limits.exceeded("test", "dee", most=2, within_s=60) for _ in range(3)]
    assert tries == [False, False, True]
    assert not limits.exceeded("test", "dan", most=2, within_s=60)


def test_without_redis_nobody_is_held_up(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "csms.people.cache.Cache", "LOCATION": "redis://127.0.0.1:1/0"}}
    assert not any(limits.exceeded("test", "dee", most=0, within_s=60) for _ in range(3))
