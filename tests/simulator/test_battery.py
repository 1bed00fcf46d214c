from hypothesis import given
from hypothesis import strategies as st

from csms.simulator.battery import AC_22KW, AC_VOLTAGE_V, CCS_50KW, Battery, Car, draw

batteries = st.builds(
    lambda capacity, soc, power: Battery(capacity, capacity * soc, power),
    st.floats(500, 100_000),
    st.floats(0, 1),
    st.floats(3_000, 250_000),
)


@given(batteries, st.floats(0, 350_000), st.lists(st.floats(0, 7200), max_size=12))
def test_a_battery_never_loses_energy_and_never_overflows(battery, offered, pieces):
    for seconds in pieces:
        before = battery.stored_wh
        taken = battery.charge(offered, seconds)
        assert taken >= 0
        assert battery.stored_wh == before + taken or abs(battery.stored_wh - before - taken) < 1e-6
        assert 0 <= battery.soc <= 1
        assert taken <= offered * seconds / 3600 + 1e-6


@given(batteries, st.floats(1_000, 350_000))
def test_power_is_what_is_offered_or_less_and_falls_as_the_battery_fills(battery, offered):
    powers = []
    for _ in range(50):
        powers.append(battery.power_w(offered))
        battery.charge(offered, 300)
    assert all(power <= min(offered, battery.max_power_w) for power in powers)
    assert powers == sorted(powers, reverse=True)


@given(batteries, st.floats(1_000, 350_000), st.integers(1, 60))
def test_many_short_steps_give_the_energy_of_one_long_one(battery, offered, steps):
    other = Battery(battery.capacity_wh, battery.stored_wh, battery.max_power_w)
    at_once = battery.charge(offered, 1800)
    in_steps = sum(other.charge(offered, 1800 / steps) for _ in range(steps))
    assert abs(at_once - in_steps) <= 0.01 * battery.capacity_wh


@given(batteries)
def test_every_battery_is_full_in_the_end(battery):
    battery.charge(11_000, 1_000 * 3600)
    assert battery.full
    assert battery.power_w(11_000) == 0


def test_below_the_taper_energy_is_power_times_time():
    battery = Battery(60_000, 12_000, 100_000)
    assert battery.charge(11_040, 3600) == 11_040 or abs(battery.stored_wh - 23_040) < 1e-6


def test_an_ac_car_draws_on_the_phases_and_amperes_it_has():
    now = draw(AC_22KW, Car(Battery(60_000, 10_000, 100_000), ac_phases=1, ac_current_a=16), flowing=True)
    assert (now.power_w, now.currents_a, now.voltage_v, now.soc_percent) == (3_680, (16, 0, 0), AC_VOLTAGE_V, None)


def test_a_dc_car_draws_what_the_connector_gives_and_shows_its_state_of_charge():
    now = draw(CCS_50KW, Car(Battery(60_000, 30_000, 150_000)), flowing=True)
    assert now.power_w == 50_000
    assert now.soc_percent == 50
    assert abs(now.currents_a[0] * now.voltage_v - 50_000) < 1e-6


def test_nothing_flows_into_no_car():
    assert draw(AC_22KW, None, flowing=True).power_w == 0
