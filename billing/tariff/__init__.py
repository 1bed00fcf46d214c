"""The tariff engine: `parse` reads an OCPI 2.2.1 Tariff object, `price` prices a session under it and explains every cent. Pure."""

from billing.tariff.engine import LINE_PLACES, price, prices_at_end
from billing.tariff.model import (
    UNITS,
    Component,
    Dimension,
    Element,
    InvalidSession,
    Limit,
    Line,
    NoCurrent,
    NoPrice,
    Priced,
    Reservation,
    Reserved,
    Restrictions,
    Sample,
    Series,
    Session,
    Tariff,
)
from billing.tariff.reading import InvalidTariff, parse

__all__ = [
    "LINE_PLACES",
    "UNITS",
    "Component",
    "Dimension",
    "Element",
    "InvalidSession",
    "InvalidTariff",
    "Limit",
    "Line",
    "NoCurrent",
    "NoPrice",
    "Priced",
    "Reservation",
    "Reserved",
    "Restrictions",
    "Sample",
    "Series",
    "Session",
    "Tariff",
    "parse",
    "price",
    "prices_at_end",
]
