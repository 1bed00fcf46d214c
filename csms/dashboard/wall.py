"""What the wall shows, as rows for the templates: the same for the page and for the fragments that keep it live."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from django.utils import timezone

from billing.models import ChargeRecord
from csms.dashboard.states import STATES, State
from stations import ports, selectors
from stations.domain.values import ConnectorStatus, TransactionStatus
from stations.models import Connector, Refusal, Site, Station, Transaction

NO_ERROR = "NoError"


@dataclass(frozen=True, slots=True)
class Price:
    amount: Decimal
    currency: str
    final: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A transaction, and what it costs: None without a tariff, or not known yet."""

    transaction: Transaction
    price: Price | None
    findings: int

    @property
    def running(self) -> bool:
        return self.transaction.status == TransactionStatus.ACTIVE

    @property
    def list(self) -> str:
        """The id of the list the session stands in."""
        return "running" if self.running else "finished"


@dataclass(frozen=True, slots=True)
class Plug:
    connector: Connector
    state: State
    session: Session | None
    fresh: bool  # whether the session's power reading says anything about now

    @property
    def station(self) -> Station:
        return self.connector.evse.station

    @property
    def label(self) -> str:
        """The plug's number as it stands on the charger; an EVSE's further connectors follow a dot."""
        number = self.connector.evse.number
        return str(number) if self.connector.number == 1 else f"{number}.{self.connector.number}"

    @property
    def error(self) -> str:
        """What a faulted plug, or its whole charger, says is wrong."""
        own = self.connector.error_code
        code = own if own and own != NO_ERROR else self.station.error_code
        return "" if code == NO_ERROR else code

    @property
    def since(self) -> datetime | None:
        """When the state began; for an offline charger, when it was last heard."""
        if self.state is STATES[selectors.OFFLINE]:
            connection = getattr(self.station, "connection", None)
            return connection.seen_at if connection else None
        return self.connector.status_at


@dataclass(frozen=True, slots=True)
class Place:
    """The plugs of a site, and its chargers that have none yet."""

    site: Site | None
    plugs: list[Plug] = field(default_factory=list)
    waiting: list[Station] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wall:
    counters: selectors.Counters
    places: list[Place]
    running: list[Session]
    finished: list[Session]
    refusals: list[Refusal]
    now: datetime


def wall() -> Wall:
    """Everything. The number of queries does not depend on the size of the network."""
    running = sessions(selectors.running())
    plugs = _plugs(selectors.connectors(), running)
    return Wall(
        counters=selectors.counters(),
        places=_places(plugs, selectors.stations_without_connectors()),
        running=running,
        finished=sessions(selectors.finished()),
        refusals=list(selectors.recent_refusals()),
        now=timezone.now(),
    )


def plugs(stations: Collection[int]) -> list[Plug]:
    """The plugs of some stations."""
    return _plugs(selectors.connectors(stations=stations), sessions(selectors.running(evses_of=stations)))


def changed_sessions(transactions: Collection[int]) -> list[Session]:
    """Those of these transactions that the wall shows, the oldest first."""
    finished = {transaction.pk for transaction in selectors.finished()}
    found = selectors.transactions().filter(pk__in=transactions).order_by("id")
    return sessions(t for t in found if t.status == TransactionStatus.ACTIVE or t.pk in finished)


def sessions(transactions: Iterable[Transaction]) -> list[Session]:
    """Transactions with their price and findings."""
    found = list(transactions)
    pks = [transaction.pk for transaction in found]
    findings = selectors.finding_counts(pks)
    prices = {pk: Price(amount, currency, final=False) for pk, (amount, currency) in ports.running_cost(found).items()}
    records = ChargeRecord.objects.filter(transaction__in=pks).order_by("revision")
    prices |= {record.transaction_id: Price(record.total_incl_tax, record.currency, final=True) for record in records}
    return [Session(transaction, prices.get(transaction.pk), findings.get(transaction.pk, 0)) for transaction in found]


def power_of(transaction: Transaction) -> Decimal | None:
    """What a running session draws now. None: it has not said lately."""
    read_at = transaction.meter_last_at
    return transaction.power_w if read_at and read_at > timezone.now() - selectors.READING_HOLDS else None


def _plugs(connectors: Iterable[Connector], running: Iterable[Session]) -> list[Plug]:
    # Of several that claim the same plug the newest, which comes first, is the one that charges.
    by_plug: dict[tuple[int | None, int], Session] = {}
    for session in running:
        by_plug.setdefault((session.transaction.evse_id, session.transaction.connector_number), session)
    oldest = timezone.now() - selectors.READING_HOLDS
    rows = []
    for connector in connectors:
        charging = by_plug.get((connector.evse_id, connector.number))
        shown: str = connector.shown  # type: ignore[attr-defined]  # annotated by the selector
        read_at = charging.transaction.meter_last_at if charging else None
        fresh = shown != selectors.OFFLINE and read_at is not None and read_at > oldest
        rows.append(Plug(connector, STATES.get(shown, STATES[ConnectorStatus.UNAVAILABLE]), charging, fresh))
    return rows


def _places(plugs: Iterable[Plug], waiting: Iterable[Station]) -> list[Place]:
    places: dict[int | None, Place] = {}
    for pk, group in groupby(plugs, key=lambda plug: plug.station.site_id):
        members = list(group)
        places[pk] = Place(members[0].station.site, plugs=members)
    for station in waiting:
        places.setdefault(station.site_id, Place(station.site)).waiting.append(station)
    # Chargers without a site come last.
    return sorted(places.values(), key=lambda place: (place.site is None, place.site.name if place.site else ""))
