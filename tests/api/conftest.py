"""The cast, and a small network of Ada's beside one of Cleo's."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django_scopes import scope

from accounts import people, services
from accounts.models import ApiKey, Operator, User
from billing import tariffs
from billing.models import ChargeRecord
from csms.webhooks.models import Webhook, WebhookDelivery, WebhookEvent
from stations.models import (
    Command,
    Connection,
    ConnectionHistory,
    Connector,
    Evse,
    Finding,
    LogUpload,
    MeterDay,
    MeterQuarter,
    Refusal,
    RepairMessage,
    Site,
    Station,
    Transaction,
    Variable,
)
from stations.services import registry
from tests.empty import empty_database

__all__ = ["empty_database"]

LINE = {"dimension": "ENERGY", "volume": "7.5", "unit": "kWh", "price": "0.40", "cost_excl_tax": "3"}
AT = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


class KeyClient(Client):
    """A program with an API key."""

    def __init__(self, key: str, **kwargs: Any) -> None:
        super().__init__(headers={"Authorization": f"Api-Key {key}"}, **kwargs)

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        answer = self.get(f"/api/v1/{path}", params)
        assert answer.status_code == 200, answer.content
        return answer.json()["results"]


@dataclass
class Person:
    user: User
    key: ApiKey
    client: KeyClient

    @property
    def operator(self) -> Operator:
        assert self.user.operator
        return self.user.operator


def person(name: str, operator: Operator, role: str, scopes: tuple[str, ...] = ()) -> Person:
    user = User.objects.create(email=f"{name}@example.org", operator=operator, role=role)
    key, text = services.create_api_key(user=user, scopes=scopes)
    return Person(user, key, KeyClient(text))


@pytest.fixture
def ada(db: None) -> Person:
    return person("ada", services.add_operator(name="Amber Grid"), "owner")


@pytest.fixture
def ben(ada: Person) -> Person:
    return person("ben", ada.operator, "viewer")


@pytest.fixture
def cleo(db: None) -> Person:
    return person("cleo", services.add_operator(name="Cobalt Charging"), "owner")


@dataclass
class Network:
    operator: Operator
    station: Station
    connector: Connector
    transaction: Transaction


def network(operator: Operator, identity: str) -> Network:
    """A station online with one connector, and a transaction of 7.5 kWh that has its charge record."""
    station, _ = registry.add_station(operator=operator, identity=identity)
    with scope(operator=operator):
        now = datetime.now(UTC)
        Station.objects.filter(pk=station.pk).update(site=Site.objects.create(operator=operator, name="Depot", city="Amberg"))
        Connection.objects.filter(station=station).update(seen_at=now, connected_at=now, protocol="ocpp1.6")
        evse = Evse.objects.create(station=station, number=1)
        connector = Connector.objects.create(evse=evse, number=1, status="Charging", status_at=AT)
        one = transaction(station, evse)
        Finding.objects.create(
            operator=operator, station=station, transaction=one, code="register_jump", severity="warning", first_at=AT, last_at=AT
        )
        Refusal.objects.create(operator=operator, identity=identity, reason="wrong_password", first_at=AT, last_at=AT)
        tariff = tariffs.add_tariff(operator=operator, name="Standard", price_per_kwh=Decimal("0.40"))
        tariffs.assign(tariff=tariff, station=station)
        for revision in (1, 2):
            ChargeRecord.objects.create(
                operator=operator, transaction=one, revision=revision, tariff=tariff, tariff_snapshot={}, currency="EUR",
                energy_wh=Decimal(7500), duration_s=3600, lines=[LINE],
                total_excl_tax=Decimal(revision), total_incl_tax=Decimal("3.57"),
            )  # fmt: skip
        asked(station)
        LogUpload.objects.create(
            operator=operator, station=station, kind="diagnostics", status="failed", token_hash=identity,
            created_at=AT, expires_at=AT, due_at=AT, finished_at=AT,
        )  # fmt: skip
        Variable.objects.create(operator=operator, station=station, variable="HeartbeatInterval", value="300", wanted="60")
        RepairMessage.objects.create(
            operator=operator, station=station, action="StopTransaction", frame="{}", reason="Not understood.", received_at=AT
        )
        ConnectionHistory.objects.create(operator=operator, station=station, fence=1, protocol="ocpp1.6", opened_at=AT)
        webhook = Webhook.objects.create(operator=operator, url="https://example.com/", events=["station.online"], active=False)
        told = WebhookEvent.objects.create(operator=operator, type="station.online", data={"identity": identity}, created_at=AT)
        WebhookDelivery.objects.create(operator=operator, webhook=webhook, event=told, sequence=1, due_at=AT)
    people.invite(operator=operator, email=f"dora.{identity}@example.org", role="viewer")
    sample(station, one, AT)
    quarter(station, AT)
    day(station, AT.date())
    message(station, AT)
    event(station, now)
    return Network(operator, station, connector, one)


def transaction(station: Station, evse: Evse | None = None, number: int = 1, **fields: Any) -> Transaction:
    given = {"status": "ended", "id_tag": "DEE-CARD", "started_at": AT, "received_at": AT, "energy_wh": Decimal(7500)} | fields
    return Transaction.objects.create(
        operator=station.operator, station=station, evse=evse, ocpp_transaction_id=f"{station.pk}-{number}", **given
    )


def asked(station: Station, **fields: Any) -> Command:
    given = {"kind": "clear_cache", "created_at": AT, "expires_at": AT + timedelta(days=7)} | fields
    return Command.objects.create(operator=station.operator, station=station, **given)


def event(station: Station, at: datetime, status: str = "Charging") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stations_statushistory (operator_id, station_id, evse_number, connector_number, status,"
            " error_code, info, vendor_id, vendor_error_code, at, received_at) VALUES (%s, %s, 1, 1, %s, '', '', '', '', %s, %s)",
            [station.operator_id, station.pk, status, at, at],
        )


def sample(station: Station, of: Transaction | None, at: datetime, energy_wh: str = "1234.567") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stations_metersample"
            " (operator_id, station_id, transaction_id, evse_number, at, context, energy_wh, power_w)"
            " VALUES (%s, %s, %s, 1, %s, 'Sample.Periodic', %s, 11000)",
            [station.operator_id, station.pk, of and of.pk, at, energy_wh],
        )


SPAN: dict[str, Any] = {
    "evse_number": 1, "samples": 15, "first_at": AT, "last_at": AT + timedelta(minutes=14), "power_mean_w": Decimal("10980.5"),
    "power_max_w": Decimal(11000), "energy_first_wh": Decimal(1000), "energy_last_wh": Decimal(3700), "energy_wh": Decimal(2700),
}  # fmt: skip


def quarter(station: Station, start: datetime, **fields: Any) -> None:
    with scope(operator=station.operator):
        MeterQuarter.objects.create(operator=station.operator, station=station, start=start, **(SPAN | fields))


def day(station: Station, day: date, **fields: Any) -> None:
    with scope(operator=station.operator):
        MeterDay.objects.create(operator=station.operator, station=station, day=day, **(SPAN | fields))


def message(station: Station, at: datetime, call: str = '{"a":1}', answer: str = "", action: str = "Heartbeat") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stations_messagelogentry"
            " (operator_id, station_id, direction, protocol, message_id, action, event, outcome,"
            " call, answer, received_at, handling_us) VALUES (%s, %s, 'in', 'ocpp1.6', 'm1', %s, '', 'result', %s, %s, %s, 900)",
            [station.operator_id, station.pk, action, call, answer, at],
        )


@pytest.fixture
def amber(ada: Person) -> Network:
    return network(ada.operator, "AMBER-01")


@pytest.fixture
def cobalt(cleo: Person) -> Network:
    return network(cleo.operator, "COBALT-01")


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)
