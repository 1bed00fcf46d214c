"""What a station can do at most, and at which voltage, as its device model says."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from stations.domain import hardware
from stations.domain.composite import Limits


def setting(component: str, variable: str, value: str | None, **more: Any) -> hardware.Setting:
    given = {"evse": 1, "attribute": "Actual", "unit": "", "highest": None} | more
    return (component, given["evse"], variable, given["attribute"], value, given["unit"], given["highest"])


@pytest.mark.parametrize(
    ("settings", "volts"),
    [
        ([], None),
        ([setting("ElectricalFeed", "ACVoltage", "230"), setting("Connector", "Voltage", "227.5")], Decimal("227.5")),
        ([setting("ElectricalFeed", "Voltage", "240", evse=0)], Decimal(240)),
        ([setting("ElectricalFeed", "Voltage", "400")], None),
        ([setting("Connector", "Voltage", "many"), setting("Display", "Voltage", "230")], None),
        ([setting("Connector", "Voltage", "230", attribute="MaxSet")], None),
    ],
)
def test_the_voltage_is_that_of_a_phase_nearest_to_the_car(settings: list[hardware.Setting], volts: Decimal | None) -> None:
    assert hardware.volts(settings) == volts


def caps(*settings: hardware.Setting) -> list[tuple[int, str, Decimal]]:
    found = hardware.caps(settings)
    return [(one.evse, one.profile.schedules[0].unit, one.profile.schedules[0].periods[0].limit) for one in found]


def test_a_cap_is_what_may_be_set_at_most_or_the_highest_value() -> None:
    assert caps(setting("EVSE", "Power", "22000", attribute="MaxSet")) == [(1, "W", Decimal(22000))]
    assert caps(setting("EVSE", "Power", "11", attribute="MaxSet", unit="kW", evse=2)) == [(2, "W", Decimal(11000))]
    assert caps(setting("EVSE", "Power", "3", highest=7400.0)) == [(1, "W", Decimal("7400.0"))]
    assert caps(setting("EVSE", "MaxCurrent", "32"), setting("EVSE", "ACCurrent", "7")) == [(1, "A", Decimal(32))]
    assert caps(setting("EVSE", "Power", "150"), setting("EVSE", "Power", "-1", attribute="MaxSet")) == []
    assert caps(setting("EVSE", "Power", "9", attribute="MaxSet", evse=0), setting("Connector", "Power", "9")) == []


def test_caps_limit_only_where_they_are_asked_for() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    known = Limits((), {}, (1,), Decimal(200), "settings", hardware.caps([setting("EVSE", "Power", "12000", attribute="MaxSet")]))
    assert [one.limit for one in known.composite(1, now, 60, "A")] == [None]
    assert [one.limit for one in known.with_caps("A").composite(1, now, 60, "A")] == [Decimal(20)]
    assert [one.limit for one in known.with_caps("W").composite(0, now, 60, "W")] == [Decimal(12000)]


@pytest.mark.parametrize(
    ("settings", "phases"),
    [
        ([], {}),
        ([setting("EVSE", "SupplyPhases", "1"), setting("Connector", "SupplyPhases", "3")], {1: 1}),
        ([setting("Connector", "SupplyPhases", "3", evse=2), setting("Connector", "SupplyPhases", "1", evse=2)], {2: 1}),
        ([setting("EVSE", "SupplyPhases", "0")], {1: 0}),
        ([setting("EVSE", "SupplyPhases", "many"), setting("EVSE", "SupplyPhases", "6", evse=2)], {}),
        ([setting("ChargingStation", "SupplyPhases", "3", evse=0), setting("EVSE", "SupplyPhases", "1", attribute="MaxSet")], {}),
    ],
)
def test_the_phases_are_those_of_the_evse_else_of_its_connectors(settings: list[hardware.Setting], phases: dict[int, int]) -> None:
    assert hardware.phases(settings) == phases


@pytest.mark.parametrize(("phases", "limit"), [({}, Decimal("10.7")), ({1: 1}, Decimal(32)), ({1: 2}, Decimal(16)), ({1: 0}, None)])
def test_a_power_is_that_of_the_phases_that_there_are(phases: dict[int, int], limit: Decimal | None) -> None:
    """Of direct current no current follows from it."""
    now, power = datetime(2026, 1, 1, tzinfo=UTC), setting("EVSE", "Power", "0", highest=7360)
    known = Limits((), {}, (1,), caps=hardware.caps([power]), phases=phases)
    assert [one.limit for one in known.with_caps("A").composite(1, now, 60, "A")] == [limit]
    assert [one.limit for one in known.with_caps("W").composite(1, now, 60, "W")] == [Decimal(7360)]
