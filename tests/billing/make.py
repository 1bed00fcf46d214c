"""Builders for the tests of billing."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import Operator
from billing.tariff import Reserved, Sample, Session
from stations import outbox
from stations.models import Evse, MeterSample, OutboxEntry, Site, Station, Transaction

START = datetime(2026, 11, 2, 8, tzinfo=UTC)


def operator(name: str = "Amber Grid") -> Operator:
    return Operator.objects.create(name=name)


def station(owner: Operator, identity: str = "AMBER-01", *, time_zone: str = "Europe/Amsterdam") -> Station:
    with scopes_disabled():
        site = Site.objects.create(operator=owner, name=f"Site of {identity}", time_zone=time_zone)
        made = Station.objects.create(operator=owner, site=site, identity=identity)
        Evse.objects.create(station=made, number=1)
    return made


def transactions(at: Station, energies_wh: Iterable[Decimal | int | None], **fields: object) -> list[Transaction]:
    """Ended transactions of half an hour, one for each energy."""
    with scopes_disabled():
        evse = Evse.objects.get(station=at)
        count = Transaction.objects.filter(station=at).count()
        rows = []
        for number, energy_wh in enumerate(energies_wh, start=count + 1):
            values: dict[str, object] = {
                "operator_id": at.operator_id,
                "station": at,
                "evse": evse,
                "ocpp_transaction_id": str(number),
                "status": "ended",
                "started_at": START,
                "stopped_at": START + timedelta(minutes=30),
                "received_at": START,
                "meter_start_wh": Decimal(1000),
                "meter_stop_wh": None if energy_wh is None else 1000 + energy_wh,
                "energy_wh": energy_wh,
            }
            rows.append(Transaction(**(values | fields)))
        return Transaction.objects.bulk_create(rows)


def transaction(at: Station, energy_wh: Decimal | int | None = 10_000, **fields: object) -> Transaction:
    return transactions(at, [energy_wh], **fields)[0]


def ended(rows: Iterable[Transaction]) -> None:
    """What the batch writes for transactions that ended."""
    now = timezone.now()
    with scopes_disabled():
        OutboxEntry.objects.bulk_create(
            OutboxEntry(**entry) for row in rows for entry in outbox.entries("transaction_ended", row.operator_id, row.pk, now)
        )


def sample(of: Transaction, minutes: int, register_wh: int, **fields: object) -> MeterSample:
    values: dict[str, object] = {
        "operator_id": of.operator_id,
        "station_id": of.station_id,
        "transaction": of,
        "evse_number": 1,
        "at": of.started_at + timedelta(minutes=minutes),
        "context": "Sample.Periodic",
        "energy_wh": Decimal(register_wh),
    }
    with scopes_disabled():
        return MeterSample.objects.create(**(values | fields))


def session(data: dict) -> Session:
    """The described session of a pricing case."""
    at = datetime.fromisoformat
    reserved = data.get("reservation")

    def number(value: object) -> Decimal | None:
        return None if value is None else Decimal(str(value))

    return Session(
        start=at(data["start"]),
        end=at(data["end"]),
        time_zone=data["time_zone"],
        samples=[
            Sample(at(one["at"]), Decimal(str(one["energy_wh"])), number(one.get("power_w")), number(one.get("current_a")))
            for one in data["samples"]
        ],
        charging_end=at(data.get("charging_end", data["end"])),
        reserved=Reserved(at(reserved["start"]), at(reserved["end"]), reserved["expired"]) if reserved else None,
    )
