"""Who may charge: one rule for every path (OCPP 2.0.1 chapter C, 1.6 4.1)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Operator
from stations.models import Station
from tests import v16
from tests.engine import Engine
from tests.network import Network

PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@pytest.fixture
def station(network: Network) -> Station:
    return network.station(accepted=True)


def presented(engine: Engine, station: Station, tag: str) -> dict[str, Any]:
    answer: dict[str, Any] = engine.say(station, "Authorize", {"idTag": tag})["idTagInfo"]
    return answer


def forbid_concurrent(network: Network) -> None:
    network.operator.concurrent_transactions = False
    network.operator.save()


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, {"status": "Accepted"}),
        ({"status": "Blocked"}, {"status": "Blocked"}),
        ({"expires_at": PAST}, {"status": "Expired", "expiryDate": "2020-01-01T00:00:00Z"}),
        ({"expires_at": FUTURE}, {"status": "Accepted", "expiryDate": "2200-01-01T00:00:00Z"}),
        ({"group": "FLEET"}, {"status": "Accepted", "parentIdTag": "FLEET"}),
        (
            {"group": "FLEET", "status": "Blocked", "expires_at": PAST},
            {"status": "Blocked", "expiryDate": "2020-01-01T00:00:00Z", "parentIdTag": "FLEET"},
        ),
    ],
)
def test_a_known_tag_is_answered_as_it_stands(
    network: Network, engine: Engine, station: Station, fields: dict[str, Any], answer: dict[str, Any]
) -> None:
    network.token("CARD", **fields)
    assert presented(engine, station, "CARD") == answer
    # A start is answered by the same rule, since stations may start from a cache without asking.
    assert engine.say(station, "StartTransaction", v16.start())["idTagInfo"] == answer


@pytest.mark.parametrize("tag", ["stranger", "", "CAR", "CARD ", "ＣＡＲＤ"])
def test_an_unknown_tag_is_invalid(network: Network, engine: Engine, station: Station, tag: str) -> None:
    network.token("CARD")
    assert presented(engine, station, tag) == {"status": "Invalid"}


def test_tags_are_compared_without_case(network: Network, engine: Engine, station: Station) -> None:
    network.token("AbCdEf")
    assert [presented(engine, station, tag)["status"] for tag in ("abcdef", "ABCDEF", "AbCdEf")] == ["Accepted"] * 3


def test_another_operators_tag_is_unknown(network: Network, engine: Engine, station: Station) -> None:
    cobalt = Network()
    cobalt.token("CARD")
    assert presented(engine, station, "CARD") == {"status": "Invalid"}
    network.token("CARD", status="Blocked")
    answers = engine.round(
        engine.inbound(station, "Authorize", {"idTag": "CARD"}),
        engine.inbound(cobalt.station(accepted=True), "Authorize", {"idTag": "CARD"}),
    )
    assert [frame[2]["idTagInfo"]["status"] for frame in answers if frame] == ["Blocked", "Accepted"]


def test_where_a_value_is_enrolled_with_two_types_the_card_comes_first(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD", type="Central", status="Blocked")
    network.token("CARD", type="ISO14443")
    assert presented(engine, station, "CARD") == {"status": "Accepted"}


def test_presenting_a_tag_makes_no_transaction(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD")
    presented(engine, station, "CARD")
    assert network.transactions(station) == []


def test_a_change_of_a_tag_counts_from_the_next_message_on(network: Network, engine: Engine, station: Station) -> None:
    token = network.token("CARD")
    assert presented(engine, station, "CARD")["status"] == "Accepted"
    type(token).objects.with_scopes_disabled().filter(pk=token.pk).update(status="Blocked")
    assert presented(engine, station, "CARD")["status"] == "Blocked"


def test_a_tag_may_charge_at_two_places_where_the_operator_allows_it(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD")
    engine.say(station, "StartTransaction", v16.start())
    assert presented(engine, network.station(accepted=True), "CARD") == {"status": "Accepted"}
    assert engine.say(network.station(accepted=True), "StartTransaction", v16.start())["idTagInfo"]["status"] == "Accepted"


def test_a_tag_that_charges_elsewhere_is_concurrent_where_the_operator_forbids_it(
    network: Network, engine: Engine, station: Station
) -> None:
    forbid_concurrent(network)
    network.token("CARD")
    transaction = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    elsewhere = network.station(accepted=True)
    assert presented(engine, elsewhere, "CARD") == {"status": "ConcurrentTx"}
    # Here it is accepted, since it may want to stop.
    assert presented(engine, station, "CARD") == {"status": "Accepted"}
    assert engine.say(elsewhere, "StartTransaction", v16.start())["idTagInfo"] == {"status": "ConcurrentTx"}
    # What was refused is recorded all the same: energy may flow until the station stops.
    assert [t.authorization_status for t in network.transactions(elsewhere)] == ["ConcurrentTx"]
    # The tag that runs a transaction is accepted for its stop.
    assert engine.say(station, "StopTransaction", v16.stop(transaction, idTag="CARD")) == {"idTagInfo": {"status": "Accepted"}}


def test_a_second_start_at_the_same_station_is_concurrent_too(network: Network, engine: Engine, station: Station) -> None:
    forbid_concurrent(network)
    network.token("CARD")
    first, second = engine.round(
        engine.inbound(station, "StartTransaction", v16.start(connector=1)),
        engine.inbound(station, "StartTransaction", v16.start(connector=2)),
    )
    assert [frame[2]["idTagInfo"]["status"] for frame in (first, second) if frame] == ["Accepted", "ConcurrentTx"]


def test_a_repeated_start_is_not_concurrent_with_itself(network: Network, engine: Engine, station: Station) -> None:
    forbid_concurrent(network)
    network.token("CARD")
    payload = v16.start()
    assert [engine.say(station, "StartTransaction", payload)["idTagInfo"]["status"] for _ in range(3)] == ["Accepted"] * 3


def test_a_tag_whose_stop_was_lost_is_not_held_up_by_it(network: Network, engine: Engine, station: Station) -> None:
    """The start ends what was open on the same EVSE before the tag is judged."""
    forbid_concurrent(network)
    network.token("CARD")
    engine.say(station, "StartTransaction", v16.start(seconds=7200))
    assert engine.say(station, "StartTransaction", v16.start(seconds=60))["idTagInfo"]["status"] == "Accepted"


def test_within_one_batch_a_stop_frees_the_tag_for_the_next_start(network: Network, engine: Engine, station: Station) -> None:
    forbid_concurrent(network)
    network.token("CARD")
    elsewhere = network.station(accepted=True)
    transaction = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    _, start = engine.round(
        engine.inbound(station, "StopTransaction", v16.stop(transaction)),
        engine.inbound(elsewhere, "StartTransaction", v16.start(seconds=30)),
    )
    assert start is not None
    assert start[2]["idTagInfo"]["status"] == "Accepted"


@pytest.mark.parametrize(
    ("fields", "status"), [({}, "Accepted"), ({"status": "Blocked"}, "Blocked"), ({"expires_at": PAST}, "Expired")]
)
def test_a_stop_with_a_tag_is_told_about_the_tag_and_ends_the_transaction_whatever_that_is(
    network: Network, engine: Engine, station: Station, fields: dict[str, Any], status: str
) -> None:
    network.token("CARD", **fields)
    transaction = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    answer = engine.say(station, "StopTransaction", v16.stop(transaction, idTag="card"))
    assert answer["idTagInfo"]["status"] == status
    (charged,) = network.transactions(station)
    assert (charged.status, charged.stopped_by, charged.authorization_status) == ("ended", "card", status)


def test_another_tag_of_the_group_may_stop(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD", group="FLEET")
    network.token("OTHER", group="FLEET")
    transaction = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    answer = engine.say(station, "StopTransaction", v16.stop(transaction, idTag="OTHER"))
    assert answer == {"idTagInfo": {"status": "Accepted", "parentIdTag": "FLEET"}}
    (charged,) = network.transactions(station)
    assert (charged.id_tag, charged.stopped_by) == ("CARD", "OTHER")


def test_a_tag_expires_at_the_moment_it_says(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD", expires_at=datetime.now(UTC) + timedelta(hours=1))
    network.token("OLD", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert presented(engine, station, "CARD")["status"] == "Accepted"
    assert presented(engine, station, "OLD")["status"] == "Expired"


def test_a_tag_of_more_than_20_characters_is_refused_and_never_cut(network: Network, engine: Engine, station: Station) -> None:
    network.token("ABCDEFGHIJKLMNOPQRST")
    answer = engine.say(station, "Authorize", {"idTag": "ABCDEFGHIJKLMNOPQRSTU"})
    assert answer[2:4] == ["PropertyConstraintViolation", "idTag is longer than 20 characters."]


def test_one_operators_policy_is_not_anothers(network: Network, engine: Engine, station: Station) -> None:
    forbid_concurrent(network)
    assert Operator.objects.get(pk=network.operator.pk).concurrent_transactions is False
    cobalt = Network()
    cobalt.token("CARD")
    for _ in range(2):
        assert engine.say(cobalt.station(accepted=True), "StartTransaction", v16.start())["idTagInfo"]["status"] == "Accepted"
