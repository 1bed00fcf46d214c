"""Prices as drivers read them."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from django_scopes import scope

from accounts import drivers
from billing import prices
from billing.tariff import parse
from tests.dashboard.rows import bill, finished, plug, session, take_back
from tests.network import Network


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


def said(network: Network) -> str:
    price = prices.Prices(network.operator).at()
    assert price
    return price.sentence.replace("\u202f", " ")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "0.50 EUR per kWh, 0.025 EUR per minute and 0.625 EUR per session, tax included."),
        ({"price_per_minute": 0, "price_per_session": 0}, "0.50 EUR per kWh, tax included."),
        ({"price_per_kwh": 0, "price_per_session": 0, "tax_percent": 0}, "0.02 EUR per minute, tax included."),
        ({"price_per_kwh": 0, "price_per_minute": 0, "price_per_session": 0}, "Charging here is free."),
        ({"price_per_kwh": 60, "price_per_minute": 0, "price_per_session": 0, "tax_percent": 10, "currency": "JPY"},
         "66 JPY per kWh, tax included."),
    ],
)  # fmt: skip
def test_a_price_is_one_sentence_with_tax_and_energy_first(amber: Network, fields: dict[str, Any], sentence: str) -> None:
    amber.tariff(**fields)
    assert said(amber) == sentence


def test_each_price_has_its_own_tax() -> None:
    parts = [
        {"type": "ENERGY", "price": 0.4, "vat": 10, "step_size": 1},
        {"type": "TIME", "price": 6, "vat": 20, "step_size": 1},
        {"type": "FLAT", "price": 1, "step_size": 1},
    ]
    found = prices.price_of(parse({"currency": "EUR", "elements": [{"price_components": parts}]}))
    assert (found.per_kwh, found.per_minute, found.per_session) == (Decimal("0.44"), Decimal("0.12"), Decimal(1))
    assert found.tax_percent is None


def test_a_price_is_written_as_its_reader_writes_numbers(amber: Network) -> None:
    amber.tariff()
    with translation.override("de"):
        assert said(amber).startswith("0,50 EUR")


def test_without_a_tariff_there_is_no_price(amber: Network) -> None:
    amber.tariff(is_default=False)
    assert prices.Prices(amber.operator).at() is None


def test_a_session_costs_what_its_newest_record_says_and_until_then_what_it_costs_so_far(amber: Network) -> None:
    tariff = amber.tariff()
    dee = drivers.sign_up(email=f"dee.{amber.tag}@example.org", password="charge-it-all-night", operator=amber.operator)
    token = drivers.token_of(dee)
    one = plug(amber)
    running, done, unbilled = session(one, id_token=token), finished(one, id_token=token), finished(one)
    credited = finished(one)
    credit = take_back(bill(credited, tariff, "3.00"))
    take_back(bill(done, tariff, "1.00"))
    last = bill(done, tariff, "2.00", revision=3)
    with scope(operator=amber.operator):
        costs = prices.costs([running, done, unbilled, credited])
    assert costs[running.pk].record is None
    assert costs[running.pk].amount > Decimal(4)
    assert (costs[done.pk].amount, costs[done.pk].record) == (Decimal("2.00"), last)
    assert (costs[credited.pk].amount, costs[credited.pk].record) == (Decimal(0), credit)
    assert unbilled.pk not in costs
