"""What the tables must have held for a recorded message to be answered as it was: whether its charger was taken in, and what its
id tag was worth. Read from the answers, by the translators' own words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.core.exceptions import ValidationError

from accounts import services
from accounts.models import IdToken, IdTokenStatus, Operator
from csms.ocpp import fixtures
from csms.ocpp.errors import Code
from csms.ocpp.exchange import Inbound
from csms.ocpp.masking import MASK
from csms.ocpp.recording import Line
from stations.domain.events import BootAnswered, StationBooted
from stations.domain.values import AuthorizationStatus, Registration, Token, TokenInfo
from stations.models import Connection, Station
from stations.services import restoring
from stations.services.authorization import UNTYPED_ORDER

#: The only kind of token whose value no log holds.
TYPED_IN = "KeyCode"
NO_TOKEN = "NoAuthorization"  # noqa: S105  (a kind of token)


@dataclass(slots=True)
class Known:
    """A station as far as answers depend on it."""

    pk: int
    fence: int
    registration: Registration
    heartbeat_interval_s: int
    accepted: bool

    @classmethod
    def of(cls, station: Station) -> Self:
        fence = Connection.objects.values_list("fence", flat=True).get(station=station)
        registration = Registration(station.registration)
        return cls(station.pk, fence, registration, station.heartbeat_interval_s, station.accepted_at is not None)


@dataclass(frozen=True, slots=True)
class Worth:
    """What a token's row says."""

    status: str
    expires_at: datetime | None
    group: str | None


class AsThen:
    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        #: Tokens by what they are compared by, and then by type.
        self.tokens: dict[str, dict[str, IdToken]] = {}
        self.made = 0
        #: Those that messages name which are not handled yet.
        self.used: set[str] = set()

    def differs(self, inbound: Inbound, line: Line, known: Known) -> bool:
        """Whether something must be changed before this message is handled."""
        return any(True for _ in self._station(inbound, line, known)) or self._token(inbound, line) is not None

    def in_use(self, inbound: Inbound) -> bool:
        token = _token_of(inbound)
        return token is not None and token.key in self.used

    def uses(self, inbound: Inbound) -> None:
        """The message is going to be handled."""
        if (token := _token_of(inbound)) is not None:
            self.used.add(token.key)

    def apply(self, inbound: Inbound, line: Line, known: Known) -> None:
        fields: dict[str, Any] = {}
        for name, value in self._station(inbound, line, known):
            setattr(known, name, value)
            if name == "accepted":
                fields["accepted_at"] = line.received_at if value else None
            else:
                fields[name] = value
        if fields:
            restoring.set_as_then(station_id=known.pk, **fields)
        if (change := self._token(inbound, line)) is not None:
            self._set(*change)

    # The station

    def _station(self, inbound: Inbound, line: Line, known: Known) -> Iterator[tuple[str, Any]]:
        answer = line.answer if isinstance(line.answer, list) and len(line.answer) > 2 else None
        if inbound.call is None or answer is None:
            return
        if isinstance(inbound.event, StationBooted):
            reply = fixtures.reply_of(BootAnswered, answer[2])
            if not isinstance(reply, BootAnswered):
                return
            if reply.status is not known.registration:
                yield "registration", reply.status
            if reply.status is Registration.ACCEPTED and reply.interval_s != known.heartbeat_interval_s:
                yield "heartbeat_interval_s", reply.interval_s
            # The boot itself makes it so.
            known.accepted = reply.status is Registration.ACCEPTED
            return
        heard = not (answer[0] == 4 and answer[2] == Code.SECURITY_ERROR)
        if heard is not known.accepted:
            yield "accepted", heard

    # The id tag

    def _token(self, inbound: Inbound, line: Line) -> tuple[Token, str, IdToken | None, Worth | None] | None:
        """The token, its type, its row, and what that must say (None: there was none). None altogether: it is well as it is."""
        token = _token_of(inbound)
        if token is None or token.type == NO_TOKEN or inbound.event is None:
            return None
        if token.value.startswith(MASK) and token.type != TYPED_IN:
            raise ValidationError(
                "id tags are hidden in this file. Have it downloaded by somebody who looks after id tags (owner, manager, support)."
            )
        answer = line.answer if isinstance(line.answer, list) and len(line.answer) == 3 else None
        info = getattr(fixtures.reply_of(inbound.event.reply, answer[2]), "info", None) if answer else None
        if not isinstance(info, TokenInfo):
            return None
        kind, row = self._row(token)
        wanted = _worth(info, line.received_at)
        has = None if row is None else Worth(row.status, row.expires_at, row.group.name if row.group else None)
        return None if _same(has, wanted, line.received_at) else (token, kind, row, wanted)

    def _row(self, token: Token) -> tuple[str, IdToken | None]:
        rows = self.tokens.get(token.key)
        if rows is None:
            found = IdToken.objects.select_related("group").filter(operator=self.operator, key=token.key)
            rows = self.tokens[token.key] = {row.type: row for row in found}
        kind = token.type or next((kind for kind in UNTYPED_ORDER if kind in rows), UNTYPED_ORDER[0])
        return kind, rows.get(kind)

    def _set(self, token: Token, kind: str, row: IdToken | None, wanted: Worth | None) -> None:
        rows = self.tokens[token.key]
        if wanted is None:
            assert row is not None
            services.delete_id_token(token=row)
            del rows[kind]
            return
        fields: dict[str, Any] = {"status": wanted.status, "expires_at": wanted.expires_at, "group": wanted.group}
        if row is None:
            row = services.add_id_token(operator=self.operator, value=token.value, type=kind, **fields)
            self.made += 1
        else:
            row = services.change_id_token(token=row, **fields)
        rows[kind] = row


def _token_of(inbound: Inbound) -> Token | None:
    token = getattr(inbound.event, "token", None)
    return token if isinstance(token, Token) else None


def _worth(info: TokenInfo, at: datetime) -> Worth | None:
    match info.status:
        case AuthorizationStatus.ACCEPTED | AuthorizationStatus.CONCURRENT_TX:
            return Worth(IdTokenStatus.ACCEPTED.value, info.expires_at, info.group)
        case AuthorizationStatus.BLOCKED:
            return Worth(IdTokenStatus.BLOCKED.value, info.expires_at, info.group)
        case AuthorizationStatus.EXPIRED:
            return Worth(IdTokenStatus.ACCEPTED.value, info.expires_at or at, info.group)
    return None


def _same(has: Worth | None, wanted: Worth | None, at: datetime) -> bool:
    """Times on the wire are told to the second."""
    if has is None or wanted is None:
        return has is wanted
    first, second = ((one.expires_at.replace(microsecond=0) if one.expires_at else None) for one in (has, wanted))
    return (has.status, has.group, first) == (wanted.status, wanted.group, second)
