"""Reservations: asked for, kept, used, given up, lost; the same whatever the station speaks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db import transaction as db
from django_scopes import scope, scopes_disabled

from stations.domain.commands import BadCommand, CancelReservation, RemoteStart, ReserveNow
from stations.models import Reservation, Station, Variable
from stations.services import commandends, reserving
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.peer import ago
from tests.stations.asking import PROTOCOLS, asked, connected, issue, now_of, report, sent


@pytest.fixture(params=PROTOCOLS)
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def until(hours: float = 1) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def wish(**fields: Any) -> ReserveNow:
    return ReserveNow(**{"id_token": "CARD", "expires_at": until(), "evse": 1} | fields)


def the(station: Station) -> Reservation:
    """The newest of a station."""
    with scopes_disabled():
        return Reservation.objects.select_related("transaction").filter(station=station).latest("id")


def kept(engine: Engine, station: Station, **fields: Any) -> Reservation:
    asked(engine, station, wish(**fields))
    return the(station)


def begin(engine: Engine, station: Station, tag: str = "CARD", evse: int = 1, **fields: Any) -> None:
    """Somebody starts to charge now. `reservationId`: what the station says of it."""
    if engine.protocol == "ocpp1.6":
        engine.say(station, "StartTransaction", v16.start(0, connector=evse, tag=tag, **fields))
    else:
        more = {"evse": {"id": evse, "connectorId": 1}, "idToken": {"idToken": tag, "type": "ISO14443"}}
        engine.say(station, "TransactionEvent", v201.started(timestamp=ago(0), tx=f"tx-{evse}", **more, **fields))


def test_what_the_station_agrees_to_keep_is_kept(engine: Engine, station: Station) -> None:
    row = issue(station, wish())
    assert (the(station).status, the(station).command_id, the(station).evse_number) == ("requested", row.pk, 1)
    engine.reply(station, sent(engine, station), {"status": "Accepted"})
    assert (the(station).status, the(station).finished_at, now_of(row).status) == ("active", None, "accepted")
    report(engine, station, "Reserved")
    assert now_of(row).status == "confirmed"


@pytest.mark.parametrize("answer", ["Faulted", "Occupied", "Rejected", "Unavailable"])
def test_a_refusal_ends_it_with_the_stations_word(engine: Engine, station: Station, answer: str) -> None:
    row = asked(engine, station, wish(), {"status": answer})
    assert (the(station).status, the(station).detail, row.status) == ("refused", answer, "rejected")
    assert the(station).finished_at is not None


def test_it_does_not_wait_for_a_station_that_is_away(engine: Engine, station: Station) -> None:
    row = issue(station, wish())
    assert 40 <= (row.expires_at - row.created_at).total_seconds() <= 60
    commandends.sweep(now=row.expires_at)
    assert (now_of(row).status, the(station).status) == ("expired", "refused")
    assert the(station).detail == "The station did not come back in time."


def gives_up(engine: Engine, station: Station, answer: Any) -> None:
    engine.reply(station, sent(engine, station), answer)


def comes_back(engine: Engine, station: Station, _: Any) -> None:
    """By a new socket, before it has answered."""
    engine.claim(station)
    engine.connect(station)
    with db.atomic(), connection.cursor() as cursor:
        commandends.orphan(cursor, [station.pk], now=datetime.now(UTC))


def is_swept(engine: Engine, station: Station, _: Any) -> None:
    """The process that would have heard the answer has died."""
    engine.claim(station)
    commandends.sweep(now=datetime.now(UTC) + 2 * commandends.LOST_ANSWER)


@pytest.mark.parametrize(
    ("loses", "answer"),
    [
        (gives_up, None),
        (gives_up, ["InternalError", "out of order"]),
        (gives_up, {"status": 7}),
        (gives_up, {"status": "Accepted", "customData": {"vendorId": "No table takes this: \x00"}}),
        (comes_back, None),
        (is_swept, None),
    ],
)
def test_where_nobody_knows_the_answer_the_station_is_asked_to_keep_nothing(
    engine: Engine, station: Station, loses: Callable[[Engine, Station, Any], None], answer: Any
) -> None:
    issue(station, wish())
    loses(engine, station, answer)
    assert the(station).status == "refused"
    follow_up = sent(engine, station)
    assert (follow_up.action, follow_up.calls[0]["reservationId"]) == ("CancelReservation", the(station).number)
    engine.reply(station, follow_up, {"status": "Rejected"})
    assert the(station).status == "refused"
    assert engine.claim(station) == []


def test_the_group_of_a_known_tag_is_said_with_it(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD", group="FLEET")
    issue(station, wish())
    (call,) = sent(engine, station).calls
    assert call.get("parentIdTag") == "FLEET" or call["groupIdToken"]["idToken"] == "FLEET"
    assert the(station).group == "FLEET"


def test_a_remote_start_says_the_group_for_which_a_plug_may_be_kept(network: Network, engine: Engine, station: Station) -> None:
    network.token("OTHER", group="FLEET")
    row = issue(station, RemoteStart("OTHER", evse=1))
    (call,) = sent(engine, station).calls
    said = {"idToken": "FLEET", "type": "Central"} if engine.protocol == "ocpp2.0.1" else None
    assert (call.get("groupIdToken"), row.params["group"]) == (said, "")


# Using


def test_a_start_that_names_it_uses_it(network: Network, engine: Engine, station: Station) -> None:
    made = kept(engine, station)
    begin(engine, station, reservationId=made.number)
    (transaction,) = network.transactions(station)
    assert (the(station).status, the(station).transaction_id) == ("used", transaction.pk)


def test_a_start_of_its_tag_at_its_plug_uses_it(network: Network, engine: Engine, station: Station) -> None:
    kept(engine, station)
    begin(engine, station, tag="card")
    assert the(station).status == "used"
    assert "reserved_for_another" not in network.findings(station)


def test_a_start_of_its_group_uses_it(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD", group="FLEET")
    network.token("OTHER", group="FLEET")
    kept(engine, station)
    begin(engine, station, tag="OTHER")
    assert the(station).status == "used"


def test_a_strangers_start_leaves_a_finding_and_the_reservation(network: Network, engine: Engine, station: Station) -> None:
    kept(engine, station)
    begin(engine, station, tag="STRANGER")
    assert the(station).status == "active"
    assert "reserved_for_another" in network.findings(station)


def test_a_start_at_another_plug_is_none_of_its_business(network: Network, engine: Engine, station: Station) -> None:
    kept(engine, station)
    begin(engine, station, evse=2)
    assert the(station).status == "active"
    assert "reserved_for_another" not in network.findings(station)


def test_of_whichever_plug_any_start_of_the_tag_uses_it(engine: Engine, station: Station) -> None:
    kept(engine, station, evse=None)
    begin(engine, station, evse=2)
    assert the(station).status == "used"


def test_a_start_that_is_told_late_uses_what_had_expired_here(network: Network, engine: Engine, station: Station) -> None:
    made = kept(engine, station)
    with scopes_disabled():
        reserving.sweep(now=made.expires_at)
    assert the(station).status == "expired"
    begin(engine, station, reservationId=made.number)
    assert the(station).status == "used"


def test_a_number_that_nobody_gave_is_a_finding(network: Network, engine: Engine, station: Station) -> None:
    begin(engine, station, reservationId=4711)
    assert "reservation_unknown" in network.findings(station)


# Ending


def test_one_that_nobody_used_expires(engine: Engine, station: Station) -> None:
    made = kept(engine, station)
    with scopes_disabled():
        reserving.sweep(now=made.expires_at - timedelta(seconds=1))
        assert the(station).status == "active"
        reserving.sweep(now=made.expires_at)
    assert (the(station).status, the(station).finished_at) == ("expired", made.expires_at)
    begin(engine, station)
    assert the(station).status == "expired", "what expired is known to the process that holds the socket"


def test_it_can_be_given_up(engine: Engine, station: Station) -> None:
    made = kept(engine, station)
    row = asked(engine, station, CancelReservation(made.number))
    assert (row.status, the(station).status) == ("confirmed", "cancelled")


def test_a_station_that_knows_nothing_of_it_has_lost_it(engine: Engine, station: Station) -> None:
    made = kept(engine, station)
    row = asked(engine, station, CancelReservation(made.number), {"status": "Rejected"})
    assert (row.status, the(station).status) == ("rejected", "removed")


def test_what_was_not_sent_is_taken_back_without_asking_the_station(engine: Engine, station: Station) -> None:
    issue(station, wish())
    with scope(operator=station.operator):
        reserving.cancel(reservation=Reservation.objects.select_related("station", "command").get(station=station))
    assert (the(station).status, the(station).detail) == ("refused", "It was taken back before the charger was asked.")
    assert engine.claim(station) == []


@pytest.mark.parametrize("state", ["Faulted", "Unavailable"])
def test_a_plug_that_breaks_is_kept_for_nobody(engine: Engine, station: Station, state: str) -> None:
    kept(engine, station)
    report(engine, station, "Reserved")
    report(engine, station, state)
    assert (the(station).status, the(station).detail) == ("removed", f"The plug became {state}.")


def test_of_an_evse_with_two_connectors_the_other_one_is_left(network: Network, committed: None) -> None:
    newer = Engine("ocpp2.0.1")
    station = connected(network, newer)

    def says(connector: int, status: str) -> None:
        said = {"timestamp": ago(0), "connectorStatus": status, "evseId": 1, "connectorId": connector}
        assert newer.say(station, "StatusNotification", said) == {}

    says(1, "Available")
    says(2, "Available")
    kept(newer, station)
    says(2, "Faulted")
    assert the(station).status == "active"
    says(1, "Unavailable")
    assert the(station).status == "removed"


def test_whichever_plug_is_kept_until_none_is_left(engine: Engine, station: Station) -> None:
    report(engine, station, "Available")
    begin(engine, station, tag="STRANGER", evse=2)
    kept(engine, station, evse=None)
    report(engine, station, "Available")
    assert the(station).status == "active"


def test_the_same_number_replaces_it(engine: Engine, station: Station) -> None:
    first = kept(engine, station, reservation=41)
    second = kept(engine, station, reservation=41, id_token="OTHER")
    first.refresh_from_db()
    assert (first.status, second.status) == ("removed", "active")
    begin(engine, station, tag="OTHER")
    assert the(station).status == "used"


def test_a_replacement_that_is_refused_leaves_the_old_one(engine: Engine, station: Station) -> None:
    first = kept(engine, station, reservation=41)
    asked(engine, station, wish(reservation=41, id_token="OTHER"), {"status": "Rejected"})
    first.refresh_from_db()
    assert first.status == "active"


# What is refused here


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"expires_at": until(-1)}, "expires_at is in the past"),
        ({"expires_at": until(72)}, "expires_at is more than 48 hours ahead"),
        ({"expires_at": "soon"}, "expires_at must be a time with its zone"),
        ({"id_token": ""}, "id_token must be a text of 1 to 36 characters"),
        ({"connector_type": "Schuko"}, "connector_type must be one of cCCS1, "),
        ({"reservation": -1}, "reservation must be a whole number from 0"),
        ({"evse": 0}, "evse must be a whole number from 1 to 255"),
    ],
)
def test_what_makes_no_sense_is_refused(engine: Engine, station: Station, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(BadCommand, match=said), scope(operator=station.operator):
        reserving.reserve(station=station, command=wish(**fields))


def test_a_plug_is_kept_for_one_at_a_time(engine: Engine, station: Station) -> None:
    kept(engine, station)
    with pytest.raises(BadCommand, match=r"evse 1 of .* is reserved already until"):
        issue(station, wish(id_token="OTHER"))
    assert issue(station, wish(id_token="OTHER", evse=2)).status == "queued"


def test_a_driver_has_one_at_a_time_anywhere(network: Network, engine: Engine, station: Station) -> None:
    dee = network.user("dee", kind="driver", role="")
    network.token("CARD", driver=dee)
    network.token("APP", driver=dee, type="Central")
    kept(engine, station)
    elsewhere = connected(network, engine)
    for tag, kind in (("card", "ISO14443"), ("APP", "Central")):
        with pytest.raises(BadCommand, match=f"has reserved already, at {station.identity} until"):
            issue(elsewhere, wish(id_token=tag, id_token_type=kind))


@pytest.mark.parametrize(("told", "refused"), [("true", False), ("false", True), (None, True)])
def test_whichever_plug_is_asked_only_of_a_station_that_can(
    engine: Engine, station: Station, told: str | None, refused: bool
) -> None:
    with scopes_disabled():
        rows = {"HeartbeatInterval": "300"} | ({} if told is None else {"ReserveConnectorZeroSupported": told})
        for name, value in rows.items():
            Variable.objects.create(operator=station.operator, station=station, component="", variable=name, value=value)
    if refused:
        with pytest.raises(BadCommand, match=r"evse must be named: .* cannot reserve whichever plug is free"):
            issue(station, wish(evse=None))
    else:
        assert issue(station, wish(evse=None)).status == "queued"


def test_what_a_station_told_in_another_version_says_nothing_of_whichever_plug(network: Network, committed: None) -> None:
    """It has moved from 1.6 to 2.0.1, and keeps its keys of then."""
    newer = Engine("ocpp2.0.1")
    station = connected(network, newer)
    now = datetime.now(UTC)

    def told(component: str, name: str, value: str, at: datetime) -> None:
        given = {"component": component, "variable": name, "value": value, "reported_at": at}
        with scopes_disabled():
            Variable.objects.create(operator=station.operator, station=station, **given)

    told("", "HeartbeatInterval", "300", now - timedelta(days=9))
    told("", "ReserveConnectorZeroSupported", "false", now - timedelta(days=9))
    told("OCPPCommCtrlr", "HeartbeatInterval", "300", now)
    assert issue(station, wish(evse=None)).status == "queued"
    told("ReservationCtrlr", "NonEvseSpecific", "false", now)
    with pytest.raises(BadCommand, match=r"\(NonEvseSpecific is not true\)"):
        issue(station, wish(evse=None, id_token="OTHER"))


def test_what_is_sent_as_it_was_written_is_the_stations_to_judge(engine: Engine, station: Station) -> None:
    kept(engine, station)
    issue(station, wish(reservation=42), raw={"action": "ReserveNow", "payload": {}})
    assert the(station).number == 42


def test_a_tag_of_another_network_is_not_looked_at(network: Network, engine: Engine, station: Station) -> None:
    kept(engine, station)
    assert asked(engine, connected(Network(), engine), wish()).status == "accepted"


def test_what_is_lost_is_not_shown_by_somebody_elses_session(engine: Engine, station: Station) -> None:
    row = asked(engine, station, wish(evse=1))
    assert row.status == "accepted"
    if engine.protocol == "ocpp1.6":
        report(engine, station, "Faulted")
    else:
        engine.say(station, "ReservationStatusUpdate", {"reservationId": the(station).number, "reservationUpdateStatus": "Removed"})
    assert the(station).status == "removed"
    begin(engine, station, tag="OTHER", evse=2)
    assert now_of(row).status == "accepted"


def test_whoever_comes_for_it_shows_that_it_was_kept(engine: Engine, station: Station, network: Network) -> None:
    network.token("CARD")
    row = asked(engine, station, wish(evse=1))
    begin(engine, station)
    assert (the(station).status, now_of(row).status) == ("used", "confirmed")
