"""One key that went wild is held up, and nobody else is."""

from collections.abc import Iterator
from random import randrange

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client

from tests.api.conftest import KeyClient, Person
from tests.relay import Relay

SITES = "/api/v1/sites/"


@pytest.fixture
def minute(settings: LazySettings) -> Iterator[time_machine.Traveller]:
    """Three requests a minute, twenty seconds of which are gone; a minute in which nobody asked, as nothing is flushed in Redis."""
    settings.API_RATE = 3
    with time_machine.travel(60 * randrange(10**6, 10**7) + 20, tick=False) as clock:
        yield clock


def asked(who: KeyClient, times: int) -> list[int]:
    return [who.get(SITES).status_code for _ in range(times)]


def test_one_more_than_the_bound_is_told_when_to_come_again(ada: Person, minute: time_machine.Traveller) -> None:
    assert asked(ada.client, 4) == [200, 200, 200, 429]
    answer = ada.client.get(SITES)
    assert (answer["Retry-After"], answer["Content-Type"]) == ("40", "application/problem+json")
    problem = answer.json()
    assert (problem["title"], problem["status"]) == ("Too Many Requests", 429)
    assert problem["detail"] == (
        "One key or login may make 3 requests a minute: ask for more rows at a time, or less often."
        " Expected available in 40 seconds."
    )
    minute.shift(40)
    assert asked(ada.client, 1) == [200]


def test_another_key_and_the_persons_own_login_are_counted_apart(ada: Person, ben: Person, minute: object) -> None:
    assert asked(ada.client, 4)[-1] == 429
    assert asked(ben.client, 1) == [200]
    browser = Client()
    browser.force_login(ada.user)
    assert [browser.get(SITES).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_there_may_be_no_bound(ada: Person, settings: LazySettings) -> None:
    settings.API_RATE = 0
    assert set(asked(ada.client, 10)) == {200}


def test_without_redis_nobody_is_held_up(ada: Person, minute: object, settings: LazySettings) -> None:
    relay = Relay()
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": relay.url}}
    try:
        assert asked(ada.client, 1) == [200]
        relay.take_away()
        assert asked(ada.client, 5) == [200] * 5
    finally:
        relay.close()
