"""Prices as chargers show them: looked up once for many messages, and computed without a look at any table."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.utils import translation

from billing import prices, selectors, sessions, tariff
from billing.models import Tariff
from stations import ports
from stations.flush import Cursor

COLUMNS = (
    *("id", "operator_id", "name", "currency", "price_per_kwh", "price_per_minute", "price_per_session", "tax_percent"),
    "created_at",
)
DEFAULTS = f"SELECT {', '.join(COLUMNS)} FROM billing_tariff WHERE is_default AND operator_id = ANY(%s)"  # noqa: S608  (our own names)


class Displayed:
    """An operator's price (`stations.ports.Prices`)."""

    def __init__(self, applied: Tariff) -> None:
        self.price = prices.price_of(applied)
        self.currency = applied.currency
        named = {"kWhPrice": self.price.per_kwh, "hourPrice": 60 * self.price.per_minute, "flatFee": self.price.per_session}
        self.parts = {name: amount for name, amount in named.items() if amount}
        self._tariff = tariff.parse(selectors.as_ocpi(applied))
        self._sentences: dict[str, str] = {}

    def cost(self, *, started_at: datetime, until: datetime, energy_wh: Decimal, time_zone: str) -> Decimal:
        priced = tariff.price(self._tariff, sessions.so_far(started_at, until, energy_wh, time_zone))
        return priced.total_excl_tax if priced.total_incl_tax is None else priced.total_incl_tax

    def sentence(self, language: str) -> str:
        if language not in self._sentences:
            with translation.override(language):
                self._sentences[language] = str(self.price.sentence)
        return self._sentences[language]


def of(cursor: Cursor, operators: Iterable[int]) -> dict[int, ports.Prices]:
    """The prices of operators that have said what charging costs. One statement."""
    rows = cursor.execute(DEFAULTS, (sorted(operators),)).fetchall()
    found = (Tariff(**dict(zip(COLUMNS, row, strict=True))) for row in rows)
    return {one.operator_id: Displayed(one) for one in found}
