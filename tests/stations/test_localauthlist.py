"""Local lists: which tags belong on them, and how stations come to have exactly these."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_scopes import scope, scopes_disabled

from accounts import services as accounts
from accounts.models import IdToken, IdTokenGroup
from stations.models import Command, LocalList, Site, Station, Variable
from stations.services import localauthlist, locallistwork
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import PROTOCOLS, boot, connected
from tests.stations.listing import Keeper, list_of, rule, run, settle, there, wanted


@pytest.fixture(params=PROTOCOLS)
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def keeper(engine: Engine, network: Network) -> Keeper:
    return Keeper(engine, connected(network, engine))


def limited(station: Station, items: int | None = None, most: int | None = None, size: int | None = None) -> None:
    """As the station told it, in the words of either version."""
    told = {("", "SendLocalListMaxLength", "Actual"): items, ("", "LocalAuthListMaxLength", "Actual"): most}
    told[("LocalAuthListCtrlr", "BytesPerMessage", "Actual")] = size
    with scope(operator=station.operator):
        for (component, name, attribute), value in told.items():
            if value is not None:
                Variable.objects.create(
                    operator=station.operator,
                    station=station,
                    component=component,
                    variable=name,
                    attribute=attribute,
                    value=str(value),
                )


def change(token: IdToken, **changes: Any) -> None:
    accounts.change_id_token(token=token, **changes)


def test_a_station_gets_the_tags_of_its_rule_after_it_was_asked_for_its_version(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1", group="Staff", expires_at=datetime.now(UTC) + timedelta(days=9))
    network.token("CARD-2")
    rule(network)
    settle(network, keeper)

    assert keeper.asked == [("GetLocalListVersion",), ("Full", 2)]
    assert keeper.values == ["CARD-1", "CARD-2"]
    one = list_of(keeper.station)
    assert (one.state, one.version, one.sent_version, one.count, one.left_out) == ("in_step", 1, 1, 2, 0)
    old = keeper.engine.protocol == "ocpp1.6"
    assert ("parentIdTag" if old else "groupIdToken") in keeper.entries["CARD-1"]
    assert ("expiryDate" if old else "cacheExpiryDateTime") in keeper.entries["CARD-1"]


def test_what_changes_is_sent_as_a_difference(network: Network, keeper: Keeper) -> None:
    first, second = network.token("CARD-1"), network.token("CARD-2")
    rule(network)
    settle(network, keeper)
    keeper.asked.clear()
    network.token("CARD-3")
    change(first, status="Blocked", blocked_because="lost")
    change(second, note="nothing that a list shows")
    settle(network, keeper)

    assert keeper.asked == [("Differential", 2)]
    assert keeper.values == ["CARD-2", "CARD-3"]
    assert list_of(keeper.station).version == 2


def test_a_tag_that_is_deleted_renamed_or_given_another_group_follows(network: Network, keeper: Keeper) -> None:
    deleted, renamed, grouped = network.token("CARD-1"), network.token("CARD-2"), network.token("CARD-3")
    rule(network)
    settle(network, keeper)
    with scope(operator=network.operator):
        accounts.delete_id_token(token=deleted)
    change(renamed, value="CARD-9")
    change(grouped, group="Fleet")
    settle(network, keeper)

    assert keeper.values == ["CARD-3", "CARD-9"]
    assert "Fleet" in str(keeper.entries["CARD-3"])
    with scope(operator=network.operator):
        IdTokenGroup.objects.filter(name="Fleet").update(name="Trucks")
    settle(network, keeper)
    assert "Trucks" in str(keeper.entries["CARD-3"])


def test_a_tag_that_expires_leaves_the_list(network: Network, keeper: Keeper) -> None:
    soon = network.token("CARD-1", expires_at=datetime.now(UTC) + timedelta(hours=1))
    rule(network)
    settle(network, keeper)
    assert keeper.values == ["CARD-1"]
    with scopes_disabled():
        # As if the hour had passed, which no trigger sees.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("UPDATE accounts_idtoken SET expires_at = now() WHERE id = %s", [soon.pk])
        locallistwork.keep()
    settle(network, keeper)
    assert keeper.values == []


def test_a_list_of_groups_has_only_their_tags(network: Network, keeper: Keeper) -> None:
    staff = network.token("CARD-1", group="Staff")
    other = network.token("CARD-2", group="Others")
    assert staff.group is not None
    rule(network, "groups", groups=[staff.group])
    settle(network, keeper)
    assert keeper.values == ["CARD-1"]
    keeper.asked.clear()
    change(other, status="Blocked")
    settle(network, keeper)
    assert keeper.asked == [], "a tag that never was on the list is no reason to send"
    change(staff, group="Others")
    settle(network, keeper)
    assert keeper.values == []


def test_the_narrowest_rule_counts(network: Network, engine: Engine) -> None:
    network.token("CARD-1")
    with scope(operator=network.operator):
        site = Site.objects.create(operator=network.operator, name="Mall")
    at_mall = Keeper(engine, connected(network, engine, site=site))
    alone = Keeper(engine, connected(network, engine))
    elsewhere = Keeper(engine, connected(network, engine))
    rule(network)
    rule(network, "off", site=site)
    rule(network, "off", station=alone.station)
    settle(network, at_mall, alone, elsewhere)
    assert (at_mall.asked, alone.asked, elsewhere.values) == ([], [], ["CARD-1"])


def test_turning_lists_off_empties_them(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    rule(network)
    settle(network, keeper)
    rule(network, "off")
    settle(network, keeper)
    assert keeper.asked[-1] == ("Full", 0)
    assert (keeper.values, list_of(keeper.station).state) == ([], "off")


def test_a_rule_of_groups_needs_groups(network: Network) -> None:
    with pytest.raises(ValidationError, match="at least one group"):
        rule(network, "groups")
    with pytest.raises(ValidationError, match="Use one of"):
        rule(network, "some")


def test_tags_that_no_list_may_hold_are_left_off(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    network.token("1234", type="KeyCode")
    network.token("APP", type="Central")
    network.token("X" * 21)
    network.token("TWICE")
    network.token("TWICE", type="ISO15693")
    network.token("OLD", expires_at=datetime.now(UTC) - timedelta(days=1))
    network.token("LOST", status="Blocked")
    rule(network)
    settle(network, keeper)
    assert keeper.values == ["CARD-1"]


def test_a_second_tag_of_the_same_value_takes_both_off_until_one_goes(network: Network, keeper: Keeper) -> None:
    network.token("TWICE")
    rule(network)
    settle(network, keeper)
    rival = network.token("TWICE", type="ISO15693")
    settle(network, keeper)
    assert keeper.values == []
    with scope(operator=network.operator):
        accounts.delete_id_token(token=rival)
    settle(network, keeper)
    assert keeper.values == ["TWICE"]


def test_a_long_list_is_cut_by_what_the_station_takes(network: Network, keeper: Keeper) -> None:
    for n in range(7):
        network.token(f"CARD-{n}")
    limited(keeper.station, items=3)
    rule(network)
    settle(network, keeper)
    assert keeper.asked[1:] == [("Full", 3), ("Differential", 3), ("Differential", 1)]
    one = list_of(keeper.station)
    assert (len(keeper.values), keeper.version, one.version, one.sent_version) == (7, 3, 3, 3)


def test_a_station_is_asked_how_much_it_takes_before_it_is_sent_anything(network: Network) -> None:
    engine = Engine("ocpp1.6")
    keeper = Keeper(engine, connected(network, engine))
    keeper.told = {"SendLocalListMaxLength": "2", "LocalAuthListMaxLength": "3"}
    for n in range(5):
        network.token(f"CARD-{n}")
    rule(network)
    settle(network, keeper)
    assert keeper.asked == [("GetLocalListVersion",), ("Full", 2), ("Differential", 1)]
    assert (list_of(keeper.station).limit, list_of(keeper.station).left_out) == (3, 2)


def test_what_does_not_fit_is_left_out_and_comes_when_there_is_room(network: Network, keeper: Keeper) -> None:
    tokens = [network.token(f"CARD-{n}") for n in range(5)]
    limited(keeper.station, most=3)
    rule(network)
    settle(network, keeper)
    one = list_of(keeper.station)
    assert (keeper.values, one.left_out, one.limit, one.state) == (["CARD-0", "CARD-1", "CARD-2"], 2, 3, "in_step")
    change(tokens[1], status="Blocked")
    settle(network, keeper)
    assert (keeper.values, list_of(keeper.station).left_out) == (["CARD-0", "CARD-2", "CARD-3"], 1)
    change(tokens[1], status="Accepted")
    settle(network, keeper)
    assert (keeper.values, list_of(keeper.station).left_out) == (["CARD-0", "CARD-1", "CARD-2"], 2)


@pytest.mark.parametrize("status", ["VersionMismatch", "Failed"])
def test_a_difference_that_is_refused_is_followed_by_the_whole_list(network: Network, keeper: Keeper, status: str) -> None:
    network.token("CARD-1")
    rule(network)
    settle(network, keeper)
    network.token("CARD-2")
    keeper.refuses = [status]
    settle(network, keeper)
    assert keeper.asked[-2:] == [("Differential", 1), ("Full", 2)]
    assert keeper.values == ["CARD-1", "CARD-2"]


def test_a_whole_list_that_is_refused_is_tried_again_and_says_why(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    rule(network)
    keeper.refuses = ["Failed"]
    there(keeper.station)
    for _round in range(2):
        run(network)
        keeper.work()
    one = list_of(keeper.station)
    assert (one.state, one.error, one.attempts) == ("failed", "Failed", 1)
    assert one.due_at is not None
    assert one.due_at > datetime.now(UTC) + timedelta(seconds=30)
    settle(network, keeper)
    one = list_of(keeper.station)
    assert (one.state, one.error, one.attempts, keeper.values) == ("in_step", "", 0, ["CARD-1"])


@pytest.mark.parametrize("silence", [None, "lost"])
def test_after_silence_the_version_tells_whether_it_was_taken(network: Network, keeper: Keeper, silence: str | None) -> None:
    network.token("CARD-1")
    rule(network)
    settle(network, keeper)
    network.token("CARD-2")
    keeper.refuses, keeper.asked = [silence], []
    settle(network, keeper)
    again = [] if silence is None else [("Differential", 1)]
    assert keeper.asked == [("Differential", 1), ("GetLocalListVersion",), *again]
    assert (keeper.values, list_of(keeper.station).state) == (["CARD-1", "CARD-2"], "in_step")
    assert list_of(keeper.station).version == keeper.version


def test_a_station_that_lost_its_list_gets_it_whole_after_its_boot(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    rule(network)
    settle(network, keeper)
    keeper.version, keeper.entries, keeper.asked = 0, {}, []
    boot(keeper.engine, keeper.station)
    settle(network, keeper)
    assert keeper.asked == [("GetLocalListVersion",), ("Full", 1)]
    keeper.asked.clear()
    boot(keeper.engine, keeper.station)
    settle(network, keeper)
    assert keeper.asked == [("GetLocalListVersion",)]


def test_versions_go_on_above_what_somebody_else_left_there(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    keeper.version = 4711
    rule(network)
    settle(network, keeper)
    assert (keeper.version, keeper.values) == (4712, ["CARD-1"])


def test_a_station_without_lists_is_left_alone_until_it_boots(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    keeper.supports = False
    rule(network)
    settle(network, keeper)
    one = list_of(keeper.station)
    assert (one.state, one.reported_version, one.due_at) == ("unsupported", -1, None)
    keeper.asked.clear()
    network.token("CARD-2")
    settle(network, keeper)
    assert keeper.asked == []
    keeper.supports = True
    boot(keeper.engine, keeper.station)
    settle(network, keeper)
    assert keeper.values == ["CARD-1", "CARD-2"]


def test_an_offline_station_waits_and_is_brought_in_step_when_it_is_back(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    rule(network)
    assert run(network) == 0
    assert keeper.work() == 0
    settle(network, keeper)
    assert keeper.values == ["CARD-1"]


def test_a_new_station_gets_the_list_of_the_network(network: Network, engine: Engine) -> None:
    network.token("CARD-1")
    rule(network)
    keeper = Keeper(engine, connected(network, engine))
    with scopes_disabled():
        locallistwork.keep()
    settle(network, keeper)
    assert keeper.values == ["CARD-1"]


def test_a_blocked_tag_goes_before_everything_else(network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    token = network.token("CARD-1")
    keepers = [Keeper(engine, connected(network, engine)) for _n in range(3)]
    rule(network)
    settle(network, *keepers)
    # However many are under way.
    monkeypatch.setattr(locallistwork, "UNDER_WAY", 0)
    network.token("CARD-2")
    assert run(network) == 0
    change(token, status="Blocked")
    assert run(network) == 3
    for keeper in keepers:
        keeper.work()
        assert keeper.values == ["CARD-2"]


def test_what_a_change_costs_does_not_grow_with_the_tags(network: Network, engine: Engine) -> None:
    """One content for all stations in the same position, and a fixed number of statements for each of them."""

    def statements(stations: int, tags: int) -> int:
        for n in range(tags):
            network.token(f"MORE-{stations}-{n}")
        while len(keepers) < stations:
            keepers.append(Keeper(engine, connected(network, engine)))
        with scopes_disabled():
            localauthlist.assign(operator_id=network.operator.pk, now=datetime.now(UTC))
        settle(network, *keepers)
        change(token, status="Accepted")
        settle(network, *keepers)
        change(token, status="Blocked")
        with CaptureQueriesContext(connection) as seen:
            assert run(network) == stations
        for keeper in keepers:
            keeper.work()
        return len(seen)

    token = network.token("CARD-1")
    keepers: list[Keeper] = []
    rule(network)
    with scope(operator=network.operator):
        few, more, most = statements(1, 3), statements(2, 20), statements(6, 20)
    each = more - few
    assert most == few + 5 * each
    assert each <= 9


def test_a_conflict_that_a_station_tells_brings_the_whole_list(network: Network) -> None:
    engine = Engine("ocpp1.6")
    keeper = Keeper(engine, connected(network, engine))
    network.token("CARD-1")
    rule(network)
    settle(network, keeper)
    engine.say(keeper.station, "StatusNotification", {"connectorId": 0, "status": "Available", "errorCode": "LocalListConflict"})
    settle(network, keeper)
    assert keeper.asked[-1] == ("Full", 1)
    assert "local_list_conflict" in network.findings(keeper.station)


def test_no_command_is_left_when_nothing_differs(network: Network, keeper: Keeper) -> None:
    network.token("CARD-1")
    rule(network)
    settle(network, keeper)
    with scopes_disabled():
        before = Command.objects.filter(station=keeper.station).count()
        run(network)
        assert Command.objects.filter(station=keeper.station).count() == before
        assert LocalList.objects.get(station=keeper.station).due_at is None
    assert keeper.values == wanted(keeper.station)
