"""The form of a tariff says what an OCPI object says: both ways, and with the same price for every session."""

import json
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict

from billing import tariff as engine
from csms.dashboard import tariffocpi
from csms.dashboard.tariffform import Row, TariffForm
from tests.billing.make import session

CASES = [json.loads(line) for line in (Path(__file__).parent.parent / "billing/cases.jsonl").read_text().splitlines()]
SAYABLE = [case for case in CASES if tariffocpi.read(case["body"]["tariff"]) is not None]


def posted(values: dict[str, Any], prefix: str = "") -> str:
    """As a browser would send what a form shows."""
    found = QueryDict(mutable=True)
    for name, value in values.items():
        key = f"{prefix}-{name}" if prefix else name
        if isinstance(value, list):
            found.setlist(key, value)
        elif value is not None:
            found[key] = value.strftime("%H:%M") if isinstance(value, time) else str(value)
    return found.urlencode()


def through_the_form(ocpi: dict[str, Any]) -> dict[str, Any]:
    shown = tariffocpi.read(ocpi)
    assert shown is not None
    always, rows = shown
    form = TariffForm(QueryDict(posted(always)), new=False, taxed=always["tax"] is not None)
    bound = [Row(QueryDict(posted(row, f"row{number}")), prefix=f"row{number}") for number, row in enumerate(rows)]
    assert form.is_valid(), form.errors
    assert all(row.is_valid() for row in bound), [row.errors for row in bound]
    return tariffocpi.body(form.cleaned_data, [row.cleaned_data for row in bound])


def test_many_of_the_worked_cases_can_be_said_by_the_form() -> None:
    assert len(SAYABLE) > len(CASES) / 4


@pytest.mark.parametrize("case", SAYABLE, ids=lambda case: case["id"])
def test_a_session_costs_the_same_after_its_tariff_went_through_the_form(case: dict[str, Any]) -> None:
    ocpi = case["body"]["tariff"]
    mended = {"currency": ocpi["currency"]} | through_the_form(ocpi)
    one, other = (engine.price(engine.parse(each), session(case["body"]["session"])) for each in (ocpi, mended))
    assert (one.total_excl_tax, one.total_incl_tax) == (other.total_excl_tax, other.total_incl_tax)
    assert set(one.lines) == set(other.lines)


ALWAYS = dict.fromkeys(("energy", "time", "parking", "flat", "least", "most")) | {
    "tax": Decimal(19), "per": "minute", "step": 60, "series": "",
}  # fmt: skip
NEVER = dict.fromkeys(("begin", "end", "since", "until", *tariffocpi.LIMITS, *tariffocpi.DURATIONS, *tariffocpi.PRICES))


def test_what_is_typed_becomes_elements_in_their_order() -> None:
    rows = [
        NEVER | {"begin": time(22), "end": time(6), "days": ["SATURDAY"], "energy": Decimal("0.2")},
        NEVER | {"days": [], "after_minutes": Decimal(240), "above_kw": Decimal(50), "time": Decimal("0.1")},
        NEVER | {"days": [], "since": date(2026, 12, 24), "until": date(2026, 12, 26), "energy": Decimal(0)},
    ]
    always = ALWAYS | {"energy": Decimal("0.39"), "parking": Decimal("0.05"), "least": Decimal("0.5")}
    found = tariffocpi.body(always, rows)
    energy = {"type": "ENERGY", "vat": 19.0, "step_size": 1}
    assert found == {
        "elements": [
            {
                "price_components": [energy | {"price": 0.2}],
                "restrictions": {"start_time": "22:00", "end_time": "06:00", "day_of_week": ["SATURDAY"]},
            },
            {
                "price_components": [{"type": "TIME", "price": 6.0, "vat": 19.0, "step_size": 60}],
                "restrictions": {"min_duration": 14400, "min_power": 50.0},
            },
            {
                "price_components": [energy | {"price": 0.0}],
                "restrictions": {"start_date": "2026-12-24", "end_date": "2026-12-27"},
            },
            {
                "price_components": [
                    energy | {"price": 0.39},
                    {"type": "PARKING_TIME", "price": 3.0, "vat": 19.0, "step_size": 60},
                ]
            },
        ],
        "min_price": {"excl_vat": 0.5, "incl_vat": 0.595},
    }
    assert tariffocpi.read({"currency": "EUR"} | found) is not None


def test_without_a_price_charging_is_free() -> None:
    (element,) = tariffocpi.body(ALWAYS, [])["elements"]
    assert element == {"price_components": [{"type": "FLAT", "price": 0.0, "vat": 19.0, "step_size": 1}]}


def test_energy_that_follows_a_market_comes_back() -> None:
    found = tariffocpi.body(ALWAYS | {"series": "Day-ahead", "energy": Decimal("0.05")}, [])
    shown = tariffocpi.read({"currency": "EUR"} | found)
    assert shown is not None
    assert (shown[0]["series"], shown[0]["energy"]) == ("Day-ahead", Decimal("0.05"))


ENERGY = {"type": "ENERGY", "price": 0.3, "vat": 19, "step_size": 1}


@pytest.mark.parametrize(
    "elements",
    [
        [{"price_components": [ENERGY], "restrictions": {"reservation": "RESERVATION"}}],
        [{"price_components": [ENERGY], "restrictions": {"max_current": 16}}],
        [{"price_components": [ENERGY]}, {"price_components": [ENERGY], "restrictions": {"min_kwh": 3}}],
        [{"price_components": [ENERGY | {"vat": None}, {"type": "FLAT", "price": 1, "vat": 7, "step_size": 1}]}],
        [{"price_components": [ENERGY, {"type": "FLAT", "price": 1, "vat": 7, "step_size": 1}]}],
        [{"price_components": [ENERGY | {"step_size": 500}]}],
        [{"price_components": [ENERGY | {"price": 0.12345}]}],
        [{"price_components": [ENERGY], "restrictions": {"min_duration": 61}}],
        [{"price_components": [ENERGY], "restrictions": {"start_time": "08:00", "end_time": "08:00"}}],
        [{"price_components": [{"type": "TIME", "price": 1, "vat": 19, "step_size": 7}]}],
        [{"price_components": [ENERGY | {"price_series": "A", "series_factor": 2}]}],
        [{"price_components": [ENERGY], "restrictions": {"min_kwh": n}} for n in range(1, 22)],
        "nothing",
    ],
)
def test_what_the_form_cannot_say_is_left_to_json(elements: Any) -> None:
    assert tariffocpi.read({"currency": "EUR", "elements": elements}) is None


def test_up_to_nothing_is_never_and_stays_so() -> None:
    ocpi = {"currency": "EUR", "elements": [
        {"price_components": [ENERGY | {"price": 0.9}], "restrictions": {"max_kwh": 0, "min_duration": 0, "start_time": "08:00"}},
        {"price_components": [ENERGY]},
    ]}  # fmt: skip
    mended = through_the_form(ocpi)
    assert mended["elements"][0]["restrictions"] == {"start_time": "08:00", "max_kwh": 0}


def test_a_price_of_an_hour_that_is_none_of_a_minute_is_told_by_the_hour() -> None:
    shown = tariffocpi.read(
        {"currency": "EUR", "elements": [{"price_components": [{"type": "TIME", "price": 1, "vat": 19, "step_size": 1}]}]}
    )
    assert shown is not None
    assert (shown[0]["per"], shown[0]["time"]) == ("hour", 1)
