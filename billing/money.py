"""Amounts of money: a decimal and the ISO 4217 code it is in, always in whole minor units."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

# ISO 4217: the currencies in use whose minor unit is not a hundredth.
_NO_MINOR_UNIT = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_EXPONENTS = dict.fromkeys(_NO_MINOR_UNIT, 0) | dict.fromkeys(_THOUSANDTHS, 3)


def minor_units(currency: str) -> int:
    """How many decimals an amount in this currency has."""
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise ValueError(f"{currency!r} is not a currency: use the three capital letters of ISO 4217, such as EUR.")
    return _EXPONENTS.get(currency, 2)


def half_up(exact: Fraction | Decimal, places: int) -> Decimal:
    """The nearest decimal with so many places; of two equally near ones, the one farther from zero."""
    scaled = abs(Fraction(exact)) * 10**places
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(f"{'-' if exact < 0 and units else ''}{units}e-{places}")


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if self.amount != half_up(self.amount, minor_units(self.currency)):
            raise ValueError(f"{self.amount} is finer than the smallest unit of {self.currency}: use Money.nearest().")

    @classmethod
    def nearest(cls, exact: Fraction | Decimal, currency: str) -> "Money":
        """An exact sum rounded half up to the currency's minor unit."""
        return cls(half_up(exact, minor_units(currency)), currency)

    def __add__(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added.")
        return Money(self.amount + other.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
