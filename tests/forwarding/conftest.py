"""The mirror at work in this process, on a thread of its own, and what belongs to it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django_scopes import scopes_disabled

from csms.forwarding import feed, link, running, services
from csms.forwarding.models import Forward, ForwardLink
from tests.database import tables
from tests.forwarding.backend import BackEnd, backend
from tests.network import Network
from tests.servers import until


@contextmanager
def at_work() -> Iterator[None]:
    """As `manage.py forward`, but in this process."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(running.run(stop),), daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are short, nobody needs a bell, and whoever does not answer soon does not."""
    monkeypatch.setattr(feed, "POLL_S", 0.2)
    monkeypatch.setattr(running, "LOOK_S", 0.1)
    monkeypatch.setattr(running, "MATCH_S", 0.3)
    monkeypatch.setattr(running, "STAND_BY_S", 0.1)
    monkeypatch.setattr(link, "REST_S", 0.05)
    monkeypatch.setattr(link, "LONGEST_REST_S", 0.2)
    monkeypatch.setattr(link, "ANSWER_S", 0.5)


@pytest.fixture
def mirror(network: Network, impatient: None) -> Iterator[None]:
    with at_work():
        yield


@pytest.fixture
def them() -> Iterator[BackEnd]:
    with backend() as found:
        yield found


@pytest.fixture
def forwarded(network: Network) -> Iterator[Callable[..., Forward]]:
    """Adds a forward, which is removed at the end."""
    made: list[Forward] = []

    def add(to: BackEnd | str, **values: Any) -> Forward:
        url = to if isinstance(to, str) else to.url
        made.append(tables(services.add)(operator=network.operator, **{"name": "Fleet", "url": url} | values))
        return made[-1]

    yield add
    with scopes_disabled():
        Forward.objects.filter(pk__in=[one.pk for one in made]).delete()


def links(forward: Forward) -> list[ForwardLink]:
    with scopes_disabled():
        return list(ForwardLink.objects.filter(forward=forward).select_related("station").order_by("pk"))


def only(forward: Forward) -> ForwardLink:
    (found,) = links(forward)
    return found


def when(forward: Forward, condition: Callable[[ForwardLink], Any]) -> ForwardLink:
    """The one link of a forward, once the condition holds for it."""
    until(lambda: [one for one in links(forward) if condition(one)])
    return only(forward)
