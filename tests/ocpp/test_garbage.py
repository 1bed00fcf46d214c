"""Full garbage collections are seldom enough that nobody notices their pause."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from csms.ocpp import garbage
from csms.ocpp.garbage import Garbage


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


class Circle:
    def __init__(self) -> None:
        self.itself = self


def test_python_starts_no_full_collection_by_itself_but_young_objects_are_collected() -> None:
    young, middle, _ = gc.get_threshold()
    Garbage(0.0)
    assert gc.get_threshold() == (young, middle, garbage.NEVER)


def test_what_was_left_in_circles_is_collected_every_ten_minutes() -> None:
    looked_after = Garbage(100.0)
    circle = Circle()
    gone = weakref.ref(circle)
    gc.collect()  # it has grown old
    del circle
    assert not looked_after.look(100.0 + garbage.SELDOM_S - 1, sockets=3)
    assert gone() is not None
    assert looked_after.look(100.0 + garbage.SELDOM_S, sockets=3)
    assert gone() is None
    assert not looked_after.look(100.0 + 2 * garbage.SELDOM_S - 1, sockets=3)


def test_the_longer_a_collection_takes_or_will_take_the_longer_it_is_until_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_after = Garbage(0.0)
    clock = iter([10.0, 10.8])
    monkeypatch.setattr(garbage.time, "thread_time", lambda: next(clock))
    expected = garbage.REST * garbage.SOCKET_S * 6000
    assert not looked_after.look(expected - 1, sockets=6000)
    assert looked_after.look(expected, sockets=6000)
    assert not looked_after.look(expected + garbage.REST * 0.79, sockets=1)
