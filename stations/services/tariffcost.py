"""Tariff and cost (OCPP 2.0.1 chapter I; for 1.6 the cost messages over DataTransfer): the price on the driver's display.

`told` comes after the rules, for stations that show prices alone: it adds to their answers what those may say of the price, and
asks the others by messages. Between the messages a job tells what it costs (`stations.services.runningcosts`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from operator import itemgetter

from django.conf import settings

from stations import courses, ports
from stations.batch import Batch
from stations.cases import Case, of_state
from stations.domain import events
from stations.domain.commands.tariffcost import CostUpdated, TellFinalCost, TellPrice
from stations.domain.events import Done, Progress, Reply, VehicleUnplugged
from stations.domain.showing import MOST_LANGUAGES, Showing
from stations.domain.values import (
    AuthorizationStatus,
    ChargingState,
    ConnectorStatus,
    CostExplained,
    Note,
    Severity,
    Token,
    TokenInfo,
    TransactionStatus,
    Wording,
)
from stations.lookups import Need, PriceNeed, TransactionNeed
from stations.models import MeterSample
from stations.services import authorization, ourselves
from stations.services.rules import Rule
from stations.state import StationState, TransactionState

#: Contexts of readings that a station sends because it was to: when a limit of the last cost was reached, or it was triggered.
ASKED_FOR = ("Other", "Trigger")
PRICED = (
    *(events.TokenPresented, events.TransactionProgressed, events.TransactionStarted, events.TransactionEnded),
    *(events.MetersSampled, events.VehicleUnplugged),
)


def needs(event: events.Event, station: StationState) -> Iterable[Need]:
    """What it costs in the network. Called for stations that show prices only; one statement for a batch, whoever asks."""
    return (PriceNeed(station.operator_id),) if isinstance(event, PRICED) else ()


def told(event: events.Event, reply: Reply, batch: Batch) -> Reply:
    """The reply with what its station shows of the price. What is not known is not said."""
    showing, book = batch.station.showing, batch.lookups.prices.get(batch.station.operator_id)
    if showing is None or book is None or not isinstance(event, PRICED):
        return reply
    if isinstance(event, events.TokenPresented):
        prices = _at_the_door(event.token, batch, book)
        if prices is None or not isinstance(reply, events.TokenAnswered):
            return reply
        if _other_currency(showing, prices):
            said = f"The charger shows amounts in {showing.currency}, and charging is priced in {prices.currency}: it is told none."
            batch.note(Note("currency_differs", showing.currency, said, Severity.WARNING))
            return reply
        return _presented(event, reply, batch, showing, prices)
    transaction = _transaction(event, reply, batch)
    if transaction is None:
        return reply
    if isinstance(event, events.TransactionProgressed | events.TransactionStarted) and event.token is not None:
        transaction.language = _language(event.token, batch) or transaction.language
    prices = book.prices(of_state(batch.station, transaction))
    if prices is None or _other_currency(showing, prices):
        return reply
    if prices.needs_course:
        _follow(transaction, prices, batch)
    match event, reply:
        case events.TransactionProgressed(), events.TransactionProgressAnswered():
            return _progressed(event, reply, batch, transaction, showing, prices)
        case events.TransactionStarted(), events.TransactionStartAnswered() if showing.messages:
            if reply.info.status is AuthorizationStatus.ACCEPTED:
                _tell_running(batch, transaction, prices, showing)
        case events.MetersSampled(), _ if showing.messages:
            # A station that sends a reading since it was to is told what it costs by then (cost messages: triggerMeterValue).
            if any(reading.context in ASKED_FOR for reading in event.readings):
                _tell_running(batch, transaction, prices, showing)
        case events.TransactionEnded(), _ if showing.messages:
            _ended(batch, transaction, showing, prices)
    return reply


def _other_currency(showing: Showing, prices: ports.Prices) -> bool:
    return bool(showing.currency) and showing.currency != prices.currency


def _transaction(event: events.Event, reply: Reply, batch: Batch) -> TransactionState | None:
    """That which a message is about: of readings and of a start (1.6) an open one, else also one that has ended."""
    station = batch.station
    match event, reply:
        case events.TransactionStarted(), events.TransactionStartAnswered():
            return station.open.get(reply.transaction_id)
        case events.MetersSampled(), _:
            return station.open.get(event.transaction_id or "")
        case events.TransactionProgressed() | events.TransactionEnded(), _:
            ocpp_id = event.transaction_id or ""
            return station.open.get(ocpp_id) or batch.lookups.transactions.get(TransactionNeed(station.id, ocpp_id))
    return None


def _at_the_door(token: Token, batch: Batch, book: ports.PriceBook) -> ports.Prices | None:
    """What a token that is presented would pay now. Which plug it means is not said: where they differ in price none is known."""
    station, found = batch.station, authorization.find(batch, token)
    case = Case(
        operator=station.operator_id,
        site=station.site_id,
        station=station.id,
        evse=None,
        at=batch.now,
        group=found.group_id if found else None,
        driver=found is not None and found.of_driver,
        known=found is not None,
    )
    evses: list[int | None] = [evse.id for evse in station.evses.values()] or [None]
    first, *others = [book.prices(replace(case, evse=evse)) for evse in evses]
    return first if all(other is first for other in others) else None


def _follow(transaction: TransactionState, prices: ports.Prices, batch: Batch) -> None:
    """Have it kept in memory how the energy rises: what came before is read once by each process, in a statement a session."""
    known, every = transaction.course, prices.by_power
    if transaction.stopped_at is not None or (known is not None and known.every is every):
        return
    asked = courses.Running(transaction.id, batch.station.id, transaction.evse, transaction.started_at, every)
    transaction.course = courses.Course(courses.running(batch.cursor, [asked], now=batch.now)[transaction.id], every)
    for point in _unwritten(transaction, batch):
        transaction.course.go_on(point)


def _unwritten(transaction: TransactionState, batch: Batch) -> list[courses.Point]:
    """What this batch read of it."""
    rows = [row for row in batch.added[MeterSample].values() if row["transaction_id"] == transaction.id]
    read = [row for row in rows if row["energy_wh"] is not None]
    found = [courses.point(row["at"], row["energy_wh"], row["current_a"], row["current_sum_a"]) for row in read]
    return sorted((point for point in found if point[0] > transaction.started_at), key=itemgetter(0))


def _presented(
    event: events.TokenPresented, reply: events.TokenAnswered, batch: Batch, showing: Showing, prices: ports.Prices
) -> Reply:
    """Who may charge is told the price (I01)."""
    if reply.info.status is not AuthorizationStatus.ACCEPTED:
        return reply
    wording = price_in_words(prices, showing, _language(event.token, batch))
    if showing.messages:
        texts = [{"language": one.language, "content": one.content} for one in wording.others]
        ourselves.ask(batch, TellPrice(event.token.value, wording.content, texts))
    return replace(reply, info=replace(reply.info, message=wording)) if showing.price else reply


def _language(token: Token, batch: Batch) -> str:
    """That of the token's driver, as far as it is known."""
    found = authorization.find(batch, token)
    return found.language if found else ""


def price_in_words(prices: ports.Prices, showing: Showing, language: str) -> Wording:
    """The price in the driver's language, else the station's, else the system's; and in its others, if it takes several."""
    chosen = language or showing.language or settings.LANGUAGE_CODE
    rest = [one for one in (showing.languages if showing.texts else ()) if one != chosen][:MOST_LANGUAGES]
    return Wording(_sentence(prices, chosen), chosen[:8], tuple(Wording(_sentence(prices, one), one[:8]) for one in rest))


def _sentence(prices: ports.Prices, language: str) -> str:
    return prices.sentence(language)[:512]


def _progressed(
    event: events.TransactionProgressed,
    reply: events.TransactionProgressAnswered,
    batch: Batch,
    transaction: TransactionState,
    showing: Showing,
    prices: ports.Prices,
) -> Reply:
    """The cost so far, or at the end that of all of it; and the price, with the authorisation or when it has changed (I02, I03)."""
    running = transaction.stopped_at is None
    info, message = reply.info, None
    if showing.price and running and not event.offline:
        wording = price_in_words(prices, showing, transaction.language)
        if _accepted(info):
            assert info is not None
            info = replace(info, message=wording)
        elif wording.content != transaction.told_price:
            message = wording
        transaction.told_price = wording.content
    cost = explained = None
    if showing.cost and ((running and not event.offline) or event.part is Progress.ENDED):
        session = _so_far(transaction, prices, batch, batch.now if running else transaction.stopped_at)
        cost = _cost(session, prices, showing)
        if cost is not None and session is not None and showing.explained:
            meter, state = transaction.meter_last_wh, _state(transaction, batch.station)
            explained = CostExplained(session.until, meter, state, in_text(prices.parts(session)))
    return replace(reply, info=info, cost=cost, explained=explained, message=message)


def _accepted(info: TokenInfo | None) -> bool:
    return info is not None and info.status is AuthorizationStatus.ACCEPTED


def _so_far(transaction: TransactionState, prices: ports.Prices, batch: Batch, until: datetime | None) -> ports.SoFar | None:
    """What is to be priced. None: that is not known, as of what has ended while anybody doubts it.

    Where it matters when energy flowed, a running session has two points a quarter of an hour, or where it matters how fast its
    readings; and one that has ended every reading, as its charge record will: that is read at its end, in one statement.
    """
    ended = transaction.status == TransactionStatus.ENDED.value
    # Of a stop that comes first the register says the last word.
    last = transaction.meter_stop_wh if ended and transaction.meter_stop_wh is not None else transaction.meter_last_wh
    start = transaction.meter_start_wh
    if (ended and transaction.doubt) or start is None or last is None or last < start or until is None:
        return None
    if not ended and transaction.stopped_at is not None:
        return None
    points: list[courses.Point] = []
    if prices.needs_course:
        points = _every(transaction, batch, until) if ended else transaction.course.points if transaction.course else []
    course = [(at, register - start, current_a) for at, register, current_a in points]
    return ports.SoFar(
        transaction.started_at,
        until,
        last - start,
        transaction.time_zone or batch.station.time_zone,
        course,
        charging_ended_at=transaction.charging_ended_at,
        reserved_at=transaction.reserved_at,
    )


def _every(transaction: TransactionState, batch: Batch, until: datetime) -> list[courses.Point]:
    """Every reading of a session that has ended, also those of this batch."""
    since = transaction.started_at
    points = courses.whole(batch.cursor, transaction=transaction.id, station=batch.station.id, since=since, until=until)
    points += [point for point in _unwritten(transaction, batch) if point[0] < until]
    return sorted(points, key=itemgetter(0))


def _cost(session: ports.SoFar | None, prices: ports.Prices, showing: Showing) -> Decimal | None:
    """With tax, in the station's decimals."""
    amount = prices.cost(session) if session is not None else None
    if amount is None or showing.decimals is None:
        return amount
    return amount.quantize(Decimal(1).scaleb(-showing.decimals), ROUND_HALF_UP)


def in_text(parts: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: f"{price:f}" for name, price in parts.items()}


def _state(transaction: TransactionState, station: StationState) -> str:
    """What energy does: as the transaction says (2.x), else as its connector does."""
    if transaction.stopped_at is not None:
        return "Idle"
    if transaction.charging_state:
        return "Charging" if transaction.charging_state == ChargingState.CHARGING.value else "Idle"
    evse = station.evses.get(transaction.evse or 0)
    states = [connector.status for connector in evse.connectors.values()] if evse else []
    return "Idle" if any(state in IDLE for state in states) else "Charging"


#: States of a connector at which no energy flows.
IDLE = (ConnectorStatus.SUSPENDED_EV, ConnectorStatus.SUSPENDED_EVSE, ConnectorStatus.FINISHING)


def _tell_running(batch: Batch, transaction: TransactionState, prices: ports.Prices, showing: Showing) -> None:
    session = _so_far(transaction, prices, batch, transaction.stopped_at or batch.now)
    cost, register = _cost(session, prices, showing), transaction.meter_last_wh
    if session is not None and cost is not None and register is not None:
        state, parts = _state(transaction, batch.station), in_text(prices.parts(session))
        at = session.until.isoformat()
        told = CostUpdated(transaction.ocpp_id, f"{cost:f}", at, int(register), state, parts, explained=showing.explained)
        ourselves.ask(batch, told)


def _ended(batch: Batch, ended: TransactionState, showing: Showing, prices: ports.Prices) -> None:
    """What it cost in the end; where a session costs until the cable is out, that is told when it is."""
    if ended.status != TransactionStatus.ENDED.value:
        return
    if showing.after_stop:
        _tell_running(batch, ended, prices, showing)
    else:
        _tell_final(batch, ended, prices, showing)


def _tell_final(batch: Batch, ended: TransactionState, prices: ports.Prices, showing: Showing) -> None:
    cost = _cost(_so_far(ended, prices, batch, ended.stopped_at), prices, showing)
    if cost is not None:
        wording = price_in_words(prices, showing, ended.language)
        texts = [{"language": one.language, "content": one.content} for one in wording.others]
        ourselves.ask(batch, TellFinalCost(ended.ocpp_id, f"{cost:f}", wording.content, texts))


def unplugged_needs(event: VehicleUnplugged, station: StationState) -> Iterable[Need]:
    return () if event.transaction_id in station.open else (TransactionNeed(station.id, event.transaction_id),)


def unplugged(event: VehicleUnplugged, batch: Batch) -> Done:
    """Nothing more is to be paid: what it cost in the end is told."""
    station, showing = batch.station, batch.station.showing
    ended = batch.lookups.transactions.get(TransactionNeed(station.id, event.transaction_id))
    if ended is None and event.transaction_id not in station.open:
        detail = f"The cable of transaction {event.transaction_id} was unplugged, which is not known."
        batch.note(Note("transaction_unknown", "unplugged", detail, Severity.WARNING))
    book = batch.lookups.prices.get(station.operator_id)
    if ended is not None and showing is not None and showing.after_stop and book is not None:
        prices = book.prices(of_state(station, ended))
        if prices is not None and not _other_currency(showing, prices):
            _tell_final(batch, ended, prices, showing)
    return Done()


RULES: dict[type[events.Event], Rule] = {VehicleUnplugged: Rule(unplugged, unplugged_needs)}
