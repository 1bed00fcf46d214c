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
    gc.unfreeze()
    gc.set_threshold(*before)


class Circle:
    def __init__(self) -> None:
        self.itself = self


def test_python_starts_no_full_collection_by_itself_but_young_objects_are_collected() -> None:
    young, middle, _ = gc.get_threshold()
    Garbage(0.0)
    assert gc.get_threshold() == (young, middle, garbage.NEVER)


def test_what_was_left_in_circles_is_collected_when_it_is_time() -> None:
    looked_after = Garbage(100.0)
    circle = Circle()
    gone = weakref.ref(circle)
    gc.collect()  # it has grown old
    del circle
    assert not looked_after.look(100.0 + garbage.SELDOM_S - 1, sockets=1)
    assert gone() is not None
    assert looked_after.look(100.0 + garbage.SELDOM_S, sockets=1)
    assert gone() is None


@pytest.mark.parametrize(
    ("ended", "later_s"), [(garbage.ENDED, 10**3), (0, garbage.WHOLE_S)], ids=["sockets ended", "an hour later"]
)
def test_what_outlived_a_collection_is_walked_again_when_sockets_have_ended_or_in_an_hour(ended: int, later_s: float) -> None:
    looked_after = Garbage(0.0)
    circle = Circle()
    gone = weakref.ref(circle)
    assert looked_after.look(10**3, sockets=3)
    del circle
    assert looked_after.look(2 * 10**3, sockets=3)
    assert gone() is not None
    looked_after.ended += ended
    assert looked_after.look(2 * 10**3 + later_s, sockets=3)
    assert gone() is None


def test_the_longer_a_collection_takes_the_longer_it_is_until_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_after = Garbage(0.0)
    clock = iter([10.0, 10.2])
    monkeypatch.setattr(garbage.time, "monotonic", lambda: next(clock))
    assert looked_after.look(garbage.SELDOM_S, sockets=1)
    assert looked_after.due == pytest.approx(garbage.SELDOM_S + 0.2 * garbage.REST)
