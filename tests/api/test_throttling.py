"""One key that went wild is held up, and nobody else is."""

from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.cache import cache

from tests.api.conftest import Network, Person

SITES = "/api/v1/sites/"


@pytest.fixture
def three(settings: LazySettings) -> Any:
    """Three requests a minute, twenty seconds of which are gone. In a minute of this test's own: nothing is flushed in Redis."""
    settings.API_RATE = 3
    cache.delete_pattern("*") if hasattr(cache, "delete_pattern") else None
    with time_machine.travel(20.0, tick=False) as clock:
        yield clock


def test_one_more_than_the_bound_is_told_when_to_come_again(ada: Person, amber: Network, three: Any) -> None:
    assert [ada.client.get(SITES).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = ada.client.get(SITES)
    assert (answer["Retry-After"], answer["Content-Type"]) == ("40", "application/problem+json")
    problem = answer.json()
    assert (problem["title"], problem["status"]) == ("Too Many Requests", 429)
    assert problem["detail"] == (
        "One key or login may make 3 requests a minute: ask for more rows at a time, or less often."
        " Expected available in 40 seconds."
    )
