from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from csms.simulator.battery import AC_22KW, CCS_50KW, Battery, Car
from csms.simulator.configuration import MEASURANDS
from csms.simulator.connector import Connector, Transaction, register_at
from csms.simulator.v16.dialect import meter_value

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def charging(supply=AC_22KW, stored=10_000.0):
    return Connector(1, supply, 5_000, car=Car(Battery(60_000, stored, 120_000)), transaction=Transaction("DEE", AT, 5_000))


def values(connector, measurand):
    sample = meter_value(connector, AT, "Sample.Periodic", set(MEASURANDS))
    return [(value.get("phase"), float(value["value"])) for value in sample["sampledValue"] if value["measurand"] == measurand]


@given(st.lists(st.tuples(st.sampled_from(["charge", "swap", "fault", "recover"]), st.floats(0, 1800)), max_size=40))
def test_the_register_never_goes_back_whatever_happens(story):
    connector = charging()
    readings = [connector.register_wh]
    for what, seconds in story:
        if what == "swap":
            connector.car = Car(Battery(40_000, 4_000, 50_000))
        elif what in {"fault", "recover"}:
            connector.error_code = "GroundFailure" if what == "fault" else "NoError"
        connector.advance(seconds)
        readings.append(connector.register_wh)
    assert all(before <= after for before, after in pairwise(readings))


@given(st.floats(0, 59_000), st.lists(st.integers(1, 300), min_size=1, max_size=60))
def test_power_summed_over_the_samples_is_the_energy_on_the_register(stored, steps):
    connector = charging(CCS_50KW, stored)
    low = high = 0.0
    before = connector.draw().power_w
    for seconds in steps:
        connector.advance(seconds)
        after = connector.draw().power_w
        low += after * seconds / 3600
        high += before * seconds / 3600
        before = after
    # Each step is integrated in pieces of its own, hence the percent.
    assert low * 0.99 - 400 <= connector.meter_wh - 5_000 <= high + 1


def test_power_is_voltage_times_the_currents_of_the_phases():
    connector = charging()
    ((_, power),) = values(connector, "Power.Active.Import")
    ((_, voltage),) = values(connector, "Voltage")
    currents = values(connector, "Current.Import")
    assert [phase for phase, _ in currents] == ["L1", "L2", "L3"]
    assert abs(sum(current for _, current in currents) * voltage - power) < 5


def test_only_a_dc_connector_tells_the_state_of_charge():
    assert values(charging(), "SoC") == []
    assert values(charging(CCS_50KW, 30_000), "SoC") == [(None, 50.0)]


def test_only_the_wanted_measurands_are_sampled():
    sample = meter_value(charging(), AT, "Sample.Periodic", {"Energy.Active.Import.Register"})
    assert sample == {
        "timestamp": "2026-11-21T12:00:00.000Z",
        "sampledValue": [
            {"measurand": "Energy.Active.Import.Register", "value": "5000", "unit": "Wh", "context": "Sample.Periodic"}
        ],
    }
    assert meter_value(charging(), AT, "Sample.Periodic", set()) is None


def test_the_status_follows_from_what_happens():
    connector = Connector(1, AC_22KW, 0)
    assert connector.status == "Available"
    connector.car = Car(Battery(60_000, 10_000, 120_000))
    assert connector.status == "Preparing"
    connector.transaction = Transaction("DEE", AT, 0)
    assert connector.status == "Charging"
    connector.car.battery.stored_wh = 60_000
    assert connector.status == "SuspendedEV"
    connector.transaction.held = True
    assert connector.status == "SuspendedEVSE"
    connector.error_code = "GroundFailure"
    assert connector.status == "Faulted"
    connector.error_code, connector.transaction, connector.finishing = "NoError", None, True
    assert connector.status == "Finishing"
    connector.operative = False
    assert connector.status == "Unavailable"


@given(st.integers(0, 86_400 * 30), st.integers(1, 86_400))
def test_a_simulator_started_again_shows_no_meter_that_ran_backwards(start, later):
    connector = charging(stored=0)
    connector.meter_wh = register_at(AT + timedelta(seconds=start), AC_22KW)
    connector.advance(later)
    again = register_at(AT + timedelta(seconds=start + later), AC_22KW)
    assert again >= connector.meter_wh - 1e-3
