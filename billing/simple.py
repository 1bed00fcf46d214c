"""Tariffs of one price per kWh, minute and session: how most begin, and what the first fields of the API say of any."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.tariff import Component, Dimension, Tariff

#: What an hour of TIME costs is OCPI's; people read minutes.
MINUTES = 60


def body(*, per_kwh: Decimal, per_minute: Decimal, per_session: Decimal, tax_percent: Decimal) -> dict[str, Any]:
    """The prices as OCPI 2.2.1 has them. Numbers are JSON numbers: those of at most 15 digits, as ours are, survive as floats."""
    prices = {"FLAT": per_session, "ENERGY": per_kwh, "TIME": MINUTES * per_minute}
    charged = {kind: amount for kind, amount in prices.items() if amount} or {"FLAT": Decimal(0)}
    components = [
        {"type": kind, "price": float(amount), "vat": float(tax_percent), "step_size": 1} for kind, amount in charged.items()
    ]
    return {"elements": [{"price_components": components}]}


@dataclass(frozen=True, slots=True)
class Base:
    """What holds where no restriction says otherwise, without tax; None: there is no such price. `whole`: there is nothing else."""

    per_kwh: Decimal | None
    per_minute: Decimal | None
    per_session: Decimal | None
    tax_percent: Decimal | None
    whole: bool


def always(tariff: Tariff) -> dict[Dimension, Component]:
    """Of each dimension the first price without restrictions, unless a market makes it."""
    found: dict[Dimension, Component] = {}
    for element in tariff.elements:
        if element.restrictions == type(element.restrictions)():
            for component in element.components:
                found.setdefault(component.dimension, component)
    return {kind: component for kind, component in found.items() if component.series is None}


def base(tariff: Tariff) -> Base:
    """The prices of a tariff that hold always."""
    found = always(tariff)
    rates = {component.vat for component in found.values()}
    plain = len(tariff.elements) == 1 and len(found) == len(tariff.elements[0].components) and Dimension.PARKING_TIME not in found
    hourly = found.get(Dimension.TIME)
    return Base(
        per_kwh=_price(found, Dimension.ENERGY),
        per_minute=None if hourly is None else hourly.price / MINUTES,
        per_session=_price(found, Dimension.FLAT),
        tax_percent=next(iter(rates)) if len(rates) == 1 else None,
        whole=plain and len(rates) == 1 and tariff.min_price is None and tariff.max_price is None,
    )


def _price(found: Mapping[Dimension, Component], dimension: Dimension) -> Decimal | None:
    return found[dimension].price if dimension in found else None
