"""A fresh operator for a test, and what belongs to it."""

import itertools
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from django_scopes import scope, scopes_disabled

from accounts.models import IdToken, IdTokenGroup, Operator, User
from billing import tariffs
from billing.models import ChargeRecord, Tariff
from stations.models import (
    Connector,
    Finding,
    MessageLogEntry,
    MeterSample,
    OutboxEntry,
    RepairMessage,
    Station,
    StatusHistory,
    Transaction,
)
from stations.services import registry
from tests.database import tables

PASSWORD = "a-password-of-20-char"


class Network:
    """Amber Grid, with a name of its own for each test, run by Ada."""

    def __init__(self) -> None:
        self.tag = uuid.uuid4().hex[:8]
        self.operator = Operator.objects.create(name=f"Amber Grid {self.tag}")
        self.numbers = itertools.count(1)

    @property
    def prefix(self) -> str:
        return f"AMBER-{self.tag}"

    @tables
    def station(self, **fields: Any) -> Station:
        """A station that may connect with PASSWORD, not booted yet. `accepted=True`: it was accepted before."""
        if fields.pop("accepted", False):
            fields["accepted_at"] = datetime.fromisoformat("2026-01-01T00:00:00Z")
        identity = fields.pop("identity", f"{self.prefix}-{next(self.numbers):02d}")
        profile = fields.pop("security_profile", 1)
        station, _ = registry.add_station(
            operator=self.operator, identity=identity, password=PASSWORD if profile else None, security_profile=profile
        )
        with scopes_disabled():
            Station.objects.filter(pk=station.pk).update(**fields)
            station.refresh_from_db()
        return station

    @tables
    def token(self, value: str, *, group: str = "", **fields: Any) -> IdToken:
        with scope(operator=self.operator):
            if group:
                fields["group"] = IdTokenGroup.objects.get_or_create(operator=self.operator, name=group)[0]
            return IdToken.objects.create(operator=self.operator, value=value, key=value.upper(), **fields)

    @tables
    def tariff(self, **fields: Any) -> Tariff:
        """0.40 a kWh, 0.02 a minute, 0.50 a session, and 25 percent tax."""
        prices = {"price_per_kwh": Decimal("0.40"), "price_per_minute": Decimal("0.02"), "price_per_session": Decimal("0.50")}
        with scope(operator=self.operator):
            return tariffs.add_tariff(
                **{"operator": self.operator, "name": "Standard", "tax_percent": Decimal(25), "is_default": True} | prices | fields
            )

    @tables
    def user(self, name: str = "ada", **fields: Any) -> User:
        """Ada, who owns the network; her password is "charge-it-all-night"."""
        fields = {"operator": self.operator, "role": "owner"} | fields
        return User.objects.create_user(f"{name}.{self.tag}@example.org", "charge-it-all-night", **fields)

    # What the tables say, without a scope: tests look at all of it.

    @tables
    def transactions(self, station: Station) -> list[Transaction]:
        with scopes_disabled():
            return list(Transaction.objects.filter(station=station).order_by("id"))

    @tables
    def samples(self, station: Station) -> list[MeterSample]:
        with scopes_disabled():
            return list(MeterSample.objects.filter(station=station).order_by("at", "id"))

    @tables
    def findings(self, station: Station) -> list[str]:
        """The codes, sorted."""
        with scopes_disabled():
            return sorted(Finding.objects.filter(station=station).values_list("code", flat=True))

    @tables
    def finding(self, station: Station, code: str) -> Finding:
        with scopes_disabled():
            return Finding.objects.get(station=station, code=code)

    @tables
    def log(self, station: Station) -> list[MessageLogEntry]:
        with scopes_disabled():
            return list(MessageLogEntry.objects.filter(station=station).order_by("received_at", "id"))

    @tables
    def repairs(self, station: Station) -> list[RepairMessage]:
        with scopes_disabled():
            return list(RepairMessage.objects.filter(station=station).order_by("id"))

    @tables
    def connectors(self, station: Station) -> dict[int, Connector]:
        """By EVSE number."""
        with scopes_disabled():
            return {c.evse.number: c for c in Connector.objects.filter(evse__station=station).select_related("evse")}

    @tables
    def history(self, station: Station) -> list[StatusHistory]:
        with scopes_disabled():
            return list(StatusHistory.objects.filter(station=station).order_by("id"))

    @tables
    def outbox(self) -> list[OutboxEntry]:
        with scopes_disabled():
            return list(OutboxEntry.objects.filter(operator=self.operator).order_by("id"))

    @tables
    def charge_records(self) -> list[ChargeRecord]:
        with scopes_disabled():
            return list(ChargeRecord.objects.filter(operator=self.operator).order_by("id"))
