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


@pytest.mark.parametrize(
    ("ended", "after_s"), [(garbage.ENDED, garbage.SELDOM_S), (0, garbage.LONGEST_S)], ids=["ended", "an hour"]
)
def test_what_was_left_in_circles_is_collected_when_sockets_have_ended_or_after_an_hour(ended: int, after_s: float) -> None:
    looked_after = Garbage(100.0)
    looked_after.ended = ended
    circle = Circle()
    gone = weakref.ref(circle)
    gc.collect()  # it has grown old
    del circle
    assert not looked_after.look(100.0 + after_s - 1, sockets=3)
    assert gone() is not None
    assert looked_after.look(100.0 + after_s, sockets=3)
    assert gone() is None
    assert looked_after.ended == 0


def test_the_longer_a_collection_takes_or_will_take_the_longer_it_is_until_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_after = Garbage(0.0)
    clock = iter([10.0, 10.2])
    monkeypatch.setattr(garbage.time, "thread_time", lambda: next(clock))
    looked_after.ended = 10_000
    expected = garbage.REST * garbage.SOCKET_S * 1000
    assert not looked_after.look(expected - 1, sockets=1000)
    assert looked_after.look(expected, sockets=1000)
    looked_after.ended = 10_000
    assert not looked_after.look(expected + garbage.REST * 0.19, sockets=1)
