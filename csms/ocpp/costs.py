"""Costs and prices as both versions say them by the Open Charge Alliance's convention for cost messages ("OCPP & California Pricing
Requirements"): in 1.6 as DataTransfers, in 2.0.1 as customised data of its own messages."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from csms.ocpp import times
from csms.ocpp.translator import Payload
from stations.domain.showing import COST_MESSAGES as VENDOR
from stations.domain.showing import LANGUAGES
from stations.domain.values import CostExplained, Wording

__all__ = ["LANGUAGES", "VENDOR", "content", "explained", "number", "others"]


def number(amount: Decimal | str) -> float:
    """An amount as a JSON number: of at most 15 digits, which survive."""
    return float(amount)


def explained(cost: CostExplained) -> Payload:
    """What a cost is made of. The hour costs the same whether the vehicle charges or not, so it is told of both."""
    told: Payload = {"timestamp": times.emit(cost.at)}
    if cost.meter_wh is not None:
        told["meterValue"] = int(cost.meter_wh)
    told["state"] = cost.state
    if cost.prices:
        told["chargingPrice"] = {name: number(price) for name, price in cost.prices.items()}
    if "hourPrice" in cost.prices:
        told["idlePrice"] = {"hourPrice": number(cost.prices["hourPrice"])}
    return told


def content(wording: Wording) -> Payload:
    """A MessageContentType."""
    told: Payload = {"format": "UTF8", "content": wording.content}
    return told | ({"language": wording.language} if wording.language else {})


def others(texts: Iterable[Mapping[str, Any]]) -> list[Payload]:
    """The same in other languages."""
    return [{"format": "UTF8", "language": one["language"], "content": one["content"]} for one in texts]
