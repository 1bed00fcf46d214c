"""What a charge record says of its price: lines, and taxes by rate, which sum to the totals that the engine rounded. Pure.

The engine alone rounds. Here its totals are only shared out: among rates by what their lines cost, whole minor units each, those
with the largest remainders get what is left. What a minimum or maximum price adds or takes is a line of its own.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.money import half_up, minor_units
from billing.tariff import LINE_PLACES, Priced

MINIMUM, MAXIMUM = "MIN_PRICE", "MAX_PRICE"
Line = dict[str, Any]
Tax = dict[str, str]


def explained(priced: Priced) -> tuple[list[Line], list[Tax]]:
    """The lines and the taxes of a price."""
    net = priced.total_excl_tax
    tax = Decimal(0) if priced.total_incl_tax is None else priced.total_incl_tax - net
    unit = Decimal(1).scaleb(-minor_units(priced.currency))
    costs: defaultdict[Decimal, Decimal] = defaultdict(Decimal)
    for line in priced.lines:
        costs[line.vat or Decimal(0)] += line.cost_excl_tax
    lines: list[Line] = [
        {
            "dimension": line.dimension.value,
            "volume": f"{line.volume:f}",
            "unit": line.unit,
            "price": f"{line.price:f}",
            "cost_excl_tax": f"{line.cost_excl_tax:f}",
            "vat_percent": None if line.vat is None else plain(line.vat),
        }
        for line in priced.lines
    ]
    missing = net - sum(costs.values())
    # Each line was rounded at its last place; what is more than that and half a unit is no rounding.
    if abs(missing) > unit / 2 + len(lines) * Decimal(1).scaleb(-LINE_PLACES):
        named = {line["vat_percent"] for line in lines}
        vat = named.pop() if len(named) == 1 else None
        amount = plain(missing)
        limit = {"dimension": MINIMUM if missing > 0 else MAXIMUM, "volume": "1", "unit": "session", "price": amount}
        lines.append(limit | {"cost_excl_tax": amount, "vat_percent": vat})
    if not costs and (net or tax):
        # A minimum for a session that used nothing that is priced: its own two amounts say the rate.
        costs[half_up(100 * Fraction(tax) / Fraction(net), 2) if net else Decimal(0)] = net
    rates = sorted(costs)
    nets = shared(net, [Fraction(costs[rate]) for rate in rates], unit)
    taxes = shared(tax, [Fraction(costs[rate]) * Fraction(rate) for rate in rates], unit)
    return lines, [
        {"percent": plain(rate), "net": f"{part:f}", "tax": f"{of_it:f}"}
        for rate, part, of_it in zip(rates, nets, taxes, strict=True)
    ]


def shared(total: Decimal, weights: Sequence[Fraction], unit: Decimal) -> list[Decimal]:
    """A total in whole units, in parts by weight that sum to it. Without any weight the last one has all of it."""
    units, whole = int(total / unit), sum(weights)
    if not weights:
        return []
    exact = (
        [Fraction(units) * weight / whole for weight in weights]
        if whole
        else [Fraction(0)] * (len(weights) - 1) + [Fraction(units)]
    )
    parts = [math.floor(one) for one in exact]
    order = sorted(range(len(parts)), key=lambda place: exact[place] - parts[place], reverse=True)
    for place in order[: units - sum(parts)]:
        parts[place] += 1
    return [part * unit for part in parts]


def negated(rows: Sequence[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """The same rows with these numbers taken back."""
    return [row | {name: plain(-Decimal(row[name]), row[name]) for name in names if row.get(name) is not None} for row in rows]


def plain(number: Decimal, like: str = "") -> str:
    """Without zeros at the end, unless it is written `like` another; never in exponents, and zero has no sign."""
    text = f"{number if number else abs(number):f}"
    return text if "." not in text or like else text.rstrip("0").rstrip(".")
