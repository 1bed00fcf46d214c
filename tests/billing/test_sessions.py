"""From a station's transaction to the session that is priced: readings that jump, and times that were corrected."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing import sessions
from billing.tariff import Reserved
from stations.models import Station, Transaction
from stations.ports import SoFar
from tests.billing.make import START

END = START + timedelta(minutes=60)


def rising(*readings: int, total: int = 100) -> list[tuple[int, int]]:
    """Minutes and Wh of the samples between the start and the end; a reading every ten minutes."""
    read = ((START + timedelta(minutes=10 * n), Decimal(wh), None) for n, wh in enumerate(readings, start=1))
    known = SoFar(START, END, Decimal(total), "UTC", list(read))
    return [((one.at - START) // timedelta(minutes=1), int(one.energy_wh)) for one in sessions.so_far(known).samples]


@pytest.mark.parametrize(
    ("readings", "samples"),
    [
        ((20, 40, 60), [(10, 20), (20, 40), (30, 60)]),
        ((20, -900, 60), [(10, 20), (20, 20), (30, 60)]),
        ((20, 10, 60), [(10, 20), (20, 20), (30, 60)]),
        ((20, 9000, 60, 80), [(10, 20), (30, 60), (40, 80)]),
        ((20, 9000, 9001, 60), [(10, 20), (40, 60)]),
        # It had all of it by then, and the last register was read less exactly.
        ((20, 80, 101, 101), [(10, 20), (20, 80), (30, 100)]),
        ((20, 101, 100, 101), [(10, 20), (20, 100), (30, 100), (40, 100)]),
        ((), []),
        ((20, 40, 60, 80, 90, 95, 99), [(10, 20), (20, 40), (30, 60), (40, 80), (50, 90)]),
    ],
)
def test_a_meter_that_jumps_or_falls_moves_no_other_energy(readings: tuple[int, ...], samples: list[tuple[int, int]]) -> None:
    assert rising(*readings) == [(0, 0), *samples, (60, 100)]


@pytest.mark.parametrize(("told", "charging"), [(None, 60), (-5, 0), (0, 0), (30, 30), (60, 60), (90, 60)])
def test_charging_ends_within_the_session(told: int | None, charging: int) -> None:
    at = None if told is None else START + timedelta(minutes=told)
    ended = sessions.so_far(SoFar(START, END, Decimal(100), "UTC", charging_ended_at=at))
    assert ended.charging_end == START + timedelta(minutes=charging)
    past = Transaction(started_at=START, charging_ended_at=at, station=Station())
    assert sessions.ended(past, energy_wh=Decimal(100), end=END).charging_end == START + timedelta(minutes=charging)


@pytest.mark.parametrize(("since", "counted"), [(None, None), (-30, -30), (0, 0), (5, 0)])
def test_a_reservation_ends_when_its_session_begins(since: int | None, counted: int | None) -> None:
    at = None if since is None else START + timedelta(minutes=since)
    expected = None if counted is None else Reserved(START + timedelta(minutes=counted), START)
    running = sessions.so_far(SoFar(START, END, Decimal(100), "UTC", reserved_at=at))
    past = sessions.ended(Transaction(started_at=START, reserved_at=at, station=Station()), energy_wh=Decimal(100), end=END)
    assert (running.reserved, past.reserved) == (expected, expected)


@pytest.mark.parametrize(
    ("read", "held"),
    [((None, 16, None, 10), (16, 16, 16, 16, 10, 10)), ((None, None), (None, None, None, None)), ((16,), (16, 16, 16))],
)
def test_a_current_holds_until_another_is_read_and_the_first_from_the_start(
    read: tuple[int | None, ...], held: tuple[int | None, ...]
) -> None:
    points = [
        (START + timedelta(minutes=n), Decimal(n), None if one is None else Decimal(one)) for n, one in enumerate(read, start=1)
    ]
    found = sessions.so_far(SoFar(START, END, Decimal(100), "UTC", points))
    assert [one.current_a for one in found.samples] == list(held)
