"""Reads of the network, in the scope of the caller. The number of queries never depends on the number of rows."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from django.db.models import Case, Count, DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

from stations.domain.values import ConnectorStatus, Doubt, TransactionStatus
from stations.models import Connection, Connector, Finding, Firmware, FirmwareUpdate, MeterSample, Refusal, Station, Transaction

#: Shown in place of a connector's state while its station cannot be heard.
OFFLINE = "Offline"
#: `Connection.seen_at` is written at most every 30 s, so a lease is never shorter than this, however often a station beats.
SHORTEST_LEASE = timedelta(seconds=90)
#: A power reading older than this says nothing about now. Stations sample every 15 minutes at the rarest.
READING_HOLDS = timedelta(minutes=16)
FINISHED_SHOWN = 20
REFUSALS_SHOWN = 10
VERSIONS_SHOWN = 500


def heard(now: datetime | None = None, *, station: str = "station__", connection: str = "") -> Q:
    """Whether a station is online: connected, and heard within three heartbeat intervals. Given: the ways from the row to both."""
    lease = Greatest(
        ExpressionWrapper(F(f"{station}heartbeat_interval_s") * Value(timedelta(seconds=3)), output_field=DurationField()),
        Value(SHORTEST_LEASE, output_field=DurationField()),
    )
    gone, came = f"{connection}disconnected_at", f"{connection}connected_at"
    connected = Q(**{f"{gone}__isnull": True}) | Q(**{f"{gone}__lt": F(came)})
    oldest = ExpressionWrapper((now or timezone.now()) - lease, Connection.seen_at.field)
    return connected & Q(**{f"{connection}seen_at__gt": oldest})


def online(now: datetime | None = None) -> QuerySet[Connection]:
    """The connections of stations that are online."""
    return Connection.objects.filter(heard(now))


def online_stations() -> set[int]:
    """Primary keys of the stations that are online."""
    return set(online().values_list("pk", flat=True))


def connectors(*, stations: Collection[int] | None = None) -> QuerySet[Connector]:
    """Every connector, or those of some stations, with `shown`: the state a person should see.

    That is Offline while the station cannot be heard, Faulted while the station as a whole is, else the connector's own.
    """
    # Of all: hashed once, where a look for each would cost so much that PostgreSQL compiles the query first (60 ms).
    one = Exists(online().filter(pk=OuterRef("evse__station_id")))
    heard = Q(evse__station__in=online().values("pk")) if stations is None else one
    found = (
        Connector.objects.select_related("evse__station__site", "evse__station__connection")
        .annotate(
            shown=Case(
                When(~heard, then=Value(OFFLINE)),
                When(evse__station__status=ConnectorStatus.FAULTED, then=Value(ConnectorStatus.FAULTED.value)),
                default=F("status"),
            )
        )
        .order_by("evse__station__site__name", "evse__station__identity", "evse__number", "number")
    )
    return found if stations is None else found.filter(evse__station_id__in=stations)


def stations_without_connectors() -> QuerySet[Station]:
    """Stations that never said what connectors they have: most likely they have yet to dial in."""
    known = Connector.objects.filter(evse__station_id=OuterRef("pk"))
    return Station.objects.filter(~Exists(known)).select_related("site", "connection")


def transactions() -> QuerySet[Transaction]:
    """Transactions with what a line about them shows."""
    return Transaction.objects.select_related("station__site", "site", "evse")


def running(*, evses_of: Collection[int] | None = None) -> QuerySet[Transaction]:
    """Running transactions, the newest first; or those of some stations."""
    found = transactions().filter(status=TransactionStatus.ACTIVE).order_by("-id")
    return found if evses_of is None else found.filter(station__in=evses_of)


def finished() -> QuerySet[Transaction]:
    """The transactions that ended last."""
    return (
        transactions()
        .filter(status=TransactionStatus.ENDED, stopped_at__isnull=False)
        .order_by("-stopped_at", "-id")[:FINISHED_SHOWN]
    )


def finding_counts(transactions: Collection[int]) -> dict[int, int]:
    """How many findings each of these transactions has."""
    found = Finding.objects.filter(transaction__in=transactions).order_by().values_list("transaction")
    return dict(found.annotate(n=Count("pk")))


def samples(transaction: Transaction, *, limit: int = 200) -> list[MeterSample]:
    """The newest meter samples of a transaction, oldest first."""
    # By station and time too: the head of the index, and the months to look in. The station's clock may have been set since.
    since = transaction.started_at - timedelta(days=1)
    newest = MeterSample.objects.filter(station=transaction.station_id, at__gte=since, transaction=transaction.pk).order_by("-at")
    return list(reversed(newest[:limit]))


def recent_refusals() -> QuerySet[Refusal]:
    """Who was turned away within the last hour."""
    return Refusal.objects.filter(last_at__gt=timezone.now() - timedelta(hours=1)).order_by("-last_at")[:REFUSALS_SHOWN]


class Counters(TypedDict):
    """`power_w` counts only readings that still hold, `unread` the sessions without one; `energy_today_wh` sums the sessions that
    started today. None: there are such sessions, but nothing is known of them."""

    connectors: int
    charging: int
    faulted: int
    offline: int
    power_w: Decimal | None
    unread: int
    energy_today_wh: Decimal | None


def midnight(now: datetime) -> datetime:
    """When today began."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


def counters() -> Counters:
    """The network in seven numbers."""
    now = timezone.now()
    states: dict[str, int] = dict(connectors().order_by().values_list("shown").annotate(n=Count("pk")))  # type: ignore[misc]  # annotated
    read = Q(meter_last_at__gt=now - READING_HOLDS, power_w__isnull=False, station__in=online(now).values("pk"))
    power = Transaction.objects.filter(status=TransactionStatus.ACTIVE).aggregate(
        w=Sum("power_w", filter=read), read=Count("pk", filter=read), all=Count("pk")
    )
    # A register that jumped says nothing about energy.
    today = Transaction.objects.filter(started_at__gte=midnight(now)).exclude(doubt=Doubt.REGISTER)
    energy = today.aggregate(wh=Sum("energy_wh"), all=Count("pk"))
    return {
        "connectors": sum(states.values()),
        "charging": states.get(ConnectorStatus.CHARGING.value, 0),
        "faulted": states.get(ConnectorStatus.FAULTED.value, 0),
        "offline": states.get(OFFLINE, 0),
        "power_w": power["w"] if power["all"] else Decimal(0),
        "unread": power["all"] - power["read"],
        "energy_today_wh": energy["wh"] if energy["all"] else Decimal(0),
    }


def fitting(station: Station) -> QuerySet[Firmware]:
    """The images that may go to a station: of its vendor and model, not withdrawn. The newest first."""
    if not station.vendor:
        return Firmware.objects.none()  # nobody knows what it is
    ours = Firmware.objects.filter(operator=station.operator_id, withdrawn_at__isnull=True)
    return ours.filter(Q(model="") | Q(model__iexact=station.model), vendor__iexact=station.vendor).order_by("-id")


class Version(TypedDict):
    vendor: str
    model: str
    firmware_version: str
    stations: int


def firmware_versions() -> list[Version]:
    """How many stations run which version, by vendor and model; the most frequent first within a model."""
    found = Station.objects.exclude(vendor="", model="").order_by().values("vendor", "model", "firmware_version")
    counted = found.annotate(stations=Count("pk")).order_by("vendor", "model", "-stations", "firmware_version")
    return list(counted[:VERSIONS_SHOWN])  # type: ignore[arg-type]  # annotated


def updates_under_way(firmwares: Collection[int]) -> dict[int, int]:
    """How many stations are on their way to each of these images."""
    found = FirmwareUpdate.objects.filter(firmware__in=firmwares, finished_at__isnull=True).order_by().values_list("firmware")
    return dict(found.annotate(n=Count("pk")))
