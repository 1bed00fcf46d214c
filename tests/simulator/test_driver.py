from random import Random

from hypothesis import given
from hypothesis import strategies as st

from csms.simulator.battery import AC_22KW, CCS_50KW
from csms.simulator.driver import Roster, plan_visit


@given(st.integers(), st.floats(1, 5000), st.sampled_from([AC_22KW, CCS_50KW]))
def test_a_faster_life_has_shorter_stays_and_smaller_batteries_but_the_same_power(seed, speed, supply):
    real, fast = plan_visit(Random(seed), supply), plan_visit(Random(seed), supply, speed)
    assert abs(fast.stay_s * speed - real.stay_s) < 1e-6 * real.stay_s
    assert abs(fast.car.battery.soc - real.car.battery.soc) < 1e-9
    assert abs(fast.car.battery.capacity_wh * speed - real.car.battery.capacity_wh) < 1e-3
    assert supply.offered_w(fast.car) == supply.offered_w(real.car)
    assert abs(fast.car.battery.power_w(11_000) - real.car.battery.power_w(11_000)) < 1e-3


def test_the_same_seed_gives_the_same_drivers():
    assert [plan_visit(Random(7), AC_22KW) for _ in range(3)] == [plan_visit(Random(7), AC_22KW) for _ in range(3)]


def test_a_card_is_with_one_driver_at_a_time():
    roster = Roster(["A", "B"], shared=False)
    taken = {roster.take(Random(1)), roster.take(Random(2))}
    assert taken == {"A", "B"}
    assert roster.take(Random(3)) is None
    roster.give_back("A")
    assert roster.take(Random(3)) == "A"


def test_shared_cards_are_lent_when_all_are_out():
    roster = Roster(["A"])
    assert [roster.take(Random(n)) for n in range(3)] == ["A", "A", "A"]


def test_some_drivers_have_a_card_that_nobody_knows():
    roster = Roster(["A"], strangers=("X",), stranger_rate=1)
    assert roster.take(Random(1)) == "X"
    assert roster.take(Random(1), known=True) == "A"
