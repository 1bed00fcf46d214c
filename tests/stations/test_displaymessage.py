"""What stations are to show: set, read, replaced, cleared, over by its time, and asked for again after a restart."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django_scopes import scope, scopes_disabled

from stations import showing
from stations.domain.commands import BadCommand
from stations.domain.commands.displaymessage import ClearDisplayMessage, GetDisplayMessages, SetDisplayMessage
from stations.models import Command, DisplayMessage, Station
from stations.services import commandends, displaymessage, registry
from tests import v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, asked, boot, connected, issue, now_of, sent
from tests.stations.monitored import page
from tests.stations.showing import says


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def shown(station: Station) -> dict[int, tuple[str, str]]:
    """The messages by number: what they say, and their status."""
    with scope(operator=station.operator):
        return {one.number: (one.content, one.status) for one in showing.messages().filter(station=station)}


def message(number: int, text: str = "Welcome", **more: Any) -> dict[str, Any]:
    return {"id": number, "priority": "NormalCycle", "message": {"format": "UTF8", "content": text}} | more


def told(engine: Engine, station: Station, request: int, *messages: dict[str, Any], more: bool = False) -> None:
    payload = {"requestId": request, "tbc": more} | ({"messageInfo": list(messages)} if messages else {})
    assert engine.say(station, "NotifyDisplayMessages", payload) == {}


def reading(engine: Engine, station: Station, **params: Any) -> tuple[Command, int]:
    """A reading that the station has agreed to, and its number."""
    row = issue(station, GetDisplayMessages(**params))
    errand = sent(engine, station)
    engine.reply(station, errand, ACCEPTED)
    return row, errand.calls[0]["requestId"]


def test_what_a_station_accepts_is_what_it_shows(engine: Engine, station: Station) -> None:
    row = asked(engine, station, SetDisplayMessage("Welcome", number=4, language="en"))
    assert (row.status, shown(station)) == ("confirmed", {4: ("Welcome", "shown")})


def test_which_of_several_displays_a_message_is_for_is_kept(engine: Engine, station: Station) -> None:
    asked(engine, station, SetDisplayMessage("Left", number=4, component="Display", component_instance="left", evse=2, connector=1))
    _, request = reading(engine, station)
    told(
        engine, station, request, message(5, display={"name": "Display", "instance": "right", "evse": {"id": 2, "connectorId": 3}})
    )
    with scopes_disabled():
        rows = DisplayMessage.objects.filter(station=station).order_by("number")
        found = [(one.component, one.component_instance, one.evse_number, one.connector_number) for one in rows]
    assert found == [("Display", "left", 2, 1), ("Display", "right", 2, 3)]


def test_a_message_without_a_number_gets_one_of_its_own(engine: Engine, station: Station) -> None:
    for text in ("one", "two"):
        asked(engine, station, SetDisplayMessage(text))
    assert {text for text, _ in shown(station).values()} == {"one", "two"}


def test_a_message_takes_the_place_of_the_one_with_its_number(engine: Engine, station: Station) -> None:
    asked(engine, station, SetDisplayMessage("old", number=4, priority="InFront", end="2099-01-01T00:00:00Z"))
    asked(engine, station, SetDisplayMessage("new", number=4))
    with scopes_disabled():
        (only,) = DisplayMessage.objects.filter(station=station)
    assert (only.content, only.priority, only.end_at) == ("new", "NormalCycle", None)


@pytest.mark.parametrize(
    "status", ["Rejected", "NotSupportedPriority", "NotSupportedState", "NotSupportedMessageFormat", "UnknownTransaction"]
)
def test_what_a_station_refuses_changes_nothing(engine: Engine, station: Station, status: str) -> None:
    asked(engine, station, SetDisplayMessage("old", number=4))
    row = asked(engine, station, SetDisplayMessage("new", number=4), {"status": status})
    assert (row.status, row.detail, shown(station)) == ("rejected", status, {4: ("old", "shown")})


def test_a_message_waits_for_its_start_and_is_over_at_its_end(engine: Engine, station: Station) -> None:
    now = datetime.now(UTC)
    later, past = (now + timedelta(hours=1)).isoformat(), (now - timedelta(hours=1)).isoformat()
    asked(engine, station, SetDisplayMessage("soon", number=1, start=later))
    asked(engine, station, SetDisplayMessage("was", number=2, end=past))
    assert shown(station) == {1: ("soon", "waiting"), 2: ("was", "over")}


def test_a_message_of_a_transaction_goes_with_it(engine: Engine, station: Station) -> None:
    engine.say(station, "TransactionEvent", v201.started())
    asked(engine, station, SetDisplayMessage("Your table is ready", number=1, transaction="tx-1"))
    assert shown(station) == {1: ("Your table is ready", "shown")}
    engine.say(station, "TransactionEvent", v201.ended(1, wh=2000))
    assert shown(station) == {1: ("Your table is ready", "over")}
    with pytest.raises(BadCommand, match="has ended already"):
        issue(station, SetDisplayMessage("Too late", transaction="tx-1"))


def test_a_message_that_is_cleared_is_gone_and_so_is_one_the_station_does_not_know(engine: Engine, station: Station) -> None:
    for number in (1, 2, 3):
        asked(engine, station, SetDisplayMessage("x", number=number))
    assert asked(engine, station, ClearDisplayMessage(1)).status == "confirmed"
    assert asked(engine, station, ClearDisplayMessage(2), {"status": "Unknown"}).status == "rejected"
    assert asked(engine, station, ClearDisplayMessage(3), ["InternalError", "no"]).status == "failed"
    assert {number: status for number, (_, status) in shown(station).items()} == {1: "removed", 2: "removed", 3: "shown"}


def test_a_reading_is_done_with_its_last_page_and_what_it_did_not_tell_of_is_gone(engine: Engine, station: Station) -> None:
    for number in (1, 2, 3):
        asked(engine, station, SetDisplayMessage("x", number=number))
    row, request = reading(engine, station)
    told(engine, station, request, message(1), more=True)
    assert now_of(row).status == "accepted"
    told(engine, station, request, message(7, "from the factory", state="Idle"))
    assert now_of(row).status == "confirmed"
    assert shown(station) == {
        1: ("Welcome", "shown"),
        2: ("x", "removed"),
        3: ("x", "removed"),
        7: ("from the factory", "shown"),
    }


def test_pages_that_are_handled_together_are_one_reading(engine: Engine, station: Station) -> None:
    asked(engine, station, SetDisplayMessage("x", number=1))
    row, request = reading(engine, station)
    pages = [
        {"requestId": request, "tbc": True, "messageInfo": [message(1)]},
        {"requestId": request, "messageInfo": [message(2)]},
    ]
    engine.round(*(engine.inbound(station, "NotifyDisplayMessages", page) for page in pages))
    assert (now_of(row).status, shown(station)) == ("confirmed", {1: ("Welcome", "shown"), 2: ("Welcome", "shown")})


def test_a_reading_of_some_says_nothing_of_the_others(engine: Engine, station: Station) -> None:
    asked(engine, station, SetDisplayMessage("x", number=1, priority="InFront"))
    asked(engine, station, SetDisplayMessage("x", number=2))
    _, request = reading(engine, station, priority="InFront")
    told(engine, station, request)
    assert shown(station) == {1: ("x", "removed"), 2: ("x", "shown")}


def test_a_station_that_has_none_of_what_is_asked_for_says_so_and_the_reading_is_done(engine: Engine, station: Station) -> None:
    for number in (1, 2):
        asked(engine, station, SetDisplayMessage("x", number=number))
    row = asked(engine, station, GetDisplayMessages(numbers=[1]), {"status": "Unknown"})
    assert (row.status, row.detail) == ("confirmed", "Unknown")
    assert shown(station) == {1: ("x", "removed"), 2: ("x", "shown")}


def test_a_message_set_while_a_reading_is_under_way_is_not_lost_by_it(engine: Engine, station: Station) -> None:
    _, request = reading(engine, station)
    asked(engine, station, SetDisplayMessage("x", number=1))
    told(engine, station, request)
    assert shown(station) == {1: ("x", "shown")}


@pytest.mark.parametrize("reloaded", [False, True])
def test_pages_that_come_before_the_answer_count(engine: Engine, station: Station, reloaded: bool) -> None:
    for number in (1, 2, 3):
        asked(engine, station, SetDisplayMessage("x", number=number, priority="InFront" if number < 3 else "NormalCycle"))
    row = issue(station, GetDisplayMessages(priority="InFront"))
    errand = sent(engine, station)
    told(engine, station, errand.calls[0]["requestId"], message(1, priority="InFront"))
    if reloaded:
        with scopes_disabled():
            registry.bump(station.pk)
    engine.reply(station, errand, ACCEPTED)
    assert now_of(row).status == "confirmed"
    assert shown(station) == {1: ("Welcome", "shown"), 2: ("x", "removed"), 3: ("x", "shown")}


def test_pages_of_which_only_the_first_came_before_the_answer_count_together(engine: Engine, station: Station) -> None:
    for number in (1, 2, 3):
        asked(engine, station, SetDisplayMessage("x", number=number))
    row = issue(station, GetDisplayMessages())
    errand = sent(engine, station)
    told(engine, station, errand.calls[0]["requestId"], message(1), more=True)
    engine.reply(station, errand, ACCEPTED)
    assert now_of(row).status == "accepted"
    told(engine, station, errand.calls[0]["requestId"], message(2))
    assert now_of(row).status == "confirmed"
    assert {number: status for number, (_, status) in shown(station).items()} == {1: "shown", 2: "shown", 3: "removed"}


LOST = (None, ["InternalError", "no"], ["GenericError", "no"])
CHANGES = (SetDisplayMessage("x", number=1), ClearDisplayMessage(1))


@pytest.mark.parametrize("answer", LOST)
@pytest.mark.parametrize("command", CHANGES)
def test_a_change_of_which_nobody_knows_is_followed_by_a_reading(
    engine: Engine, station: Station, command: SetDisplayMessage | ClearDisplayMessage, answer: Any
) -> None:
    row = asked(engine, station, command, answer)
    errand = sent(engine, station)
    assert (errand.command, row.facts) == (GetDisplayMessages(), {"asked_then": "get_display_messages"})


@pytest.mark.parametrize("command", CHANGES)
def test_a_change_whose_answer_was_lost_with_its_socket_is_followed_by_a_reading(
    engine: Engine, station: Station, command: SetDisplayMessage | ClearDisplayMessage
) -> None:
    row = issue(station, command)
    sent(engine, station)
    with scopes_disabled(), transaction.atomic(), connection.cursor() as cursor:
        commandends.orphan(cursor, [station.pk], now=datetime.now(UTC))
    assert (now_of(row).status, sent(engine, station).command) == ("timed_out", GetDisplayMessages())


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, ["NotSupported", "no"], ACCEPTED])
def test_a_change_that_was_answered_is_not(engine: Engine, station: Station, answer: Any) -> None:
    asked(engine, station, SetDisplayMessage("x", number=1), answer)
    assert engine.claim(station) == []


def test_pages_that_nobody_asked_for_are_kept_and_remove_nothing(engine: Engine, station: Station) -> None:
    asked(engine, station, SetDisplayMessage("x", number=1))
    told(engine, station, 99, message(2))
    assert shown(station) == {1: ("x", "shown"), 2: ("Welcome", "shown")}


def test_a_station_with_a_display_is_asked_after_a_restart_what_it_still_shows(engine: Engine, station: Station) -> None:
    boot(engine, station)
    assert engine.claim(station) == []
    says(engine, station, DisplayMessageCtrlr__Available="true")
    boot(engine, station)
    errand = sent(engine, station)
    assert (errand.action, errand.command) == ("GetDisplayMessages", GetDisplayMessages())


@pytest.mark.parametrize(
    ("setting", "wrong", "right", "why"),
    [
        ({"DisplayMessageCtrlr__Available": "false"}, {}, None, "no display"),
        (
            {"DisplayMessageCtrlr__SupportedPriorities": "NormalCycle,InFront"},
            {"priority": "AlwaysFront"},
            {"priority": "InFront"},
            "cannot show messages with the priority AlwaysFront; it can with NormalCycle, InFront",
        ),
        (
            {"DisplayMessageCtrlr__SupportedFormats": "ASCII,UTF8"},
            {"format": "HTML"},
            {"format": "ASCII"},
            "cannot show messages with the format HTML",
        ),
        (
            {"DisplayMessageCtrlr__SupportedStates": "Idle"},
            {"state": "Faulted"},
            {"state": "Idle"},
            "cannot show messages with the state Faulted",
        ),
    ],
)
def test_what_a_station_says_it_cannot_show_is_not_asked(
    engine: Engine, station: Station, setting: dict[str, str], wrong: dict[str, str], right: dict[str, str] | None, why: str
) -> None:
    says(engine, station, **setting)
    with pytest.raises(BadCommand, match=why):
        issue(station, SetDisplayMessage("Hello", **wrong))
    if right is not None:
        assert issue(station, SetDisplayMessage("Hello", **right)).status == "queued"


def keeps(engine: Engine, station: Station, name: str, most: int | None, now: str = "0", **more: Any) -> None:
    """The station says how many messages it has, and how many it may have."""
    number = {"dataType": "integer", "supportsMonitoring": False} | ({} if most is None else {"maxLimit": most})
    variable = {"component": {"name": "DisplayMessageCtrlr"}, "variable": {"name": name}, "variableCharacteristics": number}
    told = variable | {"variableAttribute": [{"value": now, "mutability": "ReadOnly"}]} | more
    engine.say(station, "NotifyReport", page(1, 0, last=True, reportData=[told]))


COUNTED = ("DisplayMessages", "NumberOfDisplayMessages")


@pytest.mark.parametrize("name", COUNTED)
def test_how_many_messages_a_station_has_is_no_bound(engine: Engine, station: Station, name: str) -> None:
    keeps(engine, station, name, None, now="1")
    asked(engine, station, SetDisplayMessage("one"))
    assert issue(station, SetDisplayMessage("two")).status == "queued"
    assert issue(station, GetDisplayMessages(numbers=[1, 2])).status == "queued"


@pytest.mark.parametrize("name", COUNTED)
def test_a_station_is_asked_for_no_more_messages_at_once_than_it_keeps(engine: Engine, station: Station, name: str) -> None:
    keeps(engine, station, name, 2)
    with pytest.raises(BadCommand, match="numbers must name 1 to 2 messages"):
        issue(station, GetDisplayMessages(numbers=[1, 2, 3]))
    assert issue(station, GetDisplayMessages(numbers=[1, 2])).status == "queued"
    assert issue(station, GetDisplayMessages()).status == "queued"


@pytest.mark.parametrize("name", COUNTED)
def test_a_station_gets_no_more_messages_than_it_keeps(engine: Engine, station: Station, name: str) -> None:
    keeps(engine, station, name, 2)
    for number in (1, 2):
        asked(engine, station, SetDisplayMessage("x", number=number))
    with pytest.raises(BadCommand, match="keeps 2 messages at most"):
        issue(station, SetDisplayMessage("one too many"))
    assert issue(station, SetDisplayMessage("in its place", number=2)).status == "queued"


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"content": ""}, "content must be a text of 1 to 512 characters"),
        ({"content": "x" * 513}, "content must be a text of 1 to 512 characters"),
        ({"content": "x", "priority": "High"}, "priority must be one of AlwaysFront, InFront, NormalCycle"),
        ({"content": "x", "format": "QRCODE"}, "format must be one of"),
        ({"content": "x", "state": "Sleeping"}, "state must be one of"),
        ({"content": "x", "number": 2**31}, "number must be a whole number from 0 to"),
        ({"content": "x", "language": "x" * 9}, "language must be a tag of at most 8 characters"),
        ({"content": "x", "start": "tomorrow"}, "start must be a time with its zone"),
        ({"content": "x", "start": "2030-01-01T00:00:00Z", "end": "2030-01-01T00:00:00Z"}, "start must be before end"),
        ({"content": "x", "evse": 1}, "name its component too"),
        ({"content": "x", "component_instance": "left"}, "name its component too"),
        ({"content": "x", "component": "Display", "connector": 1}, "connector needs an evse"),
    ],
)
def test_a_message_that_makes_no_sense_is_refused_with_the_reason(params: dict[str, Any], why: str) -> None:
    with pytest.raises(BadCommand, match=why):
        SetDisplayMessage.of(params)


def test_what_was_over_long_ago_is_deleted_and_what_is_shown_is_not(engine: Engine, station: Station) -> None:
    asked(engine, station, SetDisplayMessage("x", number=1))
    asked(engine, station, SetDisplayMessage("x", number=2))
    asked(engine, station, ClearDisplayMessage(2))
    with scopes_disabled():
        DisplayMessage.objects.filter(station=station).update(set_at=datetime.now(UTC) - displaymessage.KEPT * 2)
        assert displaymessage.let_go(now=datetime.now(UTC)) == 1
    assert list(shown(station)) == [1]
