"""Local lists that somebody sends by hand, and what is asked of them by a command."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django_scopes import scope, scopes_disabled

from accounts import services as accounts
from accounts.models import IdToken
from csms.ocpp import registry
from stations import locallists, outbox, problems, topics
from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import LocalListEntry, Station
from stations.services import commandends
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import PROTOCOLS, connected, issue, now_of
from tests.stations.listing import Keeper, hurry, list_of, rule, run, settle, there


@pytest.fixture(params=PROTOCOLS)
def keeper(request: pytest.FixtureRequest, network: Network) -> Keeper:
    engine = Engine(request.param)
    return Keeper(engine, connected(network, engine))


def hand(update: str, *entries: dict[str, Any]) -> commands.SendLocalList:
    command = commands.SendLocalList(update, list(entries))
    command.check()
    return command


def kept(station: Station) -> list[tuple[str, str]]:
    with scopes_disabled():
        found = LocalListEntry.objects.filter(local_list__station=station).order_by("value")
        return list(found.values_list("value", "status"))


def test_a_list_that_is_sent_by_hand_is_kept_as_it_was_sent(network: Network, keeper: Keeper) -> None:
    row = issue(keeper.station, hand("full", {"id_token": "CARD-1"}, {"id_token": "CARD-2", "status": "Blocked"}))
    keeper.work()
    assert now_of(row).status == "confirmed"
    assert kept(keeper.station) == [("CARD-1", "Accepted"), ("CARD-2", "Blocked")]
    issue(keeper.station, hand("differential", {"id_token": "CARD-2", "remove": True}, {"id_token": "CARD-3"}))
    keeper.work()
    one = list_of(keeper.station)
    assert kept(keeper.station) == [("CARD-1", "Accepted"), ("CARD-3", "Accepted")]
    assert keeper.values == ["CARD-1", "CARD-3"]
    assert (one.state, one.version, one.count, one.by_hand) == ("in_step", 2, 2, True)
    issue(keeper.station, hand("full"))
    keeper.work()
    assert (keeper.values, kept(keeper.station), list_of(keeper.station).version) == ([], [], 3)


def test_a_time_is_kept_however_it_is_written(network: Network, keeper: Keeper) -> None:
    """Python reads more ways of writing one than PostgreSQL does."""
    row = issue(keeper.station, hand("full", {"id_token": "CARD-1", "expires_at": "2030-W05-4T02:00:00+00:00"}))
    keeper.work()
    assert now_of(row).status == "confirmed"
    with scopes_disabled():
        (entry,) = LocalListEntry.objects.filter(local_list__station=keeper.station)
    assert entry.expires_at == datetime(2030, 1, 31, 2, tzinfo=UTC)


def test_a_difference_by_hand_that_is_refused_is_followed_by_the_whole_list(network: Network, keeper: Keeper) -> None:
    issue(keeper.station, hand("full", {"id_token": "CARD-1"}))
    keeper.work()
    keeper.refuses = ["VersionMismatch"]
    issue(keeper.station, hand("differential", {"id_token": "CARD-2"}))
    keeper.work()
    settle(network, keeper)
    assert keeper.asked[-1] == ("Full", 2)
    assert (keeper.values, list_of(keeper.station).state) == (["CARD-1", "CARD-2"], "in_step")


def test_a_rule_takes_the_place_of_a_list_by_hand(network: Network, keeper: Keeper) -> None:
    issue(keeper.station, hand("full", {"id_token": "GUEST"}))
    keeper.work()
    network.token("CARD-1")
    rule(network)
    settle(network, keeper)
    assert (keeper.values, kept(keeper.station), list_of(keeper.station).by_hand) == (["CARD-1"], [], False)
    issue(keeper.station, hand("full", {"id_token": "GUEST"}))
    keeper.work()
    settle(network, keeper)
    assert keeper.values == ["CARD-1"]


def test_a_list_can_be_brought_in_step_by_a_command(network: Network, keeper: Keeper) -> None:
    with pytest.raises(BadCommand, match="No rule puts id tags"):
        issue(keeper.station, commands.SendLocalList())
    network.token("CARD-1")
    rule(network)
    issue(keeper.station, commands.SendLocalList())
    keeper.work()
    assert keeper.values == ["CARD-1"]
    with pytest.raises(BadCommand, match="has what belongs on its list"):
        issue(keeper.station, commands.SendLocalList())
    issue(keeper.station, commands.SendLocalList("full"))
    with pytest.raises(BadCommand, match="is being sent its list already"):
        issue(keeper.station, commands.SendLocalList("full"))
    keeper.work()
    assert keeper.asked == [("Full", 1), ("Full", 1)]


def test_what_is_not_known_to_be_there_is_sent_whole(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    rule(network)
    issue(keeper.station, commands.SendLocalList())
    keeper.work()
    network.token("CARD-2")
    keeper.refuses = [None]
    issue(keeper.station, commands.SendLocalList("full"))
    keeper.work()
    issue(keeper.station, commands.SendLocalList())
    keeper.work()
    assert keeper.asked == [("Full", 1), ("Full", 2), ("Full", 2)]
    assert (keeper.values, list_of(keeper.station).state) == (["CARD-1", "CARD-2"], "in_step")


def test_a_command_that_was_taken_back_leaves_the_list_as_it_was(network: Network, keeper: Keeper) -> None:
    issue(keeper.station, hand("full", {"id_token": "CARD-1"}))
    keeper.work()
    row = issue(keeper.station, hand("full", {"id_token": "CARD-2"}))
    with scope(operator=network.operator):
        assert commandends.cancel(command=row)
    one = list_of(keeper.station)
    assert (one.state, one.command_id, kept(keeper.station)) == ("in_step", None, [("CARD-1", "Accepted")])


def test_the_version_is_asked_and_kept(network: Network, keeper: Keeper) -> None:
    keeper.version = 12
    row = issue(keeper.station, commands.GetLocalListVersion())
    keeper.work()
    one = list_of(keeper.station)
    assert (now_of(row).status, now_of(row).detail) == ("confirmed", "Version 12")
    assert (one.reported_version, one.version, one.sent_version, one.state) == (12, 0, 12, "off")


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"update": "differential"}, "needs entries"),
        ({"entries": []}, "need an update"),
        ({"update": "differential", "entries": []}, "changes nothing"),
        ({"update": "all"}, "must be one of"),
        ({"update": "full", "entries": [{"id_token": "A", "remove": True}]}, "leave out what"),
        ({"update": "full", "entries": [{"id_token": "A"}, {"id_token": "a"}]}, "named twice"),
        ({"update": "full", "entries": ["A"]}, "An entry is an object"),
        ({"update": "full", "entries": [{"id_token": "A", "colour": 1}]}, "without colour"),
        ({"update": "full", "entries": [{"id_token": "1234", "type": "KeyCode"}]}, "type must be one of"),
        ({"update": "full", "entries": [{"id_token": "A", "status": "Good"}]}, "status must be one of"),
        ({"update": "full", "entries": [{"id_token": "A", "expires_at": "soon"}]}, "must be a time"),
        ({"update": "full", "entries": [{"id_token": "A", "remove": 1}]}, "remove must be true"),
        ({"update": "full", "entries": [{"id_token": "ß" * 20}]}, "id_token must be a text"),
        ({"update": "full", "entries": [{"id_token": str(n)} for n in range(1001)]}, "at most"),
        ({"update": "full", "entries": [], "version": 0}, "version must be"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(params: dict[str, Any], why: str) -> None:
    with pytest.raises(BadCommand, match=why):
        commands.SendLocalList.of(params)


def test_a_tag_that_may_charge_no_more_leaves_lists_by_hand_too(network: Network, keeper: Keeper) -> None:
    token = network.token("CARD-1")
    issue(keeper.station, hand("full", {"id_token": "CARD-1"}, {"id_token": "CARD-2"}))
    keeper.work()
    with scope(operator=network.operator):
        accounts.delete_id_token(token=token)
    settle(network, keeper)
    assert (keeper.values, [value for value, _status in kept(keeper.station)]) == (["CARD-2"], ["CARD-2"])


def test_a_raw_call_is_sent_as_it_is_and_known(network: Network, keeper: Keeper) -> None:
    old = keeper.engine.protocol == "ocpp1.6"
    card = {"idTag": "CARD"} if old else {"idToken": {"idToken": "CARD", "type": "ISO14443"}}
    info = {"idTagInfo" if old else "idTokenInfo": {"status": "Accepted"}}
    payload = {"listVersion" if old else "versionNumber": 40, "updateType": "Full", "localAuthorizationList": [card | info]}
    command = registry.BY_ACTION[keeper.engine.protocol]["SendLocalList"].parse(payload)
    row = issue(keeper.station, command, raw={"action": "SendLocalList", "payload": payload})
    keeper.work()
    one = list_of(keeper.station)
    assert (now_of(row).status, keeper.version, keeper.values) == ("confirmed", 40, ["CARD"])
    assert (one.version, one.sent_version, kept(keeper.station)) == (40, 40, [("CARD", "Accepted")])


def test_what_the_job_asked_in_vain_is_nobodys_task(network: Network, keeper: Keeper) -> None:
    keeper.supports = False
    network.token("CARD")
    rule(network)
    settle(network, keeper)
    with scope(operator=network.operator):
        assert list(problems.fruitless(datetime.now(UTC))) == []


def forget(station: Station, **named: str) -> None:
    """The station has deleted what it kept of a customer (OCPP 2.0.1 N10.FR.02)."""
    told = {"station": station.pk, "type": "ISO14443"} | named
    with connection.cursor() as cursor:
        outbox.tell(cursor, topics.TOKEN_FORGOTTEN, [(station.operator_id, None, told)], now=datetime.now(UTC))


def test_a_forgotten_customer_is_taken_off_a_list_that_was_sent_by_hand(network: Network, keeper: Keeper) -> None:
    issue(keeper.station, hand("full", {"id_token": "CARD-1"}, {"id_token": "CARD-2"}))
    keeper.work()
    forget(keeper.station, id_token="card-1")
    keeper.asked.clear()
    settle(network, keeper)
    assert (kept(keeper.station), keeper.asked) == ([("CARD-2", "Accepted")], [("Differential", 1)])


def test_a_forgotten_customer_stays_off_the_list_of_a_rule_until_the_tag_changes(network: Network, keeper: Keeper) -> None:
    other = Keeper(keeper.engine, connected(network, keeper.engine))
    card, _ = network.token("CARD-1"), network.token("CARD-2")
    rule(network)
    settle(network, keeper, other)
    for one in (keeper, other):
        assert one.values == ["CARD-1", "CARD-2"]
        one.asked.clear()
    forget(keeper.station, id_token="card-1")
    settle(network, keeper, other)
    assert (keeper.asked, other.asked) == ([("Full", 1)], [])
    network.token("CARD-3")
    issue(keeper.station, commands.SendLocalList("full"))
    settle(network, keeper, other)
    assert (keeper.values, other.values) == (["CARD-2", "CARD-3"], ["CARD-1", "CARD-2", "CARD-3"])
    with scopes_disabled():
        assert [token.value for token in locallists.on_list(list_of(keeper.station), datetime.now(UTC))] == keeper.values
    assert list_of(keeper.station).count == 2
    with scopes_disabled():
        IdToken.objects.filter(pk=card.pk).update(expires_at=datetime.now(UTC) + timedelta(days=9))
    settle(network, keeper, other)
    assert keeper.values == other.values == ["CARD-1", "CARD-2", "CARD-3"]


def test_a_customer_who_is_forgotten_while_nobody_knows_what_the_list_is_goes_too(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    network.token("CARD-2")
    rule(network)
    there(keeper.station)
    keeper.refuses = [None]
    for _ in ("its version is asked", "it takes the list, and nobody hears of it"):
        hurry(keeper)
        run(network)
        keeper.work()
    assert (keeper.values, list_of(keeper.station).ask) == (["CARD-1", "CARD-2"], True)
    forget(keeper.station, id_token="CARD-1")
    settle(network, keeper)
    assert keeper.values == ["CARD-2"]


def test_a_forgotten_tag_that_is_on_no_list_is_not_asked_to_go(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    network.token("4711", type="KeyCode")
    rule(network)
    settle(network, keeper)
    keeper.asked.clear()
    forget(keeper.station, id_token="4711", type="KeyCode")
    forget(keeper.station, id_token="NOBODYS")
    settle(network, keeper)
    assert (keeper.values, keeper.asked) == (["CARD-1"], [])
