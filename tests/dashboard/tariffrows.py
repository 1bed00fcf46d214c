"""Tariffs with all that belongs to them, and a series of prices."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django_scopes import scopes_disabled

from billing import pricepoints, tariffs
from billing.models import Tariff, TariffAssignment
from billing.seriesmodels import PriceSeries
from stations.models import Site, Station
from tests.database import tables
from tests.network import Network


@dataclass
class Priced:
    """A tariff with a version that is coming, for a site; and one that follows a market."""

    night: Tariff
    followed: Tariff
    series: PriceSeries
    assignment: TariffAssignment


def midnight() -> datetime:
    return datetime.combine(timezone.now().date(), datetime.min.time(), UTC)


@tables
def market(network: Network, name: str = "Day-ahead", *, hours: int = 48, **fields: object) -> PriceSeries:
    """Prices from the midnight before yesterday's end on: 100 EUR a MWh, and one more each hour."""
    with scopes_disabled():
        made = pricepoints.add_series(operator=network.operator, name=name, **fields)  # type: ignore[arg-type]
        begin = midnight() - timedelta(days=1)
        points = [(begin + timedelta(hours=hour), Decimal(100 + hour)) for hour in range(hours)]
        if points:
            pricepoints.fill(series=made, points=points)
        return made


NIGHT = {
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": 0.2, "vat": 25, "step_size": 1}],
            "restrictions": {"start_time": "22:00", "end_time": "06:00"},
        },
        {"price_components": [{"type": "ENERGY", "price": 0.4, "vat": 25, "step_size": 1}]},
    ]
}
RESERVED = {
    "elements": [
        {
            "price_components": [{"type": "FLAT", "price": 2, "vat": 25, "step_size": 1}],
            "restrictions": {"reservation": "RESERVATION"},
        },
        {"price_components": [{"type": "ENERGY", "price": 0.4, "vat": 25, "step_size": 1}]},
    ]
}


def following(name: str = "Day-ahead", plus: float = 0.05) -> dict[str, object]:
    return {
        "elements": [{"price_components": [{"type": "ENERGY", "price": plus, "vat": 25, "step_size": 1, "price_series": name}]}]
    }


@tables
def priced(network: Network, site: Site | None = None, station: Station | None = None) -> Priced:
    series = market(network)
    with scopes_disabled():
        night = tariffs.add_tariff(operator=network.operator, name=f"Nights of {network.tag}", ocpi=NIGHT)
        tariffs.add_version(tariff=night, ocpi=RESERVED, valid_from=timezone.now() + timedelta(days=30), note="With reservations")
        followed = tariffs.add_tariff(operator=network.operator, name="Follows the market", ocpi=following())
        assignment = tariffs.assign(tariff=night, site=site, station=station, audience="drivers")
    return Priced(night, followed, series, assignment)
