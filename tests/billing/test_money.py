from decimal import Decimal
from fractions import Fraction

import pytest

from billing.money import Money, half_up, minor_units


@pytest.mark.parametrize(
    ("exact", "currency", "amount"),
    [
        (Decimal("5.625"), "EUR", "5.63"),
        (Decimal("0.125"), "EUR", "0.13"),
        (Decimal("-0.125"), "EUR", "-0.13"),
        (Fraction(2, 3), "EUR", "0.67"),
        (Decimal("99.5"), "JPY", "100"),
        (Decimal("1.2345"), "KWD", "1.235"),
        (Decimal("-0.001"), "EUR", "0.00"),
    ],
)
def test_an_amount_is_rounded_half_up_to_the_minor_unit_of_its_currency(exact, currency, amount):
    assert str(Money.nearest(exact, currency)) == f"{amount} {currency}"


def test_rounding_is_exact_however_long_the_number():
    assert half_up(Decimal("12345678901234567890123456789012.345"), 2) == Decimal("12345678901234567890123456789012.35")


def test_amounts_of_one_currency_add_up():
    assert Money(Decimal("0.10"), "EUR") + Money(Decimal("0.20"), "EUR") == Money(Decimal("0.30"), "EUR")


def test_amounts_of_two_currencies_do_not():
    with pytest.raises(ValueError, match="EUR and CHF cannot be added"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "CHF")


def test_an_amount_finer_than_the_minor_unit_is_refused():
    with pytest.raises(ValueError, match="finer than the smallest unit"):
        Money(Decimal("0.001"), "EUR")


@pytest.mark.parametrize("code", ["", "eur", "EURO", "€", "EUR\n"])
def test_what_is_no_currency_code_is_refused(code):
    with pytest.raises(ValueError, match="ISO 4217"):
        minor_units(code)
