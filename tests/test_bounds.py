"""No page and no list costs more as the tables grow: whether a charger has said much or hardly anything."""

# ruff: noqa: S608  (names of tables and values are our own)

from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from csms.api import pagination
from csms.dashboard import sessions
from stations.models import Site, Station
from stations.services import registry
from tests.api.conftest import AT, Network, Person, ada, amber

__all__ = ["ada", "amber"]

#: Rows of each table that grows, the stations that wrote them one after the other, what a page looks through (in life 10,000), and
#: how many rows an address may read of all tables.
ROWS, STATIONS, LOOKED_THROUGH, BOUND = 12_000, 12, 150, 900
#: What is written: `n` counts the rows, `at` is a minute for each. What is not named and may not be null is empty.
WRITTEN: dict[str, dict[str, str]] = {
    "stations_transaction": {
        "ocpp_transaction_id": "'T-' || n",
        "connector_number": "1",
        "id_tag": "'TAG-' || n % 3",
        "id_token_id": "(SELECT id FROM accounts_idtoken LIMIT 1)",
        "status": "'ended'",
        "doubt": "CASE WHEN n % 4 = 0 THEN 'set_aside' ELSE '' END",
        "sequences": "'[]'",
        **dict.fromkeys(("started_at", "stopped_at", "received_at"), "at"),
    },
    "stations_connectionhistory": {"fence": "n", "protocol": "'ocpp1.6'", "opened_at": "at"},
    "stations_finding": {
        **{"code": "'common'", "subject": "n", "severity": "'warning'", "count": "1", "first_at": "at", "last_at": "at"}
    },
    "stations_command": {"kind": "'reset'", "status": "'confirmed'", "created_at": "at", "expires_at": "at"},
    "stations_repairmessage": {"action": "'StopTransaction'", "received_at": "at", "resolved_at": "at"},
    "stations_logupload": {
        **{"kind": "'diagnostics'", "status": "'uploaded'", "token_hash": "n", "created_at": "at"},
        **{"expires_at": "at", "due_at": "at"},
    },
    "stations_reservation": {
        **{"number": "n", "id_key": "'TAG-' || n % 3", "status": "'used'", "created_at": "at", "expires_at": "at"},
    },
    "accounts_idtoken": {
        **{"value": "'TAG-' || n", "key": "'TAG-' || n", "type": "'ISO14443'", "status": "'Accepted'", "created_at": "at"},
    },
}
EMPTY = {"character varying": "''", "text": "''", "jsonb": "'{}'", "timestamp with time zone": "at"}
NEEDED = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_name = %s AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
"""
#: What is asked of each list of the API, in each of its orders.
LISTS = {
    "transactions": [
        *("", "station={quiet}", "station={old}", "station={busy}", "status=active", "status=ended"),
        *("id_tag=NOBODY", "id_tag=TAG-1"),
        *("doubt=register", "doubt=set_aside", "since=2020-01-01&until=2020-01-02", "since=2026-11-01"),
        *("station={quiet}&status=ended", "station={quiet}&id_tag=TAG-1", "station={busy}&doubt=register"),
        "ocpp_transaction_id=T-7",
        *("station={busy}&since=2020-01-01&until=2020-01-02", "id_tag=TAG-1&since=2020-01-01&until=2020-01-02"),
        *("doubt=set_aside&id_tag=NOBODY", "status=active&since=2020-01-01", "status=active&station={busy}"),
    ],
    "connections": [
        *("", "station={quiet}", "station={old}", "station={busy}", "protocol=ocpp2.1", "since=2020-01-01&until=2020-01-02"),
        *("station={quiet}&protocol=ocpp2.1", "station={quiet}&since=2020-01-01"),
    ],
    "findings": [
        *("", "station={quiet}", "station={old}", "station={busy}", "code=rare", "severity=error", "station={busy}&code=rare"),
        *("station={busy}&severity=error", "since=2020-01-01&until=2020-01-02", "transaction={session}"),
    ],
    "commands": [
        *("", "station={quiet}", "station={old}", "station={busy}", "status=rejected", "station={busy}&status=rejected"),
        "kind=clear_cache",
    ],
    "repair-messages": ["", "open=true", "open=false", "station={quiet}", "station={old}", "since=2020-01-01&until=2020-01-02"],
    "logs": ["", "station={quiet}", "station={old}", "status=failed", "kind=security", "since=2020-01-01&until=2020-01-02"],
    "reservations": [
        *("", "station={quiet}", "station={old}", "status=expired", "station={busy}&status=expired", "open=true", "open=false"),
        "id_tag=TAG-1",
        *("id_tag=TAG-1&status=expired", "station={busy}&open=true", "number=0"),
    ],
    "id-tags": ["", "value=tag-7", "status=Blocked", "type=Central"],
}  # fmt: skip
ORDERS = {"transactions": ["id", "started_at"], "findings": ["last_at"]}
PAGES = [
    *("/stations/{quiet}/", "/stations/{old}/", "/stations/{busy}/", "/transactions/", "/transactions/?station={quiet}"),
    *(
        "/transactions/?station={old}",
        "/transactions/?station=AMBER",
        "/transactions/?id_tag=NOBODY",
        "/transactions/?id_tag=TAG-1",
    ),
    *("/transactions/?doubtful=on", "/transactions/?findings=on", "/transactions/?since=2020-01-01&until=2020-01-02"),
    *("/transactions/?status=active", "/transactions/?status=active&station=AMBER", "/transactions/?site={site}", "/id-tags/"),
]


@pytest.fixture
def busy(amber: Network, monkeypatch: pytest.MonkeyPatch) -> list[Station]:
    """Stations of Ada's that said much, one after the other, beside AMBER-01, which says hardly anything."""
    monkeypatch.setattr(pagination, "LOOKED_THROUGH", LOOKED_THROUGH)
    monkeypatch.setattr(sessions, "SCAN", LOOKED_THROUGH)
    stations = [registry.add_station(operator=amber.operator, identity=f"AMBER-{n}-OF-{STATIONS}")[0] for n in range(STATIONS)]
    whose = f"(ARRAY{[one.pk for one in stations]})[1 + n * {STATIONS} / {ROWS + 1}]"
    ours = {"operator_id": str(amber.operator.pk), "station_id": whose}
    with connection.cursor() as cursor:
        for table, values in WRITTEN.items():
            cursor.execute(NEEDED, [table])
            row = {name: (ours | values).get(name) or EMPTY[kind] for name, kind in cursor.fetchall()} | values
            counted = f"SELECT n, '{AT}'::timestamptz + n * interval '1 minute' AS at FROM generate_series(1, {ROWS}) n"
            columns = ", ".join(connection.ops.quote_name(name) for name in row)
            cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {', '.join(row.values())} FROM ({counted}) AS one")
        cursor.execute(f"ANALYZE {', '.join(WRITTEN)}")
        cursor.execute("SET LOCAL enable_seqscan = off")  # of so few rows it would read all
    return stations


def read_by(plan: dict[str, Any]) -> int:
    """How many rows of growing tables a plan looked at."""
    looked_at = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    here = looked_at * plan["Actual Loops"] if plan.get("Relation Name") in WRITTEN else 0
    return int(here) + sum(read_by(below) for below in plan.get("Plans", ()))


def cost_of(client: Client, address: str) -> int:
    """How many rows an address looks at."""
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.content)
    read = 0
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            if query["sql"].startswith("SELECT") and any(table in query["sql"] for table in WRITTEN):
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
                (told,) = cursor.fetchone()
                read += read_by((orjson.loads(told) if isinstance(told, str) else told)[0]["Plan"])
    return read


def test_no_list_reads_more_than_its_bound_whatever_is_asked(ada: Person, amber: Network, busy: list[Station]) -> None:
    names = {"quiet": amber.station.identity, "old": busy[0].identity, "busy": busy[-1].identity, "session": amber.transaction.pk}
    read = {}
    for name, filters in LISTS.items():
        for order in ("", *(f"ordering={sign}{one}" for one in ORDERS.get(name, ["id"]) for sign in ("", "-"))):
            for asked in filters:
                address = f"/api/v1/{name}/?{'&'.join(part for part in (asked.format(**names), order) if part)}"
                read[address] = cost_of(ada.client, address)
    assert [f"{address}: {rows} rows" for address, rows in read.items() if rows > BOUND] == []


def test_no_page_reads_more_than_its_bound(ada: Person, amber: Network, busy: list[Station], client: Client) -> None:
    client.force_login(ada.user)
    site = Site.objects.create(operator=amber.operator, name="Elsewhere").pk
    names = {"quiet": amber.station.identity, "old": busy[0].identity, "busy": busy[-1].identity, "site": site}
    read = {address: cost_of(client, address.format(**names)) for address in PAGES}
    assert [f"{address}: {rows} rows" for address, rows in read.items() if rows > BOUND] == []
