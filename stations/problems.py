"""What in a network needs a person, in the scope of the caller: at most `EACH` of a kind (and one more, which tells that there
are more), the newest first, so that what has been wrong for long does not hide what has just broken."""

from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Count, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Greatest

from stations.domain.chargingprofiles import TX
from stations.domain.commands import TriggerMessage
from stations.domain.values import ConnectorStatus, Registration, TransactionStatus
from stations.locallists import WHY
from stations.models import (
    ChargingProfile,
    Command,
    CommandStatus,
    Connection,
    Connector,
    InstalledCertificate,
    ListState,
    LocalList,
    MonitorEvent,
    NetworkMove,
    SecurityEvent,
    Station,
    Transaction,
)
from stations.models.command import FRUITLESS
from stations.models.network import ASTRAY
from stations.selectors import online

EACH = 10
#: A charger that comes back by itself within this time needs nobody.
OFFLINE_FOR = timedelta(minutes=10)
#: How long a plug may be about to start, or about to be free.
STUCK_FOR = timedelta(minutes=15)
STUCK = (ConnectorStatus.PREPARING.value, ConnectorStatus.FINISHING.value)
#: How long a session may still run at a plug that says it is free: the two messages come in either order.
FREE_FOR = timedelta(minutes=2)
SILENT_FOR = timedelta(hours=3)
#: A charger that is not accepted boots again every minute; one that has stopped trying asks for nothing.
BOOTED_WITHIN = timedelta(hours=1)
#: What an alert must at least be, to be somebody's to look at: danger, failures of hardware and system, critical.
SEVERE = 3
FRUITLESS_WITHIN = timedelta(hours=24)
#: A certificate that ends this soon must be followed by another.
ENDS_WITHIN = timedelta(days=30)
#: A charger that was led astray is told of for so long; after that nobody wonders any more.
ASTRAY_WITHIN = timedelta(days=14)
#: Rows that are looked at to tell of each charger, or each certificate, once.
LOOKED_AT = 200

Row = TypeVar("Row", SecurityEvent, ChargingProfile)


def _plugs(now: datetime) -> QuerySet[Connector]:
    found = Connector.objects.select_related("evse__station").filter(evse__station__in=online(now).values("pk"))
    return found.order_by(F("status_at").desc(nulls_last=True), "-pk")


def faulted(now: datetime) -> QuerySet[Connector]:
    """Plugs that report a fault. That of a whole charger is told once, by its first plug."""
    first = ~Exists(Connector.objects.filter(evse__station=OuterRef("evse__station"), pk__lt=OuterRef("pk")))
    whole = Q(evse__station__status=ConnectorStatus.FAULTED.value)
    return _plugs(now).filter((whole & first) | (Q(status=ConnectorStatus.FAULTED.value) & ~whole))[: EACH + 1]


def stuck(now: datetime) -> QuerySet[Connector]:
    """Plugs that have been preparing or finishing for too long."""
    found = _plugs(now).filter(status__in=STUCK, status_at__lt=now - STUCK_FOR)
    return found.exclude(evse__station__status=ConnectorStatus.FAULTED.value)[: EACH + 1]


def offline(now: datetime) -> QuerySet[Connection]:
    """Chargers that were connected once and have not been heard lately; `behind`: how many a local controller relays.

    Those behind a local controller that is offline itself are told with it: the cause is one.
    """
    heard = online(now).values("pk")
    found = Connection.objects.select_related("station").filter(seen_at__lt=now - OFFLINE_FOR).exclude(pk__in=heard)
    cause = Connection.objects.filter(pk=OuterRef("station__controller"), seen_at__lt=now - OFFLINE_FOR).exclude(pk__in=heard)
    behind = Station.objects.filter(controller=OuterRef("pk")).order_by().values("controller").annotate(n=Count("pk")).values("n")
    return found.filter(~Exists(cause)).annotate(behind=Coalesce(Subquery(behind), 0)).order_by("-seen_at")[: EACH + 1]


def not_accepted(now: datetime) -> QuerySet[Station]:
    """Chargers that boot and are told to wait, or to go away."""
    found = Station.objects.filter(registration__in=[Registration.PENDING.value, Registration.REJECTED.value])
    return found.filter(booted_at__gt=now - BOOTED_WITHIN).order_by("-booted_at")[: EACH + 1]


def dead(now: datetime) -> QuerySet[Transaction]:
    """Sessions that run although their plug is free (`free`), or of which nothing was heard for hours (`heard_at`): all of them."""
    plug = Connector.objects.filter(
        evse=OuterRef("evse"),
        number=OuterRef("connector_number"),
        status=ConnectorStatus.AVAILABLE.value,
        status_at__gt=OuterRef("started_at"),
        status_at__lt=now - FREE_FOR,
    )
    found = Transaction.objects.filter(status=TransactionStatus.ACTIVE).select_related("station", "evse")
    # The greatest of what is known: PostgreSQL passes over what is not.
    found = found.annotate(free=Exists(plug), heard_at=Greatest("started_at", "meter_last_at"))
    return found.filter(Q(free=True) | Q(heard_at__lt=now - SILENT_FOR))


def unended(now: datetime) -> QuerySet[Transaction]:
    return dead(now).order_by(Greatest("started_at", "meter_last_at").desc(), "-pk")[: EACH + 1]


def fruitless(now: datetime) -> QuerySet[Command]:
    """Commands that came to nothing lately, unless the same was asked again since.

    That a charger does not send a message when it is asked for it is no fault of it: many reject that (evcc#4017).
    """
    again = Command.objects.filter(station=OuterRef("station"), kind=OuterRef("kind"), pk__gt=OuterRef("pk"))
    found = Command.objects.filter(status__in=FRUITLESS, finished_at__gt=now - FRUITLESS_WITHIN).select_related("station")
    found = found.exclude(kind=TriggerMessage.kind, status=CommandStatus.REJECTED)
    found = found.exclude(requested_by__isnull=True, reason=WHY)  # stands with the local lists
    return found.filter(~Exists(again)).order_by("-finished_at", "-pk")[: EACH + 1]


def refused_lists() -> QuerySet[LocalList]:
    """Lists of id tags that their chargers refused, so that they are not in step."""
    return LocalList.objects.filter(state=ListState.FAILED).select_related("station").order_by("-id")[: EACH + 1]


def lost_limits(now: datetime) -> list[tuple[ChargingProfile, int]]:
    """Of each charger that has lost limits the one found missing last, and how many are (as far as looked)."""
    return _each(missing_limits(now).select_related("station"))


def missing_limits(now: datetime) -> QuerySet[ChargingProfile]:
    """What was accepted and is not there any more. What was for a time or a session that is over nobody misses."""
    running = Transaction.objects.filter(
        station=OuterRef("station"), ocpp_transaction_id=OuterRef("ocpp_transaction_id"), status=TransactionStatus.ACTIVE
    )
    until = Cast(KeyTextTransform("valid_to", "wanted"), DateTimeField())
    found = ChargingProfile.objects.filter(wanted__isnull=False, reported__isnull=True, checked_at__isnull=False)
    found = found.annotate(until=until).filter(Q(until=None) | Q(until__gt=now), ~Q(purpose=TX) | Exists(running))
    return found.order_by("-checked_at", "-pk")


def astray(now: datetime) -> QuerySet[NetworkMove]:
    """Chargers that were led to another address and were lost there, or came back on the old one, until they are led anew."""
    later = NetworkMove.objects.filter(station=OuterRef("station"), pk__gt=OuterRef("pk"))
    found = NetworkMove.objects.filter(status__in=ASTRAY, finished_at__gt=now - ASTRAY_WITHIN)
    return found.filter(~Exists(later)).select_related("station__connection").order_by("-id")[: EACH + 1]


def alerts() -> QuerySet[MonitorEvent]:
    """Severe alerts that are not over, the most severe first, and then those of which nobody says how severe they are: a
    notification that is built in has no monitor that could (OCPP 2.0.1 N07)."""
    found = MonitorEvent.objects.filter(open=True).order_by("severity", "-since", "-pk").values("pk")
    # Apart, so that each reads no more of its index than is shown.
    first = found.filter(severity__lte=SEVERE)[: EACH + 1].union(found.filter(severity=None)[: EACH + 1], all=True)
    rows = MonitorEvent.objects.select_related("station").filter(pk__in=first)
    return rows.order_by(F("severity").asc(nulls_last=True), "-since", "-pk")[: EACH + 1]


def alarming() -> list[tuple[SecurityEvent, int]]:
    """Of each charger with critical security events that nobody has seen the newest, and how many there are (as far as looked)."""
    return _each(SecurityEvent.objects.filter(critical=True, acknowledged_at=None).select_related("station").order_by("-pk"))


def _each(rows: QuerySet[Row]) -> list[tuple[Row, int]]:
    """The first row of each charger, and how many it has."""
    first: dict[int, Row] = {}
    counts: dict[int, int] = {}
    while len(first) <= EACH:
        # A charger that has hundreds hides no other.
        found = list(rows.exclude(station__in=list(first))[:LOOKED_AT])
        for row in found:
            first.setdefault(row.station_id, row)
            counts[row.station_id] = counts.get(row.station_id, 0) + 1
        if len(found) < LOOKED_AT:
            break
    return [(row, counts[pk]) for pk, row in first.items()][: EACH + 1]


def ending(now: datetime) -> list[tuple[InstalledCertificate, int]]:
    """Certificates that end soon, or have ended, each once, and at how many chargers (as far as looked)."""
    found = InstalledCertificate.objects.filter(removed_at=None, not_after__lt=now + ENDS_WITHIN).select_related("station")
    first: dict[tuple[str, str], InstalledCertificate] = {}
    counts: dict[tuple[str, str], int] = {}
    for row in found.order_by("not_after", "pk")[:LOOKED_AT]:
        key = (row.subject, row.serial_key)
        first.setdefault(key, row)
        counts[key] = counts.get(key, 0) + 1
    return [(row, counts[key]) for key, row in first.items()][: EACH + 1]
