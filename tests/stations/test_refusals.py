"""Who was turned away is kept for a while, and never without bound: whoever knocks may make up identities and addresses."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.batch import clean
from stations.models import Refusal
from stations.services import connections
from stations.services.connections import ADDRESSES_KEPT, STRANGERS_KEPT, Knock, Refused
from tests.network import Network

WRONG = Refused(401, "wrong_password", "The password is wrong.")
NOW = timezone.now()


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


def turn_away(knocks: Sequence[tuple[str, str]], refused: Refused, at: datetime = NOW) -> None:
    """Knocks, (identity, address) each, of one round."""
    connection.ensure_connection()
    cursor = psycopg.Cursor(connection.connection)
    known = connections.known_stations(cursor, [identity for identity, _ in knocks])
    refusals = [(Knock(i, None, "", (), address, secure=False), refused, known.get(i)) for i, address in knocks]
    connections.refused(cursor, refusals, now=at, clean=clean)


def kept(**of: Any) -> list[Refusal]:
    with scopes_disabled():
        return list(Refusal.objects.filter(**of).order_by("last_at", "pk"))


def addresses(identity: str) -> set[str]:
    return {refusal.address for refusal in kept(identity=identity)}


def test_of_an_identity_that_many_addresses_guess_at_the_newest_are_kept(amber: Network) -> None:
    guessed, other = amber.station(), amber.station()
    turn_away([(other.identity, "10.0.0.1"), (guessed.identity, "2001:db8::a")], connections.NO_PROTOCOL)
    for number in range(ADDRESSES_KEPT + 20):
        turn_away([(guessed.identity, f"2001:db8::{number}"), (other.identity, "10.0.0.1")], WRONG, NOW + timedelta(seconds=number))
    # Why it was turned away otherwise is not lost under them.
    assert addresses(guessed.identity) == {f"2001:db8::{n}" for n in range(20, ADDRESSES_KEPT + 20)} | {"2001:db8::a"}
    assert [(refusal.reason, refusal.count) for refusal in kept(identity=other.identity)] == [
        ("no_common_subprotocol", 1),
        ("wrong_password", ADDRESSES_KEPT + 20),
    ]


def test_of_identities_that_nobody_knows_a_job_keeps_the_newest(amber: Network) -> None:
    known = amber.station()
    turn_away([(known.identity, "10.0.0.1")], WRONG, NOW - timedelta(days=1))
    for number in range(4):
        turn_away([(f"X-{number}-{n}", "10.0.0.1") for n in range(STRANGERS_KEPT // 4 + 5)], connections.UNKNOWN, NOW)
    turn_away([("NEWEST", "10.0.0.1")], connections.UNKNOWN, NOW + timedelta(seconds=1))
    assert connections.forget_refusals(now=NOW) == 21
    assert len(kept(stranger=True)) == STRANGERS_KEPT
    assert kept(identity="NEWEST")
    assert [refusal.stranger for refusal in kept(identity=known.identity)] == [False]


def test_whoever_was_registered_since_is_no_stranger(amber: Network) -> None:
    turn_away([("SOON", "10.0.0.1")], WRONG)
    assert [refusal.stranger for refusal in kept(identity="SOON")] == [True]
    amber.station(identity="SOON")
    turn_away([("SOON", "10.0.0.1")], WRONG)
    assert [(refusal.stranger, refusal.count) for refusal in kept(identity="SOON")] == [(False, 2)]


def test_a_refusal_is_kept_for_90_days(amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "FORGOTTEN_AT_ONCE", 2)
    known = amber.station()
    for days in (89, 91, 92, 93, 94, 95):
        turn_away([(known.identity, f"10.0.0.{days}")], WRONG, NOW - timedelta(days=days))
    assert connections.forget_refusals(now=NOW) == 5
    assert addresses(known.identity) == {"10.0.0.89"}


def test_neither_the_door_nor_the_job_looks_through_all_refusals(amber: Network) -> None:
    """With 20,000 rows there, what is read is found by an index."""
    known = amber.station()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stations_refusal (operator_id, identity, reason, detail, address, path, subprotocols, headers, secure,"
            " stranger, count, first_at, last_at) SELECT %s, 'S-' || n / 10, 'wrong_password', '', '10.0.0.' || n, '', '', '{}',"
            " false, false, 1, now(), now() FROM generate_series(1, 20000) n",
            [amber.operator.pk],
        )
        cursor.execute("ANALYZE stations_refusal")
        plans = []
        for statement, values in (
            (connections.FORGET_ADDRESSES, (["S-7", known.identity], ["wrong_password"] * 2, ADDRESSES_KEPT)),
            (connections.FORGET_STRANGERS, (STRANGERS_KEPT, 5000)),
            (connections.FORGET_OLD, (NOW - timedelta(days=90), 5000)),
        ):
            cursor.execute(f"EXPLAIN {statement}", values)
            plans.append("\n".join(row[0] for row in cursor.fetchall()))
    assert [plan for plan in plans if "Seq Scan" in plan] == []
