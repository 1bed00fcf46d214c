"""Numbers and ages as people read them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from csms.templatetags import units


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (Decimal(0), "0.0\u202fkW"), (Decimal(11049), "11.0\u202fkW"), (Decimal(1234567), "1,234.6\u202fkW")],
)
def test_power_is_in_kw_and_no_reading_is_a_dash(value: Decimal | None, shown: str) -> None:
    assert units.kw(value) == shown


def test_numbers_follow_the_language() -> None:
    with translation.override("de"):
        assert units.kwh(Decimal(12345678)) == "12.345,68\u202fkWh"
        assert units.money(Decimal("3.5"), "EUR") == "3,50\u202fEUR"


def test_money_has_the_decimals_of_its_currency() -> None:
    assert units.money(Decimal(1200), "JPY") == "1,200\u202fJPY"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0 s ago"), (59, "59 s ago"), (61, "1 min ago"), (7300, "2 h ago"), (180_000, "2 days ago")],
)
def test_an_age_has_one_unit(seconds: int, shown: str) -> None:
    assert units.ago(timezone.now() - timedelta(seconds=seconds)) == shown


def test_a_duration_is_in_hours_and_minutes() -> None:
    now = timezone.now()
    assert units.duration(now, now + timedelta(minutes=59)) == "59 min"
    assert units.duration(now, now + timedelta(minutes=125)) == "2 h 05 min"
    assert units.duration(now, now - timedelta(minutes=5)) == "0 min"


@pytest.mark.parametrize(
    ("value", "shown"), [("7.500", "7.5"), ("100", "100"), ("0", "0"), ("0.12345", "0.1234"), ("1E+3", "1,000")]
)
def test_zeros_that_say_nothing_are_left_out(value: str, shown: str) -> None:
    assert units.plain(value) == shown
