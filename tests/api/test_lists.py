"""What the lists say, how they are narrowed, and that they stay cheap."""

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_scopes import scope
from pytest_django import DjangoAssertNumQueries

from billing import tariffs
from stations.models import Connection, MessageLogEntry, Station, Transaction
from stations.services import registry
from tests.api.conftest import AT, LINE, Network, Person, asked, event, message, minutes, sample, transaction

LISTS = [
    *("stations", "evses", "connectors", "transactions", "meter-samples", "messages", "refusals", "findings", "events"),
    *("connections", "variables", "commands", "id-tags", "sites", "tariffs", "charge-records", "logs"),
    *("meter-quarters", "meter-days"),
]


def test_a_transaction_shows_energy_findings_and_the_newest_cost(ada: Person, amber: Network) -> None:
    row = ada.client.get(f"/api/v1/transactions/{amber.transaction.pk}/").json()
    assert row["station"] == "AMBER-01"
    assert (row["evse"], row["connector"], row["status"], row["id_tag"]) == (1, 1, "ended", "DEE-CARD")
    assert (row["energy_wh"], row["power_w"], row["stopped_at"]) == (7500, None, None)
    assert row["started_at"] == "2026-11-20T12:00:00.123456Z"
    assert [finding["code"] for finding in row["findings"]] == ["register_jump"]
    assert row["cost"] == {
        "total_excl_tax": "2.00",
        "total_incl_tax": "3.57",
        "currency": "EUR",
        "lines": [LINE],
    }


def test_a_running_transaction_has_no_cost_yet(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        transaction(amber.station, number=2, status="active")
    (row,) = ada.client.rows("transactions/", status="active")
    assert (row["cost"], row["findings"], row["evse"]) == (None, [], None)
    assert (row["cost_so_far"]["currency"], row["tariff"]["billed"]) == ("EUR", False)


def test_a_transaction_says_since_when_its_plug_was_reserved(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        reserved = transaction(amber.station, number=2, reserved_at=AT)
    told = {row["id"]: row["reserved_at"] for row in ada.client.rows("transactions/")}
    assert told == {reserved.pk: "2026-11-20T12:00:00.123456Z", amber.transaction.pk: None}


def test_a_transaction_says_what_the_station_told_of_the_vehicle_and_its_cable(ada: Person, amber: Network) -> None:
    told = {"phases_used": 3, "cable_max_current_a": 32, "time_spent_charging_s": 4000}
    with scope(operator=ada.operator):
        of_two = transaction(amber.station, number=2, **told)
    rows = {row["id"]: {name: row[name] for name in told} for row in ada.client.rows("transactions/")}
    assert rows == {of_two.pk: told, amber.transaction.pk: dict.fromkeys(told)}


def test_a_station_says_all_that_it_told_at_its_boot(ada: Person, amber: Network) -> None:
    told = {"iccid": "8949", "imsi": "262", "meter_type": "A3", "meter_serial_number": "M-77"}
    told |= {"boot_reason": "Watchdog", "serial_number": "SN-1", "box_serial_number": "BOX-1"}
    with scope(operator=ada.operator):
        Station.objects.filter(pk=amber.station.pk).update(**told)
    row = ada.client.get(f"/api/v1/stations/{amber.station.identity}/").json()
    assert {name: row[name] for name in told} == told


def test_a_message_has_its_signatures_for_those_who_may_see_id_tags(ada: Person, ben: Person, amber: Network) -> None:
    made = [{"protected": "eyJhbGciOiJFUzI1NiJ9", "signature": "AAAA"}]
    with scope(operator=ada.operator):
        message(amber.station, AT, action="Authorize")
        MessageLogEntry.objects.filter(action="Authorize").update(signatures=orjson.dumps(made).decode())
    told = {row["action"]: row["signatures"] for row in ada.client.rows("messages/")}
    assert told == {"Authorize": made, "Heartbeat": None}
    assert {row["signatures"] for row in ben.client.rows("messages/")} == {None}


def test_a_transaction_says_by_which_tariff_and_why(ada: Person, amber: Network) -> None:
    price = {"elements": [{"price_components": [{"type": "FLAT", "price": 3, "vat": 20, "step_size": 1}]}]}
    tariff = tariffs.add_tariff(operator=ada.operator, name="Depot", ocpi=price)
    with scope(operator=ada.operator):
        tariffs.assign(tariff=tariff, station=amber.station, audience="ad_hoc")
        running = transaction(amber.station, number=2, status="active")
    row = ada.client.get(f"/api/v1/transactions/{running.pk}/").json()
    assert row["cost_so_far"] == {"amount": "3.60", "currency": "EUR"}
    assert row["tariff"] == {
        "id": tariff.pk,
        "name": "Depot",
        "version": 1,
        "place": "station",
        "audience": "ad_hoc",
        "until": None,
        "sentence": "3.60\u202fEUR per session, tax included.",
        "billed": False,
        "payer": None,
        "group": None,
        "changed_since": False,
    }
    billed = ada.client.get(f"/api/v1/transactions/{amber.transaction.pk}/").json()
    assert (billed["tariff"]["billed"], billed["tariff"]["place"], billed["cost_so_far"]) == (True, "network", None)


def test_a_station_shows_its_connectors_and_that_it_is_online(ada: Person, amber: Network) -> None:
    row = ada.client.get("/api/v1/stations/AMBER-01/").json()
    assert (row["online"], row["protocol"], row["registration"], row["site"]) == (True, "ocpp1.6", "Accepted", "Depot")
    assert row["evses"][0]["connectors"][0]["status"] == "Charging"
    assert not {"password_hash", "operator"} & set(row)


@pytest.mark.parametrize(
    ("seen", "connected", "disconnected", "online"),
    [(14, 60, None, True), (16, 60, None, False), (5, 60, 4, False), (4, 5, 6, True), (None, None, None, False)],
)
def test_online_is_a_lease_of_three_heartbeat_intervals(
    ada: Person, amber: Network, seen: int | None, connected: int | None, disconnected: int | None, online: bool
) -> None:
    ago = {"seen_at": seen, "connected_at": connected, "disconnected_at": disconnected}
    now = timezone.now()
    with scope(operator=ada.operator):
        Connection.objects.update(**{field: now - minutes(number) if number else None for field, number in ago.items()})
    assert ada.client.get("/api/v1/stations/AMBER-01/").json()["online"] is online
    assert len(ada.client.rows("stations/", online=str(online).lower())) == 1


def test_an_identity_may_hold_anything_but_slash_and_colon(ada: Person) -> None:
    identity = "Säule 7.json#?%"
    registry.add_station(operator=ada.operator, identity=identity)
    assert ada.client.get("/api/v1/stations/S%C3%A4ule%207.json%23%3F%25/").json()["identity"] == identity
    assert ada.client.get("/api/v1/stations/%00/").status_code == 404


def test_sessions_of_a_time_or_of_a_tag_come_in_the_order_of_their_start(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        late = transaction(amber.station, number=2, started_at=AT + minutes(5), id_tag="OTHER")
        early = transaction(amber.station, number=3, started_at=AT - minutes(5))
    first = amber.transaction.pk

    def ids(**asked: str) -> list[int]:
        return [row["id"] for row in ada.client.rows("transactions/", **asked)]

    assert ids(since="2026-11-20") == [late.pk, first, early.pk]
    assert ids(since="2026-11-20", ordering="-id") == ids() == [early.pk, late.pk, first]
    assert ids(since="2026-11-20", id_tag="dee-card") == ids(id_tag="dee-card") == [first, early.pk]
    assert ids(since="2026-11-20", id_tag="dee-card", ordering="-id") == [early.pk, first]
    assert ids(until="2026-11-20", ordering="-id") == ids(until="2026-11-20") == []


def test_connectors_and_samples_carry_station_and_numbers(ada: Person, amber: Network) -> None:
    (connector,) = ada.client.rows("connectors/", status="Charging")
    assert (connector["station"], connector["evse"], connector["connector"]) == ("AMBER-01", 1, 1)
    (row,) = ada.client.rows("meter-samples/", transaction=amber.transaction.pk)
    assert (row["energy_wh"], row["power_w"], row["current_a"]) == (1234.567, 11000, None)
    assert row["transaction"] == amber.transaction.pk


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('[2,"m1","Heartbeat",{}]', [2, "m1", "Heartbeat", {}]),
        ("not json", "not json"),
        ("[NaN]", "[NaN]"),
        ("", None),
        ("[" * 500 + "]" * 500, "[" * 500 + "]" * 500),
    ],
)
def test_a_message_is_json_where_it_can_be_read(ada: Person, amber: Network, text: str, shown: object) -> None:
    message(amber.station, AT + minutes(1), call="{}", answer=text, action="Authorize")
    (row,) = ada.client.rows("messages/", action="Authorize")
    assert row["answer"] == shown


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_times_are_utc_whatever_the_servers_zone(ada: Person, amber: Network, settings: object, zone: str) -> None:
    settings.TIME_ZONE = zone  # type: ignore[attr-defined]
    for path, field in [("messages/", "received_at"), ("meter-samples/", "at"), ("transactions/", "started_at")]:
        assert ada.client.rows(path)[0][field] == "2026-11-20T12:00:00.123456Z"
    assert ada.client.rows("transactions/", until="2026-11-20T12:00:00Z") == []
    assert len(ada.client.rows("transactions/", since="2026-11-20 11:59")) == 1


def test_since_is_included_and_until_excluded(ada: Person, amber: Network) -> None:
    assert len(ada.client.rows("messages/", since="2026-11-20T12:00:00.123456Z")) == 1
    assert ada.client.rows("messages/", until="2026-11-20T12:00:00.123456Z") == []
    assert len(ada.client.rows("messages/", since="2026-11-20", until="2026-11-21")) == 1
    # A "+" that nobody escaped arrives as a blank.
    assert ada.client.get("/api/v1/messages/?since=2026-11-20T14:00:00+02:00").json()["results"] != []


@pytest.mark.parametrize(
    "query",
    [
        *("stations/?status=Sleeping", "transactions/?status=Ended", "transactions/?since=yesterday", "findings/?severity=bad"),
        *("messages/?direction=up", "messages/?until=2026-13-40", "meter-samples/?transaction=x", "id-tags/?type=Tattoo"),
        *("messages/?action=%00", "transactions/?station=%00", "transactions/?page_size=0", "transactions/?page_size=all"),
        *("commands/?status=lost", "commands/?kind=explode", "commands/?since=soon", "events/?since=2026-01-01"),
        *("transactions/?staton=AMBER-01", "transactions/?station=", "stations/?online=maybe", "stations/?site=a&site=b"),
        *("connectors/?evse=-1", "meter-samples/?evse=-1", "tariffs/?is_default=null"),
        *("transactions/?cursor=abc", "transactions/?ordering=price", "transactions/?since=9999-12-31T23:59:59-10:00"),
        *("meter-days/?since=12:00", "meter-quarters/?evse=one"),
    ],
)
def test_a_filter_that_makes_no_sense_is_a_problem(ada: Person, query: str) -> None:
    answer = ada.client.get(f"/api/v1/{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 400
    assert problem["title"] == "Bad Request"
    assert next(iter(problem["errors"])) in query
    assert problem["detail"]


def test_the_history_of_all_stations_goes_back_a_day_that_of_one_forever(ada: Person, amber: Network) -> None:
    event(amber.station, AT - minutes(60 * 24 * 400), "Faulted")
    assert [row["status"] for row in ada.client.rows("events/")] == ["Charging"]
    assert "station" in ada.client.get("/api/v1/events/?since=2025-01-01").json()["errors"]["since"][0]
    assert [row["status"] for row in ada.client.rows("events/", station="AMBER-01")] == ["Charging", "Faulted"]
    assert ada.client.rows("events/", station="AMBER-01", until="2025-01-01") == []


def test_settings_are_shown_as_reported_and_as_wanted_and_secrets_never(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        for variable in ("AuthorizationKey", "BasicAuthPassword"):
            amber.station.variables.create(
                operator=ada.operator, component="SecurityCtrlr", variable=variable, wanted="do-not-tell", value=None
            )
    (row,) = ada.client.rows("variables/", variable="HeartbeatInterval")
    assert (row["component"], row["value"], row["wanted"], row["known"]) == ("", "300", "60", True)
    hidden = ada.client.rows("variables/", station="AMBER-01", component="SecurityCtrlr")
    assert [(row["variable"], row["value"], row["wanted"]) for row in hidden] == [
        ("AuthorizationKey", None, "***"),
        ("BasicAuthPassword", None, "***"),
    ]


def test_settings_are_paged_in_the_order_of_their_names(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        for component, variable, evse in (("EVSE", "Power", 2), ("EVSE", "Power", 1), ("EVSE", "Available", 1), ("Auth", "On", 0)):
            amber.station.variables.create(operator=ada.operator, component=component, variable=variable, evse_number=evse)
    seen, url = [], "/api/v1/variables/?page_size=2"
    while url:
        page = ada.client.get(url).json()
        seen += [(row["component"], row["evse"], row["variable"]) for row in page["results"]]
        url = page["next"]
    order = [("", 0, "HeartbeatInterval"), ("Auth", 0, "On"), ("EVSE", 1, "Available"), ("EVSE", 1, "Power"), ("EVSE", 2, "Power")]
    assert seen == order


def test_an_unknown_station_in_a_filter_is_an_empty_list(ada: Person, amber: Network) -> None:
    for path in LISTS:
        if path not in ("id-tags", "tariffs"):
            there = 2 if path == "charge-records" else 1  # its two revisions
            assert len(ada.client.rows(f"{path}/", station="AMBER-01")) == there, path
            assert ada.client.rows(f"{path}/", station="AMBER-99") == [], path
    assert ada.client.rows("meter-samples/", transaction=10**30) == []


def test_lists_are_newest_first_and_their_pages_lose_nothing_where_times_are_equal(ada: Person, amber: Network) -> None:
    for number in range(25):
        message(amber.station, AT + minutes(number // 10 + 1), call=str(number))
    seen: list[dict[str, object]] = []
    url = "/api/v1/messages/?page_size=4&station=AMBER-01"
    while url:
        page = ada.client.get(url).json()
        assert len(page["results"]) <= 4
        seen += page["results"]
        url = page["next"]
    assert len(seen) == len({row["id"] for row in seen}) == 26
    keys = [(row["received_at"], row["id"]) for row in seen]
    assert keys == sorted(keys, reverse=True)
    assert [row["id"] for row in ada.client.rows("messages/", ordering="received_at")] == [row["id"] for row in reversed(seen)]


def test_connectors_are_paged_in_the_order_of_their_numbers(ada: Person, amber: Network) -> None:
    other, _ = registry.add_station(operator=ada.operator, identity="AMBER-02")
    with scope(operator=ada.operator):
        for number in (3, 1, 2):
            evse = other.evses.create(number=number)
            evse.connectors.create(number=2)
            evse.connectors.create(number=1)
    seen, url = [], "/api/v1/connectors/?page_size=2"
    while url:
        page = ada.client.get(url).json()
        seen += [(row["station"], row["evse"], row["connector"]) for row in page["results"]]
        url = page["next"]
    assert seen == [("AMBER-01", 1, 1), *[("AMBER-02", evse, number) for evse in (1, 2, 3) for number in (1, 2)]]


def test_a_cursor_is_good_for_its_own_list_and_order_only(ada: Person, amber: Network) -> None:
    message(amber.station, AT + minutes(1))
    cursor = ada.client.get("/api/v1/messages/?page_size=1").json()["next"].split("cursor=")[1].split("&")[0]
    assert ada.client.get(f"/api/v1/messages/?page_size=1&cursor={cursor}").status_code == 200
    assert ada.client.get(f"/api/v1/meter-samples/?cursor={cursor}").status_code == 400
    assert ada.client.get(f"/api/v1/messages/?ordering=received_at&cursor={cursor}").status_code == 400


def test_a_page_has_a_thousand_rows_at_most(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        for _ in range(1005):
            message(amber.station, AT)
    assert len(ada.client.rows("messages/")) == 100
    assert len(ada.client.rows("messages/", page_size=5000)) == 1000


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        *[("stations/", 3), ("evses/", 2), ("connectors/", 1), ("transactions/", 4), ("transactions/?station=AMBER-01", 5)],
        *[("events/", 1), ("events/?station=AMBER-01", 2), ("connections/", 1), ("connections/?station=AMBER-01", 2)],
        *[
            ("variables/", 1),
            ("variables/?station=AMBER-01&component=Auth", 3),
            ("commands/", 1),
            ("commands/?station=AMBER-01", 2),
        ],
        *[
            ("stations/AMBER-01/commands/", 2),
            ("meter-samples/", 1),
            ("meter-quarters/?station=AMBER-01", 2),
            ("meter-days/", 1),
            ("messages/", 2),
            *[("sites/", 1), ("tariffs/", 2), ("charge-records/", 1)],
            ("refusals/", 1),
            ("findings/", 1),
            ("id-tags/", 1),
        ],
    ],
)
def test_the_number_of_queries_is_fixed(
    ada: Person, amber: Network, django_assert_num_queries: DjangoAssertNumQueries, path: str, queries: int
) -> None:
    with scope(operator=ada.operator):
        for number in range(2, 12):
            transaction(amber.station, amber.transaction.evse, number)
            message(amber.station, AT)
            asked(amber.station, requested_by=ada.user)
            event(amber.station, timezone.now())
            amber.station.variables.create(operator=ada.operator, variable=f"Key{number}")
            amber.station.connections.create(operator=ada.operator, fence=number, opened_at=AT)
            sample(amber.station, amber.transaction, AT + minutes(number))
    for number in range(2, 5):
        station, _ = registry.add_station(operator=ada.operator, identity=f"AMBER-0{number}")
        with scope(operator=ada.operator):
            station.evses.create(number=1).connectors.create(number=1)
    ada.client.get("/api/v1/transactions/")  # writes the minute of the key's use, and reads the prices, which are kept
    with django_assert_num_queries(1 + queries):  # one more for the key
        assert ada.client.get(f"/api/v1/{path}").status_code == 200


def test_an_address_that_is_none_is_a_problem_too(ada: Person) -> None:
    answer = ada.client.get("/api/v1/chargers/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert ada.client.get("/api/v1/messages/1/").status_code == 404  # a row of the log has no address of its own


def test_what_is_read_only_says_so(ada: Person, amber: Network) -> None:
    assert ada.client.post("/api/v1/stations/", {}, "application/json").status_code == 405
    assert ada.client.delete("/api/v1/stations/AMBER-01/").status_code == 405


def test_the_documentation_is_served_from_here(client: Client, db: None) -> None:
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert b"https://" not in page.content
    schema = client.get("/api/schema/", headers={"Accept": "application/json"})
    assert set(schema.json()["paths"]) >= {f"/api/v1/{path}/" for path in LISTS}


def test_a_time_that_is_none_is_refused_whatever_stands_in_it(ada: Person) -> None:
    answer = ada.client.get("/api/v1/events/", {"since": "%d 100%"})
    assert answer.status_code == 400
    assert answer.json()["errors"]["since"] == ['"%d 100%" is not a date or time such as 2026-11-21 or 2026-11-21T04:00:00Z.']


def test_id_tags_in_messages_are_for_those_who_may_change_them(ada: Person, ben: Person, amber: Network) -> None:
    message(amber.station, AT + minutes(1), call='[2,"1","Authorize",{"idTag":"04A1B2C3D4"}]', action="Authorize")
    assert ada.client.rows("messages/", action="Authorize")[0]["call"][3] == {"idTag": "04A1B2C3D4"}
    assert ben.client.rows("messages/", action="Authorize")[0]["call"][3] == {"idTag": "***C3D4"}


def test_a_message_leads_to_its_session_and_its_command(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        row = asked(amber.station)
        Transaction.objects.filter(pk=amber.transaction.pk).update(ocpp_transaction_id="42")
    stop = '{"transactionId":42,"meterStop":"9","timestamp":"2026-11-20T12:00:00Z"}'
    message(amber.station, AT + minutes(1), call=f'[2,"m1","StopTransaction",{stop}]', action="StopTransaction")
    message(amber.station, AT + minutes(2), call='[2,"x","ClearCache",{}]', action="ClearCache")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE stations_messagelogentry SET direction = 'out', message_id = %s WHERE action = 'ClearCache'",
            [f"csms-{row.pk}-1"],
        )
    (out,), (told,) = (ada.client.rows("messages/", action=action) for action in ("ClearCache", "StopTransaction"))
    assert (out["command"], out["transaction"], out["findings"]) == (row.pk, None, [])
    assert (told["command"], told["transaction"], told["findings"]) == (None, amber.transaction.pk, ["mended_type"])
