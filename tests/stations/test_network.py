"""Network profiles and the move to another one, over a station that speaks a version that has them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_scopes import scope, scopes_disabled

from stations.domain.commands import BadCommand, SetNetworkProfile
from stations.models import Command, Connection, NetworkMove, NetworkProfile, Station, Variable
from stations.services import commandends, networkmoves
from stations.services import commands as life
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, asked, boot, connected, issue, now_of, sent

SECRETS = {
    "apn": {"apn": "internet", "authentication": "PAP", "user": "u", "password": "s3cret-apn", "pin": "4711"},
    "vpn": {"server": "vpn.example.com", "user": "u", "password": "s3cret-vpn", "key": "s3cret-key", "type": "IPSec"},
}


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    station = connected(network, engine)
    with scopes_disabled():
        about = {"component": "OCPPCommCtrlr", "variable": "NetworkConfigurationPriority", "value": "1,2"}
        Variable.objects.create(operator=station.operator, station=station, **about)
    return station


def profile(**fields: Any) -> SetNetworkProfile:
    return SetNetworkProfile(**{"slot": 3, "url": "wss://other.example.com/ocpp", "security_profile": 2} | fields)


def profiles(station: Station) -> list[NetworkProfile]:
    with scopes_disabled():
        return list(NetworkProfile.objects.filter(station=station))


def the(station: Station) -> NetworkMove:
    with scopes_disabled():
        return NetworkMove.objects.filter(station=station).latest("id")


def advance(after: timedelta = timedelta(minutes=1)) -> None:
    now = datetime.now(UTC) + after
    with scopes_disabled():
        NetworkMove.objects.update(due_at=now)
        networkmoves.advance(now=now)


def test_what_the_station_took_stands_in_its_slot(engine: Engine, station: Station) -> None:
    asked(engine, station, profile())
    asked(engine, station, profile(slot=4, interface="Wireless0"), {"status": "Rejected"})
    asked(engine, station, profile(url="wss://new.example.com/ocpp"))
    (one,) = profiles(station)
    assert (one.slot, one.url, one.security_profile, one.interface) == (3, "wss://new.example.com/ocpp", 2, "Wired0")


def test_secrets_are_sealed_until_they_are_said_and_then_forgotten(network: Network, engine: Engine, station: Station) -> None:
    row = issue(station, profile(**SECRETS), raw={"action": "SetNetworkProfile", "payload": {"password": "s3cret"}})
    assert "s3cret" not in str(now_of(row).params) + str(now_of(row).facts)
    errand = sent(engine, station)
    data = errand.calls[0]["connectionData"]
    assert (data["apn"]["apnPassword"], data["apn"]["simPin"], data["vpn"]["key"]) == ("s3cret-apn", 4711, "s3cret-key")
    engine.reply(station, errand, ACCEPTED)
    (one,) = profiles(station)
    assert one.vpn == {"server": "vpn.example.com", "user": "u", "password": "***", "key": "***", "type": "IPSec"}
    for told in (now_of(row).params, one.apn, one.vpn, [entry.call for entry in network.log(station)]):
        assert "s3cret" not in str(told)
        assert "4711" not in str(told)


def test_the_security_profile_is_never_lowered(engine: Engine, station: Station) -> None:
    with scopes_disabled():
        Station.objects.filter(pk=station.pk).update(security_profile=2)
        station.refresh_from_db()
    with pytest.raises(BadCommand, match=r"security_profile 1 is lower than that of .*, which is 2"):
        issue(station, profile(url="ws://x.example.com/", security_profile=1))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "https://x.example.com/"}, "url must be an address"),
        ({"url": "wss://ada:pw@x.example.com/"}, "url must be an address"),
        ({"url": "ws://x.example.com/"}, "url must begin with wss://"),
        ({"interface": "WiFi"}, "interface must be one of Wired0"),
        ({"slot": -1}, "slot must be a whole number from 0"),
        ({"apn": {"apn": "x"}}, "apn needs authentication"),
        ({"apn": {"apn": "x", "authentication": "NONE", "pin": "12a4"}}, r"apn\.pin must be digits"),
        ({"vpn": {"server": "x", "user": "u", "password": "p", "key": "k", "type": "SSH"}}, r"vpn\.type must be one of"),
        ({"vpn": {"tunnel": "x"}}, "vpn has no tunnel"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(BadCommand, match=said):
        SetNetworkProfile.of({"slot": 1, "url": "wss://x.example.com/", "security_profile": 2} | fields)


# Moving


def start(station: Station, **options: Any) -> NetworkMove:
    with scope(operator=station.operator):
        return networkmoves.start(station=station, profile=profile(), **options)


def led(engine: Engine, station: Station, **options: Any) -> NetworkMove:
    """A move whose station has agreed to restart."""
    start(station, **options)
    for action, status in (("SetNetworkProfile", "profile"), ("SetVariables", "priority"), ("Reset", "restart")):
        assert the(station).status == status
        errand = sent(engine, station)
        assert errand.action == action
        if action == "SetVariables":
            (one,) = errand.calls[0]["setVariableData"]
            assert one["attributeValue"] == "3,1,2"
            result = {"component": one["component"], "variable": one["variable"], "attributeStatus": "Accepted"}
            engine.reply(station, errand, {"setVariableResult": [result]})
            after = sent(engine, station)  # settings are read again
            result = result | {"attributeValue": "3,1,2"}
            engine.reply(station, after, {"getVariableResult": [result]})
        else:
            engine.reply(station, errand, ACCEPTED)
        advance()
    assert the(station).status == "watching"
    return the(station)


def gone(station: Station) -> None:
    with scopes_disabled():
        now = datetime.now(UTC)
        Connection.objects.filter(station=station).update(disconnected_at=now, seen_at=now)


def back(engine: Engine, station: Station, slot: str = "3") -> None:
    """It is back, and tells by which slot."""
    engine.connect(station)
    boot(engine, station)
    advance()
    assert the(station).status == "watching"
    errand = sent(engine, station)
    (named,) = errand.calls[0]["getVariableData"]
    assert (named["component"], named["variable"]) == ({"name": "OCPPCommCtrlr"}, {"name": "ActiveNetworkProfile"})
    told = {"attributeStatus": "Accepted", "attributeValue": slot} if slot else {"attributeStatus": "UnknownVariable"}
    engine.reply(station, errand, {"getVariableResult": [named | told]})
    advance()


@pytest.mark.parametrize(
    ("away", "slot", "status", "came_by", "said"),
    [
        (False, "3", "arrived", 3, "by the slot it was led to"),
        (False, "1", "returned", 1, "fell back on another slot"),
        (False, "", "arrived", None, "by which slot is not known"),
        (False, "the third", "arrived", None, "by which slot is not known"),
        (True, "1", "returned", 1, "fell back on another slot"),
        (True, "", "returned", None, "could not use the new address"),
    ],
)
def test_a_station_that_comes_back_is_asked_by_which_slot(
    engine: Engine, station: Station, away: bool, slot: str, status: str, came_by: int | None, said: str
) -> None:
    led(engine, station, away=away)
    gone(station)
    advance()
    assert the(station).status == "watching"
    back(engine, station, slot)
    move = the(station)
    assert (move.status, move.came_by, move.finished_at is not None) == (status, came_by, True)
    assert said in move.detail
    assert engine.claim(station) == [], "it is asked once"
    if came_by is not None:
        with scopes_disabled():
            assert networkmoves.active_slot(station) == slot, "what its page shows"


def test_one_that_is_gone_again_before_it_told_its_slot_is_not_waited_for_long(engine: Engine, station: Station) -> None:
    led(engine, station)
    engine.connect(station)
    boot(engine, station)
    advance()
    gone(station)
    with scopes_disabled():
        commandends.sweep(now=datetime.now(UTC) + networkmoves.AWAY + timedelta(minutes=2))
    advance()
    assert (the(station).status, the(station).detail) == ("arrived", networkmoves.NO_SLOT)


@pytest.mark.parametrize(("away", "status"), [(False, "lost"), (True, "gone")])
def test_a_station_that_does_not_come_back_is_somewhere_else(engine: Engine, station: Station, away: bool, status: str) -> None:
    led(engine, station, away=away)
    gone(station)
    advance(networkmoves.AWAY + timedelta(minutes=1))
    assert the(station).status == status


def test_one_that_has_not_left_yet_is_waited_for(engine: Engine, station: Station) -> None:
    led(engine, station)
    with scopes_disabled():
        Connection.objects.filter(station=station).update(seen_at=datetime.now(UTC) + timedelta(minutes=10))
    advance(networkmoves.AWAY + timedelta(minutes=1))
    assert the(station).status == "watching"


def test_a_refused_step_ends_it_and_says_which(engine: Engine, station: Station) -> None:
    start(station)
    engine.reply(station, sent(engine, station), {"status": "Failed"})
    advance()
    assert (the(station).status, the(station).detail) == (
        "failed",
        "Storing the profile: Failed. The charger stays with what it has.",
    )
    assert engine.claim(station) == []


def test_the_way_back_is_the_order_before(engine: Engine, station: Station) -> None:
    move = led(engine, station)
    back(engine, station)
    with scope(operator=station.operator):
        again = networkmoves.go_back(move=NetworkMove.objects.select_related("station").get(pk=move.pk))
    assert (again.priority, again.slot, again.back, again.status) == ("1,2", 1, True, "priority")
    assert sent(engine, station).calls[0]["setVariableData"][0]["attributeValue"] == "1,2"


def test_a_profile_that_it_has_needs_not_be_stored_again(engine: Engine, station: Station) -> None:
    asked(engine, station, profile(slot=2))
    with scope(operator=station.operator):
        with pytest.raises(BadCommand, match="has no profile in slot 9"):
            networkmoves.use(station=station, slot=9)
        networkmoves.use(station=station, slot=2)
    assert sent(engine, station).calls[0]["setVariableData"][0]["attributeValue"] == "2,1"


def test_a_station_is_on_one_way_at_a_time_and_it_can_be_given_up(engine: Engine, station: Station) -> None:
    move = start(station)
    with pytest.raises(BadCommand, match="is on its way to a profile already"):
        start(station)
    with scope(operator=station.operator):
        assert networkmoves.give_up(move=move)
        assert not networkmoves.give_up(move=move)
    assert (the(station).status, now_of(Command.objects.with_scopes_disabled().get(station=station)).status) == (
        "cancelled",
        "cancelled",
    )


def test_without_the_order_before_there_is_no_way_back_so_it_is_not_begun(engine: Engine, station: Station) -> None:
    with scopes_disabled():
        Variable.objects.filter(station=station).delete()
    with pytest.raises(BadCommand, match=r"The order of the slots of .* is not known, so there is no way back"):
        start(station)


@pytest.mark.parametrize("order", ["[1,2]", "1;2", ",1", "1," * 200 + "2"])
def test_an_order_that_is_no_list_of_numbers_is_no_way_back_either(engine: Engine, station: Station, order: str) -> None:
    with scopes_disabled():
        Variable.objects.filter(station=station).update(value=order)
    with pytest.raises(BadCommand, match="which is no list of numbers, so there is no way back"):
        start(station)


def test_one_that_cannot_be_looked_at_keeps_no_other_waiting(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, issued = connected(network, engine), life.issue
    with scopes_disabled():
        Variable.objects.create(
            operator=odd.operator, station=odd, component="OCPPCommCtrlr", variable="NetworkConfigurationPriority", value="1"
        )
    for one in (odd, station):
        start(one)
        engine.reply(one, sent(engine, one), ACCEPTED)

    def fails_for_one(*, station: Station, **options: Any) -> Command:
        if station.pk == odd.pk:
            raise RuntimeError("nobody thought of this")
        return issued(station=station, **options)

    monkeypatch.setattr(life, "issue", fails_for_one)
    advance()
    assert (the(station).status, the(odd).status) == ("priority", "profile")
    assert the(odd).due_at > the(station).due_at
    with scopes_disabled():
        NetworkMove.objects.filter(station=odd).update(created_at=datetime.now(UTC) - timedelta(days=2))
    advance()
    assert (the(odd).status, the(odd).detail) == ("failed", networkmoves.UNSEEN)
    assert the(odd).finished_at is not None
