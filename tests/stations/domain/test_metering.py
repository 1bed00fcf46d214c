"""From single sampled values to one reading a moment."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stations.domain.metering import FIELDS, LIMIT, Sampled, readings, risen
from stations.domain.values import Note, Reading
from tests.trying import often

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
REGISTER = "Energy.Active.Import.Register"


def sampled(value: str, measurand: str = REGISTER, unit: str = "Wh", **fields: str) -> Sampled:
    return Sampled(Decimal(value), value, measurand, unit, **fields)


def read(*values: Sampled) -> Reading:
    (reading,) = readings(AT, values)
    return reading


def test_energy_and_power_are_stored_in_wh_and_w() -> None:
    assert read(sampled("1.5", unit="kWh")).energy_wh == 1500
    assert read(sampled("1500")).energy_wh == 1500
    assert read(sampled("7.36", "Power.Active.Import", "kW")).power_w == 7360


def test_each_context_is_a_reading_of_its_own_in_the_order_they_came() -> None:
    found = readings(
        AT, [sampled("2", context="Sample.Clock"), sampled("1"), sampled("9", "SoC", "Percent", context="Sample.Clock")]
    )
    assert [(r.context, r.energy_wh, r.soc_percent) for r in found] == [("Sample.Clock", 2, 9), ("Sample.Periodic", 1, None)]


def test_no_values_are_no_reading() -> None:
    assert readings(AT, []) == []


def test_phases_are_summed_only_without_a_total() -> None:
    phases = [sampled("100", phase="L1"), sampled("200", phase="L2"), sampled("300", phase="L3")]
    assert read(*phases).energy_wh == 600
    assert read(*phases, sampled("590")).energy_wh == 590
    assert read(sampled("590"), *phases).energy_wh == 590
    assert read(*phases).extra == {f"{REGISTER}/L1": "100 Wh", f"{REGISTER}/L2": "200 Wh", f"{REGISTER}/L3": "300 Wh"}


def test_a_phase_that_is_given_twice_counts_once() -> None:
    assert read(sampled("100", phase="L1"), sampled("100", phase="L1")).energy_wh == 100


def test_of_two_totals_the_first_is_kept_with_a_note() -> None:
    notes: list[Note] = []
    (reading,) = readings(
        AT, [Sampled(Decimal(5), "5"), Sampled(Decimal("0.005"), "0.005", unit="kWh"), Sampled(Decimal(7), "7")], notes
    )
    assert reading.energy_wh == 5
    assert [(note.code, note.subject) for note in notes] == [("sample_differs", "energy_wh")]


def test_what_a_register_rose_by_is_counted_over_where_it_began_anew_and_not_over_drop_outs() -> None:
    def risen_by(*registers: int) -> Decimal:
        return risen(map(Decimal, registers))

    assert risen_by(1000, 1500, 0, 1600) == 600
    assert risen_by(1000, 1500, 0, 200, 2000) == 2500
    assert risen_by(1000, 1500, 10, 200) == 690
    assert risen_by(5, 5) == risen_by(5) == risen_by() == 0


def test_current_is_that_of_the_most_loaded_phase_and_their_sum_and_voltage_the_mean() -> None:
    current = [sampled(v, "Current.Import", "A", phase=p) for v, p in (("6", "L1"), ("16", "L2"), ("0", "L3"), ("40", "N"))]
    voltage = [sampled(v, "Voltage", "V", phase=p) for v, p in (("228", "L1"), ("232", "L2"), ("400", "L1-L2"), ("1", "N"))]
    reading = read(*current, *voltage)
    assert (reading.current_a, reading.current_sum_a, reading.voltage_v) == (16, 22, 230)
    assert read(sampled("16", "Current.Import", "A")).current_sum_a is None
    assert reading.extra["Current.Import/N"] == "40 A"
    assert reading.extra["Voltage/L1-L2"] == "400 V"


def test_a_voltage_between_phases_is_not_taken_for_one_to_neutral() -> None:
    assert read(sampled("400", "Voltage", "V", phase="L1-L2")).voltage_v is None


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (sampled("5", "Energy.Active.Export.Register"), "Energy.Active.Export.Register", "5 Wh"),
        (sampled("5", location="Inlet"), f"{REGISTER}@Inlet", "5 Wh"),
        (sampled("5", unit="varh"), REGISTER, "5 varh"),
        (sampled("31", "Temperature", "Celsius", location="Body"), "Temperature@Body", "31 Celsius"),
        (sampled("101", "SoC", "Percent", location="EV"), "SoC@EV", "101 Percent"),
        (sampled("-1", "SoC", "Percent"), "SoC", "-1 Percent"),
        (sampled("1e12"), REGISTER, "1e12 Wh"),
        (sampled("1e9", unit="kWh"), REGISTER, "1e9 kWh"),
        (sampled("999999999999.9999"), REGISTER, "999999999999.9999 Wh"),
        (Sampled(None, "OCMF|…"), REGISTER, "OCMF|…"),
        (sampled("0.98", "Power.Factor", ""), "Power.Factor", "0.98"),
    ],
)
def test_what_has_no_field_or_cannot_be_is_kept_as_it_was_sent(value: Sampled, name: str, text: str) -> None:
    assert read(value) == Reading(AT, value.context, extra={name: text})


def test_phases_whose_sum_cannot_be_leave_the_field_empty() -> None:
    reading = read(*(sampled("999999999", unit="kWh", phase=phase) for phase in ("L1", "L2", "L3")))
    assert reading.energy_wh is None
    assert len(reading.extra) == 3


def test_values_are_stored_to_the_thousandth_and_the_state_of_charge_to_the_hundredth() -> None:
    reading = read(sampled("0.15012999999999999", unit="kWh"), sampled("55.125", "SoC", "Percent", location="EV"))
    assert (str(reading.energy_wh), str(reading.soc_percent)) == ("150.130", "55.12")


NUMBERS = st.decimals(-(10**14), 10**14, places=4) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40
)
ANY = st.builds(
    lambda value, *rest: Sampled(value, str(value), *rest),
    st.none() | NUMBERS,
    st.sampled_from([*FIELDS, "Frequency"]),
    st.sampled_from(["Wh", "kWh", "W", "kW", "A", "V", "Percent", "var", ""]),
    st.sampled_from(["Sample.Periodic", "Transaction.End"]),
    st.sampled_from(["Outlet", "EV", "Inlet"]),
    st.sampled_from(["", "L1", "L2", "L3", "N", "L1-L2"]),
)
QUICK = settings(max_examples=often(200), deadline=None, derandomize=True, database=None)


@QUICK
@given(st.lists(ANY, max_size=12))
def test_whatever_is_sampled_fits_the_table(values: list[Sampled]) -> None:
    found = readings(AT, values)
    assert [r.context for r in found] == list(dict.fromkeys(v.context for v in values))
    for reading in found:
        for field, _ in FIELDS.values():
            stored = getattr(reading, field)
            assert stored is None or (abs(stored) < LIMIT and stored.as_tuple().exponent >= -3)


@QUICK
@given(st.lists(st.decimals(0, 10**9, places=3), min_size=1, max_size=3), st.sampled_from(["Wh", "kWh"]))
def test_energy_is_never_negative_where_no_phase_is(values: list[Decimal], unit: str) -> None:
    phases = [Sampled(v, str(v), unit=unit, phase=phase) for v, phase in zip(values, ("L1", "L2", "L3"), strict=False)]
    energy = read(*phases).energy_wh
    assert energy is None or energy >= max(values)
