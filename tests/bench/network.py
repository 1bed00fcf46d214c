"""The network the bench drives: an operator with a tariff, id tags and stations that were accepted before."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django_scopes import scope

from accounts.models import IdToken, Operator
from billing import tariffs
from stations.credentials import hash_password
from stations.models import Connection, Station

PASSWORD = "a-password-of-20-char"


@dataclass(frozen=True)
class Fleet:
    stations: list[str]
    tags: list[str]


def make_fleet(operator: Operator, prefix: str, *, stations: int, tags: int = 100) -> Fleet:
    """Stations and id tags of an operator, in bulk."""
    now = datetime.now(UTC)
    password_hash = hash_password(PASSWORD)
    with scope(operator=operator):
        made = Station.objects.bulk_create(
            Station(
                operator=operator,
                identity=f"{prefix}-{number:05d}",
                security_profile=1,
                password_hash=password_hash,
                accepted_at=now,
            )
            for number in range(stations)
        )
        Connection.objects.bulk_create(Connection(station=station, operator=operator) for station in made)
        values = [f"{prefix}-T{number}" for number in range(tags)]
        IdToken.objects.bulk_create(IdToken(operator=operator, value=value, key=value.upper()) for value in values)
    return Fleet([station.identity for station in made], values)


def make_tariff(operator: Operator) -> None:
    with scope(operator=operator):
        tariffs.add_tariff(
            operator=operator,
            name="Standard",
            is_default=True,
            price_per_kwh=Decimal("0.40"),
            price_per_minute=Decimal("0.02"),
            price_per_session=Decimal("0.50"),
            tax_percent=Decimal(25),
        )
