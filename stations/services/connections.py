"""Who may speak for a station (OCPP 2.0.1 chapter A, OCPP-J 1.6 chapter 6): knocks, sockets, and their ends.

Many knocks, ends and signs of life are handled at once, in a few statements, because after an outage a whole network comes
back in the same minute. The cursor's connection is in autocommit mode or in a transaction of the caller's.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from stations import credentials, outbox, topics
from stations.batch import held
from stations.flush import Cursor, array
from stations.services import presence, securityprofiles

#: Refusals are bounded: the same knock again counts up its row; of identities nobody knows this many are kept, of an identity and a
#: reason those from the newest addresses, and none for longer than this.
STRANGERS_KEPT = 1000
ADDRESSES_KEPT = 100
REFUSALS_KEPT_FOR = timedelta(days=90)
#: Rows deleted in one statement.
FORGOTTEN_AT_ONCE = 5000
#: How long a station may be accepted with the password that it sent.
SENT_KEPT_FOR = timedelta(days=1)
#: Reasons for which a password would have to be another.
ABOUT_PASSWORD = ("unknown_station", "wrong_password")


@dataclass(frozen=True, slots=True)
class Knock:
    """What a station said when it asked to come in. `credentials` are user and password as sent; `protocol` "" if none fits.

    `any_password_form`: the version it speaks lets a password be presented as text, hex digits or raw bytes.
    """

    identity: str
    credentials: tuple[bytes, bytes] | None
    protocol: str
    offered: tuple[str, ...]
    address: str
    secure: bool
    any_password_form: bool = True
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Admitted:
    """The newest socket of a station. Frames carry the fence; a smaller one is an older socket's."""

    station_id: int
    operator_id: int
    identity: str
    fence: int
    heartbeat_interval_s: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """`status` is the HTTP status (101: let in, then closed at once); `detail` says it in words to the operator."""

    status: int
    reason: str
    detail: str


UNKNOWN = Refused(404, "unknown_station", "No station with this identity is registered.")
REPLACED = Refused(503, "replaced", "Another socket of the station came in the same moment.")
LOWERED = (
    "It came by security profile {came}, without TLS, and has come by profile {highest} before (OCPP A05). If a proxy ends its "
    "TLS, that must be in CSMS_TRUSTED_PROXIES and set X-Forwarded-Proto."
)
NO_PROTOCOL = Refused(101, "no_common_subprotocol", "The station offered no OCPP version that is spoken here.")


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables know of a knocking identity."""

    station_id: int
    operator_id: int
    security_profile: int
    password_hash: str
    heartbeat_interval_s: int
    accepted: bool
    #: Of the password that it is being given over its own socket (see `stations.services.passwords`).
    new_hash: str = ""
    highest_profile: int = 0


KNOWN = """
SELECT s.identity, s.id, s.operator_id, s.security_profile, s.password_hash, s.heartbeat_interval_s, s.accepted_at IS NOT NULL,
       COALESCE(p.new_hash, ''), s.highest_profile
FROM stations_station s
LEFT JOIN stations_passwordchange p ON p.station_id = s.id AND p.finished_at IS NULL
WHERE s.identity = ANY(%s)
"""
#: Of a whole round at once and in id order, as batches do; whose row somebody else has locked is not waited for.
LOCK = """
SELECT station_id FROM stations_connection WHERE station_id = ANY(%s) ORDER BY station_id FOR NO KEY UPDATE SKIP LOCKED
"""
TAKE_OVER = """
UPDATE stations_connection AS c
SET fence = nextval('stations_fence_seq'), protocol = v.protocol, node = %s, address = v.address,
    connected_at = %s, disconnected_at = NULL, seen_at = %s, told_online = true
FROM (
    SELECT k.station_id, k.protocol, k.address, before.told_online
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS k(station_id, protocol, address)
    JOIN stations_connection before ON before.station_id = k.station_id
) AS v
WHERE c.station_id = v.station_id
RETURNING c.station_id, c.fence, c.operator_id, v.told_online
"""
OPENED = """
INSERT INTO stations_connectionhistory (operator_id, station_id, fence, protocol, node, address, opened_at, close_reason)
SELECT c.operator_id, c.station_id, c.fence, c.protocol, c.node, c.address, c.connected_at, ''
FROM stations_connection c WHERE c.station_id = ANY(%s)
ON CONFLICT (station_id, fence) DO NOTHING
"""
CLOSED = """
UPDATE stations_connectionhistory AS h SET closed_at = %s, close_code = v.code, close_reason = v.reason
FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::text[]) AS v(station_id, fence, code, reason)
WHERE h.station_id = v.station_id AND h.fence = v.fence
"""
GONE = """
UPDATE stations_connection AS c SET disconnected_at = %s
FROM unnest(%s::bigint[], %s::bigint[]) AS v(station_id, fence)
WHERE c.station_id = v.station_id AND c.fence = v.fence
RETURNING c.station_id, c.operator_id
"""
SEEN = """
UPDATE stations_connection AS c SET seen_at = v.seen_at
FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) AS v(station_id, fence, seen_at)
WHERE c.station_id = v.station_id AND c.fence = v.fence
"""
REFUSED = """
INSERT INTO stations_refusal AS r
    (operator_id, identity, reason, detail, address, path, subprotocols, headers, secure, sent, sent_hash, stranger,
     count, first_at, last_at)
SELECT v.*, 1, %s, %s
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::bool[],
            %s::text[], %s::text[], %s::bool[]) AS v
ON CONFLICT (identity, reason, address) DO UPDATE
SET count = r.count + 1, last_at = EXCLUDED.last_at, operator_id = EXCLUDED.operator_id, detail = EXCLUDED.detail,
    path = EXCLUDED.path, subprotocols = EXCLUDED.subprotocols, headers = EXCLUDED.headers, secure = EXCLUDED.secure,
    sent = EXCLUDED.sent, sent_hash = EXCLUDED.sent_hash, stranger = EXCLUDED.stranger
"""
#: What strangers sent as a password is good for a day.
FORGET_SENT = "UPDATE stations_refusal SET sent_hash = '' WHERE sent_hash <> '' AND last_at < %s"
#: Whoever guesses a password may come from any number of addresses. What is read of each is bounded by what is kept.
FORGET_ADDRESSES = """
DELETE FROM stations_refusal WHERE id IN (
    SELECT old.id FROM unnest(%s::text[], %s::text[]) AS v(identity, reason) CROSS JOIN LATERAL (
        SELECT r.id FROM stations_refusal r WHERE r.identity = v.identity AND r.reason = v.reason
        ORDER BY r.last_at DESC, r.id DESC OFFSET %s
    ) AS old
)
"""
#: Identities nobody knows are made up by whoever knocks: only the newest are kept.
FORGET_STRANGERS = """
DELETE FROM stations_refusal
WHERE id IN (SELECT id FROM stations_refusal WHERE stranger ORDER BY last_at DESC OFFSET %s LIMIT %s)
"""
FORGET_OLD = """
DELETE FROM stations_refusal WHERE id IN (SELECT id FROM stations_refusal WHERE last_at < %s ORDER BY last_at LIMIT %s)
"""
ONLY_OPERATOR = "SELECT min(id) FROM accounts_operator HAVING count(*) = 1"


def known_stations(cursor: Cursor, identities: Sequence[str]) -> dict[str, Known]:
    rows = cursor.execute(KNOWN, ([text for text in identities if "\x00" not in text],)).fetchall()
    return {row[0]: Known(*row[1:]) for row in rows}


def judge(knock: Knock, known: Known | None) -> Refused | None:
    """Why a station may not come in, or None. The rules of the security profiles (OCPP 2.0.1 A00, A05)."""
    if not knock.identity:
        return Refused(404, "no_identity", "The address lacks the station's identity: it must end in /ocpp/<identity>.")
    if known is None:
        return UNKNOWN
    if known.security_profile >= 2 and not knock.secure:
        return Refused(401, "tls_required", "The station's security profile demands TLS (wss), but it came without.")
    if known.security_profile >= 1:
        if knock.credentials is None:
            return Refused(401, "no_password", "The station sent no password (HTTP Basic).")
        user, password = knock.credentials
        if user != knock.identity.encode():
            return Refused(401, "wrong_user", "The user name of HTTP Basic is not the station's identity.")
        kept = (known.password_hash, known.new_hash) if known.new_hash else (known.password_hash,)
        # While it is being given another, it may come with either.
        if not any(credentials.matches(one, password, any_form=knock.any_password_form) for one in kept):
            return Refused(401, "wrong_password", "The password is wrong.")
    came = securityprofiles.of_knock(known.security_profile, secure=knock.secure)
    if came < known.highest_profile and not settings.ALLOW_SECURITY_DOWNGRADE:
        return Refused(401, "profile_lowered", LOWERED.format(came=came, highest=known.highest_profile))
    if not knock.protocol:
        offered = ", ".join(knock.offered)
        return Refused(101, NO_PROTOCOL.reason, f"{NO_PROTOCOL.detail} It offered: {offered or 'nothing'}.")
    return None


def uses_new(knock: Knock, known: Known) -> bool | None:
    """Whether a station that is being given another password came with the new one. None: it came with neither."""
    password = knock.credentials[1] if knock.credentials else b""
    if credentials.matches(known.password_hash, password, any_form=knock.any_password_form):
        return credentials.matches(known.new_hash, password, any_form=knock.any_password_form) or False
    return credentials.matches(known.new_hash, password, any_form=knock.any_password_form) or None


def climbed(knock: Knock, known: Known) -> int:
    """The profile by which a station that is let in came, if that is higher than any before and than is demanded; else 0."""
    came = securityprofiles.of_knock(known.security_profile, secure=knock.secure)
    return came if came > max(known.security_profile, known.highest_profile) else 0


def lock(cursor: Cursor, station_ids: Collection[int]) -> set[int]:
    """Lock the rows of these stations. Returns those that somebody else has locked: what is about them has to wait."""
    wanted = sorted(station_ids)
    locked = {row[0] for row in cursor.execute(LOCK, (wanted,)).fetchall()}
    return held(cursor, wanted, locked)


def take_over(cursor: Cursor, knocks: Mapping[int, Knock], *, node: str, now: datetime) -> dict[int, int]:
    """Make these sockets the newest of their stations: station id to fence. Their rows are locked (`lock`).

    The row is updated first and the state loaded after, so that nothing an older socket's process committed is missed.
    """
    ids = list(knocks)
    values = (node, now, now, ids, [knocks[i].protocol for i in ids], [knocks[i].address[:100] for i in ids])
    rows = cursor.execute(TAKE_OVER, values).fetchall()
    cursor.execute(OPENED, (ids,))
    back = [(operator_id, None, presence.facts(pk, now)) for pk, _, operator_id, told_online in rows if not told_online]
    if back:
        outbox.tell(cursor, topics.STATION_ONLINE, back, now=now)
    return {row[0]: row[1] for row in rows}


def left(cursor: Cursor, ends: Sequence[tuple[int, int, int, str]], *, now: datetime) -> list[tuple[int, int]]:
    """Sockets ended: (station id, fence, close code, reason) each. Returns (station id, operator id) of those now without one."""
    stations, fences, codes, reasons = (list(column) for column in zip(*ends, strict=True))
    cursor.execute(CLOSED, (now, stations, fences, codes, [reason[:123] for reason in reasons]))
    return cursor.execute(GONE, (now, stations, fences)).fetchall()  # type: ignore[return-value]


def seen(cursor: Cursor, signs: Sequence[tuple[int, int, datetime]]) -> None:
    """Signs of life: (station id, fence, when). A socket that was replaced has no say."""
    stations, fences, times = (list(column) for column in zip(*signs, strict=True))
    cursor.execute(SEEN, (stations, fences, times))


def refused(
    cursor: Cursor, refusals: Sequence[tuple[Knock, Refused, Known | None]], *, now: datetime, clean: Callable[[str], str]
) -> set[int]:
    """Let the operators see who was turned away, and why. The same knock again counts up its row. Returns those operators."""
    only = cursor.execute(ONLY_OPERATOR).fetchone()
    distinct = {(k.identity[:255], r.reason, k.address[:100]): (k, r, known) for k, r, known in refusals}
    rows = [
        (
            known.operator_id if known else (only[0] if only else None),
            clean(identity),
            reason,
            refusal.detail[:300],
            clean(address),
            clean(knock.path)[:300],
            clean(", ".join(knock.offered))[:200],
            {clean(name): clean(value) for name, value in knock.headers.items()},
            knock.secure,
            *_sent(knock, reason),
            known is None,
        )
        # In the order of their key, as every process does: two would wait for each other.
        for (identity, reason, address), (knock, refusal, known) in sorted(distinct.items(), key=lambda one: one[0])
    ]
    cursor.execute(REFUSED, (now, now, *(array(column) for column in zip(*rows, strict=True))))
    kinds = sorted({(row[1], row[2]) for row in rows})
    cursor.execute(FORGET_ADDRESSES, (*(list(column) for column in zip(*kinds, strict=True)), ADDRESSES_KEPT))
    return {row[0] for row in rows if row[0] is not None}


def _sent(knock: Knock, reason: str) -> tuple[str, str]:
    """What was presented, and its hash where it may become the station's."""
    password = knock.credentials and knock.credentials[1]
    sent, sent_hash = credentials.as_presented(password or None, any_form=knock.any_password_form)
    ours = reason in ABOUT_PASSWORD and knock.credentials is not None and knock.credentials[0] == knock.identity.encode()
    return sent, sent_hash if ours else ""


def forget_sent(*, now: datetime) -> int:
    """Forget what strangers sent as a password, after its day. Returns of how many."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET_SENT, [now - SENT_KEPT_FOR])
        return int(cursor.rowcount)


def forget_refusals(*, now: datetime) -> int:
    """Delete the refusals that are over their term, and those of strangers beyond the newest. Returns how many."""
    return _forgotten(FORGET_OLD, now - REFUSALS_KEPT_FOR) + _forgotten(FORGET_STRANGERS, STRANGERS_KEPT)


def _forgotten(statement: str, bound: datetime | int) -> int:
    """In pieces, each a transaction of its own."""
    count = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [bound, FORGOTTEN_AT_ONCE])
            count += cursor.rowcount
            if cursor.rowcount < FORGOTTEN_AT_ONCE:
                return count
