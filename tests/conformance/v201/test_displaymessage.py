"""O: what the station shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django_scopes import scopes_disabled

from stations.models import DisplayMessage
from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201

LATER, SOON = ((datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ") for hours in (2, 1))


def shown(api: Api, station: Station201, number: int) -> Any:
    return api.one(station, "display-messages/", number=number)


def set_message(api: Api, station: Station201, status: str = "Accepted", **params: Any) -> tuple[int, Any]:
    """A message that the station was asked to show and what it was asked: the command, and `message` of the CALL."""
    asked = api.command(station, "set_display_message", {"content": "Welcome", "number": 4} | params)
    told = station.expect("SetDisplayMessage")["message"]
    station.answer(status=status)
    api.becomes(asked, "confirmed" if status == "Accepted" else "rejected")
    return asked, told


def its_end_has_come(station: Station201) -> None:
    """What the station shows was to be shown until now."""
    with scopes_disabled():
        assert DisplayMessage.objects.filter(station__identity=station.identity).update(end_at=datetime.now(UTC)) == 1


def message(number: int, content: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "priority": "NormalCycle", "message": {"format": "UTF8", "content": content}} | more


def read(api: Api, station: Station201, *messages: Any, **params: Any) -> Any:
    """A reading that the station answers with these messages, a page each: the payload of the CALL."""
    asked = api.command(station, "get_display_messages", params)
    told = station.expect("GetDisplayMessages")
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    for place, one in enumerate(messages, start=1):
        page = {"requestId": told["requestId"], "messageInfo": [one], "tbc": place < len(messages)}
        assert station.call("NotifyDisplayMessages", page) == {}
    api.becomes(asked, "confirmed")
    return told


@case("2.0.1", "TC_O_01_CSMS", requirement="OCPP 2.0.1 O01")
def test_set_display_message(station: Station201, api: Api) -> None:
    _, told = set_message(api, station, language="en")
    assert told == {
        **{"id": 4, "priority": "NormalCycle"},
        "message": {"format": "UTF8", "language": "en", "content": "Welcome"},
    }
    row = shown(api, station, 4)
    assert (row["content"], row["language"], row["status"]) == ("Welcome", "en", "shown")


@case("2.0.1", "TC_O_02_CSMS", requirement="OCPP 2.0.1 O03")
def test_get_all_display_messages(station: Station201, api: Api) -> None:
    set_message(api, station)
    told = read(api, station, message(4, "Welcome"), message(5, "From the factory"))
    assert set(told) == {"requestId"}
    assert {row["number"]: row["content"] for row in api.of(station, "display-messages/")} == {4: "Welcome", 5: "From the factory"}


@case("2.0.1", "TC_O_03_CSMS", requirement="OCPP 2.0.1 O03")
def test_get_all_display_messages_of_none(station: Station201, api: Api) -> None:
    set_message(api, station)
    asked = api.command(station, "get_display_messages")
    station.expect("GetDisplayMessages")
    station.answer(status="Unknown")
    assert api.becomes(asked, "confirmed")["detail"] == "Unknown"
    assert shown(api, station, 4)["status"] == "removed"


@case("2.0.1", "TC_O_04_CSMS", requirement="OCPP 2.0.1 O05")
def test_clear_display_message(station: Station201, api: Api) -> None:
    set_message(api, station)
    asked = api.command(station, "clear_display_message", {"number": 4})
    station.expect("ClearDisplayMessage", id=4)
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    assert shown(api, station, 4)["status"] == "removed"


@case("2.0.1", "TC_O_05_CSMS", requirement="OCPP 2.0.1 O05")
def test_clear_display_message_that_is_unknown(station: Station201, api: Api) -> None:
    set_message(api, station)
    asked = api.command(station, "clear_display_message", {"number": 9})
    station.expect("ClearDisplayMessage", id=9)
    station.answer(status="Unknown")
    assert api.becomes(asked, "rejected")["detail"] == "Unknown"
    assert shown(api, station, 4)["status"] == "shown"


@case("2.0.1", "TC_O_06_CSMS", requirement="OCPP 2.0.1 O02")
def test_set_display_message_for_a_transaction(station: Station201, api: Api) -> None:
    events = station.transaction()
    events.started("CablePluggedIn")
    _, told = set_message(api, station, transaction=events.id)
    assert told["transactionId"] == events.id
    assert (shown(api, station, 4)["transaction"], shown(api, station, 4)["status"]) == (events.id, "shown")
    events.ended("EVCommunicationLost")
    assert shown(api, station, 4)["status"] == "over"


@case("2.0.1", "TC_O_07_CSMS", requirement="OCPP 2.0.1 O04")
def test_get_a_display_message_by_id(station: Station201, api: Api) -> None:
    set_message(api, station)
    set_message(api, station, number=5)
    told = read(api, station, message(5, "As the station has it"), numbers=[5])
    assert told["id"] == [5]
    assert (shown(api, station, 5)["content"], shown(api, station, 4)["status"]) == ("As the station has it", "shown")


@case("2.0.1", "TC_O_08_CSMS", requirement="OCPP 2.0.1 O04")
def test_get_display_messages_by_priority(station: Station201, api: Api) -> None:
    set_message(api, station)
    told = read(api, station, message(5, "First", priority="InFront"), priority="InFront")
    assert told["priority"] == "InFront"
    assert (shown(api, station, 5)["priority"], shown(api, station, 4)["status"]) == ("InFront", "shown")


@case("2.0.1", "TC_O_09_CSMS", requirement="OCPP 2.0.1 O04")
def test_get_display_messages_by_state(station: Station201, api: Api) -> None:
    set_message(api, station)
    told = read(api, station, message(5, "Broken", state="Faulted"), state="Faulted")
    assert told["state"] == "Faulted"
    assert (shown(api, station, 5)["state"], shown(api, station, 4)["status"]) == ("Faulted", "shown")


@case("2.0.1", "TC_O_10_CSMS", requirement="OCPP 2.0.1 O02")
def test_set_display_message_for_an_unknown_transaction(station: Station201, api: Api) -> None:
    asked, told = set_message(api, station, "UnknownTransaction", transaction="nobody-knows-it")
    assert told["transactionId"] == "nobody-knows-it"
    assert api.get(f"commands/{asked}/")["detail"] == "UnknownTransaction"
    assert api.of(station, "display-messages/") == []


@case("2.0.1", "TC_O_11_CSMS", requirement="OCPP 2.0.1 O04")
def test_get_display_messages_that_are_unknown(station: Station201, api: Api) -> None:
    set_message(api, station)
    asked = api.command(station, "get_display_messages", {"numbers": [9], "priority": "InFront", "state": "Idle"})
    told = station.expect("GetDisplayMessages", id=[9], priority="InFront", state="Idle")
    assert told["requestId"] > 0
    station.answer(status="Unknown")
    assert api.becomes(asked, "confirmed")["detail"] == "Unknown"
    assert shown(api, station, 4)["status"] == "shown"


@case("2.0.1", "TC_O_12_CSMS", requirement="OCPP 2.0.1 O06")
def test_replace_a_display_message(station: Station201, api: Api) -> None:
    set_message(api, station)
    first = shown(api, station, 4)
    set_message(api, station, content="Closed today", priority="AlwaysFront")
    row = shown(api, station, 4)
    assert (row["id"], row["content"], row["priority"]) == (first["id"], "Closed today", "AlwaysFront")


@case("2.0.1", "TC_O_13_CSMS", requirement="OCPP 2.0.1 O01")
def test_show_a_message_from_its_start(station: Station201, api: Api) -> None:
    _, told = set_message(api, station, start=LATER)
    assert told["startDateTime"] == LATER
    row = shown(api, station, 4)
    assert (row["status"], datetime.fromisoformat(row["start_at"])) == ("waiting", datetime.fromisoformat(LATER))


@case("2.0.1", "TC_O_14_CSMS", requirement="OCPP 2.0.1 O01")
def test_remove_a_message_after_its_end(station: Station201, api: Api) -> None:
    _, told = set_message(api, station, end=SOON)
    assert told["endDateTime"] == SOON
    assert shown(api, station, 4)["status"] == "shown"
    its_end_has_come(station)
    assert shown(api, station, 4)["status"] == "over"


def unsupported(api: Api, station: Station201, status: str, what: str, **params: Any) -> None:
    """A station that says nothing of what it can is asked, and refuses; what it refused is not shown."""
    asked, _ = set_message(api, station, status, **params)
    assert api.get(f"commands/{asked}/")["detail"] == status
    assert api.of(station, "display-messages/") == []
    _limited(station)
    body = {"command": "set_display_message", "params": {"content": "Hello"} | params}
    refused = api.post(f"stations/{station.identity}/commands/", body, status=400)
    assert what in refused["detail"]


def _limited(station: Station201) -> None:
    """It says what it can show."""
    supported = {"SupportedPriorities": "NormalCycle", "SupportedStates": "Idle", "SupportedFormats": "UTF8"}
    data = [
        {"component": {"name": "DisplayMessageCtrlr"}, "variable": {"name": name}, "variableAttribute": [{"value": value}]}
        for name, value in supported.items()
    ]
    station.call("NotifyReport", requestId=1, generatedAt="2026-11-21T10:00:00Z", seqNo=0, reportData=data)


@case("2.0.1", "TC_O_17_CSMS", requirement="OCPP 2.0.1 O01")
def test_a_priority_that_is_not_supported(station: Station201, api: Api) -> None:
    unsupported(api, station, "NotSupportedPriority", "the priority AlwaysFront", priority="AlwaysFront")


@case("2.0.1", "TC_O_18_CSMS", requirement="OCPP 2.0.1 O01")
def test_a_state_that_is_not_supported(station: Station201, api: Api) -> None:
    unsupported(api, station, "NotSupportedState", "the state Faulted", state="Faulted")


@case("2.0.1", "TC_O_19_CSMS", requirement="OCPP 2.0.1 O01")
def test_a_format_that_is_not_supported(station: Station201, api: Api) -> None:
    unsupported(api, station, "NotSupportedMessageFormat", "the format HTML", format="HTML")


@case("2.0.1", "TC_O_25_CSMS", requirement="OCPP 2.0.1 O01")
def test_show_a_message_in_a_state(station: Station201, api: Api) -> None:
    for number, state in enumerate(("Charging", "Faulted", "Idle", "Unavailable")):
        _, told = set_message(api, station, number=number, state=state)
        assert told["state"] == state
        assert shown(api, station, number)["state"] == state


@case("2.0.1", "TC_O_26_CSMS", requirement="OCPP 2.0.1 O01")
def test_a_message_that_is_rejected(station: Station201, api: Api) -> None:
    set_message(api, station)
    asked, _ = set_message(api, station, "Rejected", content="Closed today")
    assert api.get(f"commands/{asked}/")["detail"] == "Rejected"
    assert shown(api, station, 4)["content"] == "Welcome"


@case("2.0.1", "TC_O_27_CSMS", requirement="OCPP 2.0.1 O02")
def test_show_a_message_of_a_transaction_from_its_start(station: Station201, api: Api) -> None:
    events = station.transaction()
    events.started("CablePluggedIn")
    _, told = set_message(api, station, transaction=events.id, start=SOON)
    assert (told["transactionId"], told["startDateTime"]) == (events.id, SOON)
    assert shown(api, station, 4)["status"] == "waiting"


@case("2.0.1", "TC_O_28_CSMS", requirement="OCPP 2.0.1 O02")
def test_remove_a_message_of_a_transaction_after_its_end(station: Station201, api: Api) -> None:
    events = station.transaction()
    events.started("CablePluggedIn")
    _, told = set_message(api, station, transaction=events.id, end=SOON)
    assert (told["transactionId"], told["endDateTime"]) == (events.id, SOON)
    assert shown(api, station, 4)["status"] == "shown"
    its_end_has_come(station)
    assert shown(api, station, 4)["status"] == "over"
    assert api.transaction(station)["status"] == "active"
