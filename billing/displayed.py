"""Prices as chargers show them: looked up once for many messages, and computed without a look at any table.

Those of a market are read for whole days, once a day and whenever others have come.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from django.utils import translation

from billing import choosing, sentences, series, sessions, tariff
from billing.tariff import Dimension
from stations import ports
from stations.cases import Case
from stations.flush import Cursor

#: What a display calls the price of what.
PARTS = {
    Dimension.ENERGY: "kWhPrice",
    Dimension.TIME: "hourPrice",
    Dimension.FLAT: "flatFee",
    Dimension.PARKING_TIME: "idleHourPrice",
}


class Displayed:
    """A version of a tariff (`stations.ports.Prices`). `followed`: how it is had with a market's prices, if one drives it."""

    def __init__(self, applied: tariff.Tariff, followed: series.Followed | None = None) -> None:
        self.currency, self.needs_course, self.by_power = applied.currency, applied.needs_course, applied.by_power
        self._tariff, self._followed = applied, followed
        self._sentences: dict[str, str] = {}

    def cost(self, session: ports.SoFar) -> Decimal | None:
        try:
            applied, known = self._during(session), sessions.so_far(session)
            if self._followed is not None and session.energy_wh <= 0:
                # Nothing would be a price that nobody knows.
                tariff.prices_at_end(applied, known)
            priced = tariff.price(applied, known)
        except (tariff.NoPrice, tariff.InvalidSession):
            return None  # a market's price is not known yet, or the current; or the site's time zone is none
        return priced.total_excl_tax if priced.total_incl_tax is None else priced.total_incl_tax

    def parts(self, session: ports.SoFar) -> dict[str, Decimal]:
        try:
            found = tariff.prices_at_end(self._during(session), sessions.so_far(session), power_w=_power(session))
        except (tariff.NoPrice, tariff.InvalidSession):
            return {}
        taxed = {kind: amount * (100 + (vat or 0)) / 100 for kind, (amount, vat) in found.items() if amount}
        return {name: taxed[kind].quantize(sentences.PLACES, ROUND_HALF_UP) for kind, name in PARTS.items() if kind in taxed}

    def sentence(self, language: str) -> str:
        if language not in self._sentences:
            with translation.override(language):
                self._sentences[language] = sentences.sentence(self._tariff)
        return self._sentences[language]

    def _during(self, session: ports.SoFar) -> tariff.Tariff:
        return self._tariff if self._followed is None else self._followed.during(session.started_at, session.until)


def _power(session: ports.SoFar) -> Decimal | None:
    """At which it charges then, as far as that is known: between the last two readings, if nothing says it."""
    if session.power_w is not None or len(session.course) < 2:
        return session.power_w
    (before, less, _), (last, more, _) = session.course[-2:]
    seconds = Decimal((last - before).total_seconds())
    return max(more - less, Decimal(0)) * 3600 / seconds if seconds else None


class OfOperator:
    """The prices of an operator (`stations.ports.PriceBook`)."""

    def __init__(self, book: choosing.Book) -> None:
        self._book = book

    def prices(self, case: Case) -> ports.Prices | None:
        chosen = self._book.choose(case)
        return self._book.made(chosen, Displayed) if chosen is not None else None


def of(cursor: Cursor, operators: Iterable[int]) -> Mapping[int, ports.PriceBook]:
    """The prices of operators. One statement, and three when some have changed."""
    asked = list(operators)
    book = OfOperator(choosing.Book(asked, cursor))
    return dict.fromkeys(asked, book)
