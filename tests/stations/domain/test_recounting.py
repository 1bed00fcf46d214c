"""Energy out of registers that begin anew, drop out, or were told by halves."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.domain.recounting import Point, recount

BEGIN = datetime(2026, 11, 20, 10, tzinfo=UTC)


def points(*registers: int) -> list[Point]:
    return [(BEGIN + timedelta(minutes=n), Decimal(register)) for n, register in enumerate(registers)]


@pytest.mark.parametrize(
    ("registers", "span", "rises", "resets"),
    [
        ((1000, 1500, 4000), 3000, 3000, 0),
        ((1000, 1000), 0, 0, 0),
        # Dropped out in between, and came back (lbbrhzn/ocpp#374).
        ((1000, 1500, 0, 1600), 600, 600, 0),
        ((1000, 1500, 0, 0, 1500), 500, 500, 0),
        # Began anew: what it rose by before and after.
        ((1000, 1500, 0, 700), None, 1200, 1),
        ((5000, 0, 300, 0, 200), None, 500, 2),
    ],
)
def test_registers_make_energy(registers: tuple[int, ...], span: int | None, rises: int, resets: int) -> None:
    found = recount(points(*registers))
    assert found is not None
    assert (found.span_wh, found.rises_wh, found.resets) == (span, rises, resets)


@pytest.mark.parametrize("registers", [(), (1000,)])
def test_less_than_two_registers_make_none(registers: tuple[int, ...]) -> None:
    assert recount(points(*registers)) is None


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=50))
def test_the_sum_of_rises_is_never_negative_and_of_a_good_meter_the_span(registers: list[int]) -> None:
    found, good = recount(points(*registers)), recount(points(*sorted(registers)))
    assert found is not None
    assert good is not None
    assert found.rises_wh >= 0
    assert good.rises_wh == good.span_wh
    assert good.resets == 0
