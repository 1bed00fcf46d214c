"""What the wall shows, as rows for the templates: the same for the page and for the fragments that keep it live."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import ChargeRecord, RecordKind
from billing.selectors import billed_since
from csms.dashboard import worklist
from csms.dashboard.states import NO_ERROR as NO_ERROR
from csms.dashboard.states import STATES, State, error, label
from csms.templatetags import units
from stations import ports, selectors
from stations.domain.values import ConnectorStatus, TransactionStatus
from stations.models import Connector, Refusal, Site, Station, Transaction

#: Up to so many plugs each has a card; of more, each is a small shape that tells the rest when it is pointed at.
CARDS = 120
RUNNING_SHOWN = 50
#: How many of the running sessions are priced for the page, the newest first.
PRICED = 200
#: What a plug shows of its row and of those above it. Sites are few: they are read apart.
FIELDS = (
    *("number", "type", "status", "status_at", "error_code", "info", "evse__number"),
    *("evse__station__identity", "evse__station__site"),
    *("evse__station__status", "evse__station__error_code", "evse__station__connection__seen_at"),
)


@lru_cache(maxsize=10_000)
def _url(identity: str) -> str:
    return reverse("station", args=[identity])


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
        return label(self.connector)

    @property
    def error(self) -> str:
        return error(self.connector)

    @property
    def driver(self) -> str:
        """Who charges: what the id tag's note says, else the tag."""
        if self.session is None:
            return ""
        token = self.session.transaction.id_token
        return (token.note if token else "") or self.session.transaction.id_tag

    @property
    def url(self) -> str:
        return _url(self.station.identity)

    @property
    def sentence(self) -> str:
        words = {"station": self.station.identity, "number": self.label, "state": self.state.word}
        return _("%(station)s plug %(number)s: %(state)s") % words

    @property
    def facts(self) -> list[str]:
        """What else there is to say in few words: power and session, or what is wrong. Times of day, which do not grow old."""
        if self.session is None:
            if self.state is STATES[ConnectorStatus.AVAILABLE] or self.since is None:
                return []
            said = (self.error, self.connector.info) if self.state is STATES[ConnectorStatus.FAULTED] else ()
            return [*filter(None, said), _("since %(time)s") % {"time": units.moment(self.since)}]
        t = self.session.transaction
        read = {"power": units.kw(t.power_w), "time": units.moment(t.meter_last_at)}
        power = _("%(power)s at %(time)s") % read if self.fresh else _("The charger has not said lately how much it draws.")
        begun = _("charging since %(time)s") % {"time": units.moment(t.started_at)}
        return [power, *([units.kwh(t.energy_wh)] if t.energy_wh is not None else []), begun, *filter(None, [self.driver])]

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
class Summary:
    """`money` is what today's sessions were billed, by currency; empty: nothing yet."""

    counters: selectors.Counters
    money: list[tuple[str, Decimal]]
    now: datetime

    @property
    def attention(self) -> int:
        return self.counters["faulted"] + self.counters["offline"]

    @property
    def dense(self) -> bool:
        return self.counters["connectors"] > CARDS


@dataclass(frozen=True, slots=True)
class Wall:
    summary: Summary
    work: worklist.WorkList
    places: list[Place]
    running: list[Session]
    running_count: int
    finished: list[Session]
    refusals: list[Refusal]

    @property
    def key(self) -> list[State]:
        """What the shapes and letters of the plugs mean: a state for each shape."""
        return list({state.slug: state for state in reversed(STATES.values())}.values())[::-1]


def summary() -> Summary:
    now = timezone.now()
    return Summary(selectors.counters(), billed_since(selectors.midnight(now)), now)


def dense() -> bool:
    """Whether there are too many plugs for a card each."""
    return Connector.objects.order_by()[: CARDS + 1].count() > CARDS


def wall(rights: worklist.Rights) -> Wall:
    """Everything. The number of queries does not depend on the size of the network."""
    top = summary()
    active = list(selectors.running().select_related("id_token"))
    running = sessions(active[:PRICED])
    unpriced = (Session(transaction, None, 0) for transaction in active[PRICED:])
    plugs = _plugs(selectors.connectors(), [*running, *unpriced])
    return Wall(
        summary=top,
        work=worklist.work(rights, top.now),
        places=_places(plugs, selectors.stations_without_connectors()),
        running=running[:RUNNING_SHOWN],
        running_count=len(active),
        finished=sessions(selectors.finished()),
        refusals=list(selectors.recent_refusals()),
    )


def plugs(stations: Collection[int], *, priced: bool = True) -> list[Plug]:
    """The plugs of some stations."""
    running = selectors.running(evses_of=stations).select_related("id_token")
    found = sessions(running) if priced else [Session(transaction, None, 0) for transaction in running]
    return _plugs(selectors.connectors(stations=stations), found)


def states(stations: Collection[int]) -> dict[int, object]:
    """What a dot shows at a glance, by charger: the state of each plug, and which session it is in."""
    plugs = selectors.connectors(stations=stations).order_by("pk")
    sessions = Transaction.objects.filter(status=TransactionStatus.ACTIVE, station__in=stations).order_by("pk")
    found: dict[int, list[object]] = {pk: [] for pk in stations}
    shown = ("pk", "shown", "error_code", "evse__station__error_code")  # the second is annotated by the selector
    for pk, *state in plugs.values_list("evse__station_id", *shown):
        found[pk].append(state)
    for pk, session in sessions.values_list("station_id", "pk"):
        found[pk].append(session)
    return dict(found)


def changed_sessions(transactions: Collection[int]) -> list[Session]:
    """Those of these transactions that the wall shows, the oldest first."""
    shown = set(selectors.running().order_by("-id").values_list("pk", flat=True)[:RUNNING_SHOWN])
    shown |= {transaction.pk for transaction in selectors.finished()}
    return sessions(selectors.transactions().filter(pk__in=shown.intersection(transactions)).order_by("id"))


def sessions(transactions: Iterable[Transaction]) -> list[Session]:
    """Transactions with their price and findings."""
    found = list(transactions)
    pks = [transaction.pk for transaction in found]
    findings = selectors.finding_counts(pks)
    prices = {pk: Price(amount, currency, final=False) for pk, (amount, currency) in ports.running_cost(found).items()}
    for record in ChargeRecord.objects.filter(transaction__in=pks).order_by("revision"):
        # What was taken back, and not charged again, costs nothing.
        amount = record.total_incl_tax if record.kind == RecordKind.CHARGE else Decimal(0)
        prices[record.transaction_id] = Price(amount, record.currency, final=True)
    return [Session(transaction, prices.get(transaction.pk), findings.get(transaction.pk, 0)) for transaction in found]


def power_of(transaction: Transaction) -> Decimal | None:
    """What a running session draws now. None: it has not said lately."""
    read_at = transaction.meter_last_at
    return transaction.power_w if read_at and read_at > timezone.now() - selectors.READING_HOLDS else None


def _plugs(connectors: QuerySet[Connector], running: Iterable[Session]) -> list[Plug]:
    # Of several that claim the same plug the newest, which comes first, is the one that charges.
    by_plug: dict[tuple[int | None, int], Session] = {}
    for session in running:
        by_plug.setdefault((session.transaction.evse_id, session.transaction.connector_number), session)
    oldest = timezone.now() - selectors.READING_HOLDS
    rows = []
    for connector in connectors.select_related(None).select_related("evse__station__connection").only(*FIELDS):
        charging = by_plug.get((connector.evse_id, connector.number))
        shown: str = connector.shown  # type: ignore[attr-defined]  # annotated by the selector
        read_at = charging.transaction.meter_last_at if charging else None
        fresh = shown != selectors.OFFLINE and read_at is not None and read_at > oldest
        rows.append(Plug(connector, STATES.get(shown, STATES[ConnectorStatus.UNAVAILABLE]), charging, fresh))
    return rows


def _places(plugs: Iterable[Plug], waiting: Iterable[Station]) -> list[Place]:
    sites: dict[int | None, Site] = dict(Site.objects.in_bulk())
    places: dict[int | None, Place] = {}
    for pk, group in groupby(plugs, key=lambda plug: plug.station.site_id):
        places.setdefault(pk, Place(sites.get(pk))).plugs.extend(group)
    for station in waiting:
        places.setdefault(station.site_id, Place(station.site)).waiting.append(station)
    # Chargers without a site come last.
    return sorted(places.values(), key=lambda place: (place.site is None, place.site.name if place.site else ""))
