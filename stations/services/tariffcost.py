"""Tariff and cost (OCPP 2.0.1 chapter I; for 1.6 the cost messages over DataTransfer): the price on the driver's display.

`told` comes after the rules, for stations that show prices alone: it adds to their answers what those may say of the price, and
asks the others by messages. Between the messages a job tells what it costs (`stations.services.runningcosts`).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings

from stations import ports
from stations.batch import Batch
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
    showing, prices = batch.station.showing, batch.lookups.prices.get(batch.station.operator_id)
    if showing is None or prices is None or not isinstance(event, PRICED):
        return reply
    if showing.currency and showing.currency != prices.currency:
        if isinstance(event, events.TokenPresented):
            said = f"The charger shows amounts in {showing.currency}, and charging is priced in {prices.currency}: it is told none."
            batch.note(Note("currency_differs", showing.currency, said, Severity.WARNING))
        return reply
    match event, reply:
        case events.TokenPresented(), events.TokenAnswered():
            return _presented(event, reply, batch, showing, prices)
        case events.TransactionProgressed(), events.TransactionProgressAnswered():
            return _progressed(event, reply, batch, showing, prices)
        case events.TransactionStarted(), events.TransactionStartAnswered() if showing.messages:
            begun = batch.station.open.get(reply.transaction_id)
            if begun is not None and event.token is not None:
                begun.language = _language(event.token, batch)
            if begun is not None and reply.info.status is AuthorizationStatus.ACCEPTED:
                _tell_running(batch, begun, prices, showing)
        case events.MetersSampled(), _ if showing.messages:
            _sampled(event, batch, showing, prices)
        case events.TransactionEnded(), _ if showing.messages:
            _ended(event, batch, showing, prices)
    return reply


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
    showing: Showing,
    prices: ports.Prices,
) -> Reply:
    """The cost so far, or at the end that of all of it; and the price, with the authorisation or when it has changed (I02, I03)."""
    station = batch.station
    transaction = station.open.get(event.transaction_id) or batch.lookups.transactions.get(
        TransactionNeed(station.id, event.transaction_id)
    )
    if transaction is None:
        return reply
    if event.token is not None:
        transaction.language = _language(event.token, batch) or transaction.language
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
        until = batch.now if running else transaction.stopped_at
        cost = _cost(transaction, prices, showing, station, until)
        if cost is not None and showing.explained:
            explained = _explained(transaction, prices, station, batch.now if until is None else until)
    return replace(reply, info=info, cost=cost, explained=explained, message=message)


def _accepted(info: TokenInfo | None) -> bool:
    return info is not None and info.status is AuthorizationStatus.ACCEPTED


def _cost(
    transaction: TransactionState, prices: ports.Prices, showing: Showing, station: StationState, until: datetime | None
) -> Decimal | None:
    """With tax, in the station's decimals. None: it is not known, as of what has ended while anybody doubts it."""
    ended = transaction.status == TransactionStatus.ENDED.value
    # Of a stop that comes first the register says the last word.
    last = transaction.meter_stop_wh if ended and transaction.meter_stop_wh is not None else transaction.meter_last_wh
    start = transaction.meter_start_wh
    if (ended and transaction.doubt) or start is None or last is None or last < start or until is None:
        return None
    if not ended and transaction.stopped_at is not None:
        return None
    amount = prices.cost(started_at=transaction.started_at, until=until, energy_wh=last - start, time_zone=station.time_zone)
    if showing.decimals is None:
        return amount
    return amount.quantize(Decimal(1).scaleb(-showing.decimals), ROUND_HALF_UP)


def _explained(transaction: TransactionState, prices: ports.Prices, station: StationState, at: datetime) -> CostExplained:
    return CostExplained(at, transaction.meter_last_wh, _state(transaction, station), in_text(prices))


def in_text(prices: ports.Prices) -> dict[str, str]:
    return {name: f"{price:f}" for name, price in prices.parts.items()}


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
    until = transaction.stopped_at or batch.now
    cost = _cost(transaction, prices, showing, batch.station, until)
    register = transaction.meter_last_wh
    if cost is not None and register is not None:
        state = _state(transaction, batch.station)
        told = CostUpdated(
            transaction.ocpp_id, f"{cost:f}", until.isoformat(), int(register), state, in_text(prices), explained=showing.explained
        )
        ourselves.ask(batch, told)


def _sampled(event: events.MetersSampled, batch: Batch, showing: Showing, prices: ports.Prices) -> None:
    """A station that sends a reading since it was to is told what it costs by then (cost messages: triggerMeterValue)."""
    transaction = batch.station.open.get(event.transaction_id or "")
    if transaction is not None and any(reading.context in ASKED_FOR for reading in event.readings):
        _tell_running(batch, transaction, prices, showing)


def _ended(event: events.TransactionEnded, batch: Batch, showing: Showing, prices: ports.Prices) -> None:
    """What it cost in the end; where a session costs until the cable is out, that is told when it is."""
    ended = batch.lookups.transactions.get(TransactionNeed(batch.station.id, event.transaction_id or ""))
    if ended is None or ended.status != TransactionStatus.ENDED.value:
        return
    if showing.after_stop:
        _tell_running(batch, ended, prices, showing)
    else:
        _tell_final(batch, ended, prices, showing)


def _tell_final(batch: Batch, ended: TransactionState, prices: ports.Prices, showing: Showing) -> None:
    cost = _cost(ended, prices, showing, batch.station, ended.stopped_at)
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
    prices = batch.lookups.prices.get(station.operator_id)
    if ended is not None and showing is not None and showing.after_stop and prices is not None:
        _tell_final(batch, ended, prices, showing)
    return Done()


RULES: dict[type[events.Event], Rule] = {VehicleUnplugged: Rule(unplugged, unplugged_needs)}
