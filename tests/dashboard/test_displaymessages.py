"""What a charger shows, on its page: messages, one to add, one to clear, and what it is told of the price."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from stations.models import Command, Connection, DisplayMessage, Station, Variable
from tests.network import Network


@pytest.fixture
def station(network: Network) -> Station:
    station = network.station(accepted=True)
    with scopes_disabled():
        Connection.objects.filter(station=station).update(
            protocol="ocpp2.0.1", connected_at=datetime.now(UTC), seen_at=datetime.now(UTC), disconnected_at=None
        )
    return station


@pytest.fixture
def ada(network: Network, client: Client) -> Client:
    client.force_login(network.user())
    return client


def message(station: Station, number: int, text: str, **more: Any) -> None:
    fields = {"priority": "NormalCycle", "format": "UTF8", "set_at": datetime.now(UTC)} | more
    with scopes_disabled():
        DisplayMessage.objects.create(operator=station.operator, station=station, number=number, content=text, **fields)


def page(client: Client, station: Station, query: str = "") -> str:
    answer = client.get(f"/stations/{station.identity}/?tab=display{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def asked(station: Station) -> list[tuple[str, dict[str, Any]]]:
    with scopes_disabled():
        return [(row.kind, row.params) for row in Command.objects.filter(station=station).order_by("pk")]


def test_the_messages_stand_there_with_what_is_over_apart(ada: Client, station: Station) -> None:
    message(station, 4, "Welcome <b>", state="Idle", language="en")
    message(station, 5, "Closed", removed_at=datetime.now(UTC))
    text = page(ada, station)
    assert "Welcome &lt;b&gt;" in text
    assert text.index("Welcome") < text.index("No longer shown") < text.index("Closed")
    assert "While it is free" in text


def test_a_charger_without_messages_says_so_and_one_of_1_6_why(ada: Client, station: Station) -> None:
    assert "It shows no message of yours" in page(ada, station)
    with scopes_disabled():
        Connection.objects.filter(station=station).update(protocol="ocpp1.6")
    text = page(ada, station)
    assert "In OCPP 1.6 a charger cannot be sent messages" in text
    assert "Add a message" not in text


def test_a_message_is_added_as_a_command(ada: Client, station: Station) -> None:
    form = {"content": "Welcome", "priority": "InFront", "format": "UTF8", "state": "Idle", "end": "2099-01-01T12:00"}
    answer = ada.post(f"/stations/{station.identity}/display/", form)
    assert (answer.status_code, answer["Location"]) == (302, f"/stations/{station.identity}/?tab=display#display-title")
    ((kind, params),) = asked(station)
    assert (kind, params["content"], params["priority"], params["state"]) == ("set_display_message", "Welcome", "InFront", "Idle")
    assert params["end"].startswith("2099-01-01T")
    assert "The charger is being asked" in page(ada, station)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"content": ""}, "This field is required"),
        ({"start": "2099-01-02T12:00", "end": "2099-01-01T12:00"}, "This is before the beginning"),
        ({"format": "HTML"}, "cannot show messages with the format HTML; it can with UTF8"),
    ],
)
def test_what_makes_no_sense_is_said_at_the_form_which_keeps_what_was_typed(
    ada: Client, station: Station, wrong: dict[str, str], why: str
) -> None:
    with scopes_disabled():
        fields = {"operator": station.operator, "component": "DisplayMessageCtrlr", "variable": "SupportedFormats"}
        Variable.objects.create(station=station, value="UTF8", **fields)
    form = {"content": "Welcome", "priority": "InFront", "format": "UTF8"} | wrong
    answer = ada.post(f"/stations/{station.identity}/display/", form)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert '<option value="InFront" selected>' in answer.content.decode()
    assert asked(station) == []


def test_a_message_is_changed_from_what_it_is(ada: Client, station: Station) -> None:
    message(station, 4, "Welcome", priority="AlwaysFront")
    text = page(ada, station, "&replace=4")
    assert "Change a message" in text
    assert '<option value="AlwaysFront" selected>' in text


def test_a_message_of_a_session_that_is_changed_stays_that_sessions(ada: Client, station: Station) -> None:
    where = {"component": "Display", "component_instance": "left", "evse_number": 2, "connector_number": 1}
    message(station, 4, "Welcome", ocpp_transaction_id="tx-1", **where)
    form = {"content": "Bye", "priority": "InFront", "format": "UTF8", "number": "4"}
    ada.post(f"/stations/{station.identity}/display/", form)
    ((_, params),) = asked(station)
    assert (params["transaction"], params["component"], params["evse"], params["number"]) == ("tx-1", "Display", 2, 4)
    assert (params["component_instance"], params["connector"]) == ("left", 1)
    assert "Display left 2/1" in page(ada, station)


def test_a_message_is_cleared_and_all_are_read(ada: Client, station: Station) -> None:
    message(station, 4, "Welcome")
    ada.post(f"/stations/{station.identity}/display/4/clear/")
    ada.post(f"/stations/{station.identity}/display/read/")
    assert [kind for kind, _ in asked(station)] == ["clear_display_message", "get_display_messages"]


def test_who_may_only_look_sees_no_buttons(network: Network, client: Client, station: Station) -> None:
    message(station, 4, "Welcome")
    client.force_login(network.user("ben", role="viewer"))
    text = page(client, station)
    assert "Welcome" in text
    assert "Add a message" not in text
    assert "Clear" not in text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([], "has not said that it shows prices"),
        ([("TariffCostCtrlr", "Enabled", "Tariff")], "is told the price with each authorisation."),
        ([("TariffCostCtrlr", "Enabled", "Cost")], "is told what a session costs while it runs"),
        ([("", "CustomDisplayCostAndPrice", "")], "is told the price when a driver identifies"),
    ],
)
def test_the_page_says_what_the_charger_is_told_of_the_price(
    ada: Client, station: Station, settings: list[tuple[str, str, str]], said: str
) -> None:
    with scopes_disabled():
        for component, variable, instance in settings:
            fields = {"component": component, "variable": variable, "variable_instance": instance, "value": "true"}
            Variable.objects.create(operator=station.operator, station=station, **fields)
    assert said in page(ada, station)


def test_the_number_of_queries_does_not_grow_with_the_messages(
    ada: Client, station: Station, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        message(station, number, "Welcome")
    with django_assert_max_num_queries(25):
        page(ada, station)
