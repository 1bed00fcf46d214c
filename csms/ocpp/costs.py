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

#: What an hour costs in which a vehicle is only parked.
IDLE = "idleHourPrice"

__all__ = ["LANGUAGES", "VENDOR", "content", "explained", "number", "others", "prices_of"]


def number(amount: Decimal | str) -> float:
    """An amount as a JSON number: of at most 15 digits, which survive."""
    return float(amount)


def explained(cost: CostExplained) -> Payload:
    """What a cost is made of."""
    told: Payload = {"timestamp": times.emit(cost.at)}
    if cost.meter_wh is not None:
        told["meterValue"] = int(cost.meter_wh)
    told["state"] = cost.state
    charging = {name: number(price) for name, price in cost.prices.items() if name != IDLE}
    if charging:
        told["chargingPrice"] = charging
    if IDLE in cost.prices:
        told["idlePrice"] = {"hourPrice": number(cost.prices[IDLE])}
    return told


def prices_of(told: Mapping[str, Any]) -> dict[str, str]:
    """The prices of what was told."""
    prices = {name: str(price) for name, price in (told.get("chargingPrice") or {}).items()}
    idle = (told.get("idlePrice") or {}).get("hourPrice")
    return prices if idle is None else prices | {IDLE: str(idle)}


def content(wording: Wording) -> Payload:
    """A MessageContentType."""
    told: Payload = {"format": "UTF8", "content": wording.content}
    return told | ({"language": wording.language} if wording.language else {})


def others(texts: Iterable[Mapping[str, Any]]) -> list[Payload]:
    """The same in other languages."""
    return [{"format": "UTF8", "language": one["language"], "content": one["content"]} for one in texts]
