"""Authorisation (OCPP 2.0.1 chapter C): the one rule that decides whether a token may charge, used by every path."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from stations.batch import Batch, clean
from stations.domain import places
from stations.domain.events import TokenAnswered, TokenPresented
from stations.domain.values import AuthorizationStatus, Note, Payer, Severity, Token, TokenInfo
from stations.lookups import FoundToken, Need, TokenNeed
from stations.services import contracts
from stations.state import StationState

#: Where the protocol does not say the token's type (1.6), the first of these that is enrolled with the value.
UNTYPED_ORDER = ("ISO14443", "ISO15693", "Central", "Local", "eMAID", "KeyCode", "MacAddress")

KEY_CODE = "KeyCode"
#: The finding of a token that nobody is enrolled with. Its subject: the type (the first above where the protocol tells none), a
#: blank, the value.
UNKNOWN = "token_unknown"
UNSAID = (
    "An id tag that is held to types of plugs was refused: nobody has said of which type the plug is. Say it on the charger's page."
)


def token_need(token: Token, station: StationState) -> TokenNeed:
    return TokenNeed(station.operator_id, token.key)


def presented_needs(event: TokenPresented, station: StationState) -> Iterable[Need]:
    return (token_need(event.token, station),)


def presented(event: TokenPresented, batch: Batch) -> TokenAnswered:
    """Answer a driver at a station. A token that charges at this station now is accepted, since it may want to stop."""
    found = find(batch, event.token)
    elsewhere = found is not None and any(station_id != batch.station.id for station_id in found.open_at)
    info = decide(batch, event.token, found, charging_elsewhere=elsewhere)
    if not event.certificate and not event.certificate_hashes:
        return TokenAnswered(info)
    status = contracts.status(event, batch)
    refused = info.status is not AuthorizationStatus.ACCEPTED
    # The token's own refusal says more.
    return TokenAnswered(info if refused else replace(info, status=contracts.REFUSALS[status]), status)


def find(batch: Batch, token: Token) -> FoundToken | None:
    """The operator's token with this value and type, without case (OCPP 2.0.1 C01)."""
    candidates = batch.lookups.tokens.get(token_need(token, batch.station), [])
    if token.type is not None:
        return next((found for found in candidates if found.type == token.type), None)
    by_type = {found.type: found for found in candidates}
    return next((by_type[kind] for kind in UNTYPED_ORDER if kind in by_type), None)


def payer(found: FoundToken | None) -> dict[str, Any]:
    """As whom one charges with a token, for the transaction that it begins: what its row and its state keep."""
    if found is None:
        return {"payer": Payer.AD_HOC.value, "payer_group": None}
    return {"payer": (Payer.DRIVER if found.of_driver else Payer.TAG).value, "payer_group": found.group_id}


def told_with(token: Token) -> list[dict[str, str]]:
    """What came with a token, as a session keeps it: nothing of a code that somebody typed in."""
    return [
        {"id_tag": clean(one.value), "type": clean(one.type)} for one in token.further if one.type.casefold() != KEY_CODE.casefold()
    ]


def decide(
    batch: Batch,
    token: Token,
    found: FoundToken | None,
    *,
    charging_elsewhere: bool,
    evse: int | None = None,
    connector: int | None = None,
    starts: bool = False,
) -> TokenInfo:
    """Whether a token may charge at `batch.station` now. `evse`, `connector`: where, if that is known; `starts`: it begins a
    transaction.

    Unknown, blocked and expired tokens may not; one that charges elsewhere may not where the operator allows one
    transaction a token (ConcurrentTx); one that is held to other places or types of plugs, by its group or by itself, may not here,
    unless it does already. An unknown one leaves a finding, by which it can be enrolled. A group is named whenever the token is
    known (OCPP 2.0.1 C09).
    """
    if token.type == "NoAuthorization":
        return TokenInfo(AuthorizationStatus.ACCEPTED)
    if found is None:
        came_with = ", ".join(f"{one['id_tag']} ({one['type']})" for one in told_with(token))
        detail = "Nobody is enrolled with this id tag." + (f" With it came {came_with}." if came_with else "")
        batch.note(Note(UNKNOWN, f"{token.type or UNTYPED_ORDER[0]} {token.value}"[:200], detail))
        return TokenInfo(AuthorizationStatus.UNKNOWN)
    where = places.Answer()
    if found.held and (starts or batch.station.id not in found.open_at):
        station = batch.station
        where = places.answer(found.held, station.site_id, station.id, station.plugs(), evse, connector)
    status = AuthorizationStatus.ACCEPTED
    if found.status != AuthorizationStatus.ACCEPTED:
        status = AuthorizationStatus.BLOCKED
    elif found.expires_at is not None and found.expires_at <= batch.now:
        status = AuthorizationStatus.EXPIRED
    elif found.only_stops and starts:
        # A master pass may stop transactions, and start none (OCPP 2.0.1 C16).
        status = AuthorizationStatus.INVALID
    elif where.refusal is not None:
        status = where.refusal
        if where.unsaid:
            batch.note(Note("plug_type_unsaid", f"EVSE {evse}" if evse else "", UNSAID, Severity.WARNING))
    elif charging_elsewhere and not batch.station.concurrent_transactions:
        status = AuthorizationStatus.CONCURRENT_TX
    shown = where.evses if status is AuthorizationStatus.ACCEPTED else ()
    return TokenInfo(status, found.expires_at, found.group, priority=found.priority, evses=shown, language=found.language)
