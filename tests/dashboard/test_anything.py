"""Ask anything: any message of a charger's version, filled in from its schema, told by path what is wrong with it."""

import html
import json
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from stations.models import Command, Station
from tests.dashboard.rows import seen
from tests.network import Network


@pytest.fixture
def station(amber: Network) -> Station:
    one = amber.station(accepted=True)
    seen(one, protocol="ocpp2.0.1")
    return one


def send(browser: Client, station: Station, action: str, payload: Any, **data: str) -> Any:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    given = {"action": action, "payload": text, "sure": station.identity} | data
    return browser.post(f"/stations/{station.identity}/ask/", given)


def commands() -> list[Command]:
    with scopes_disabled():
        return list(Command.objects.order_by("id"))


def test_what_a_message_needs_is_filled_in(ada: Client, station: Station) -> None:
    page = ada.get(f"/stations/{station.identity}/?tab=commands").content.decode()
    assert f'href="/stations/{station.identity}/ask/"' in page
    page = html.unescape(ada.get(f"/stations/{station.identity}/ask/?action=UnlockConnector").content.decode())
    assert '{\n  "evseId": 0,\n  "connectorId": 0\n}' in page
    page = ada.get(f"/stations/{station.identity}/ask/?action=Reset").content.decode()
    assert "<code>evseId</code>" in page
    assert "<option>TransactionEvent" not in page


def test_it_is_sent_as_it_is_written(ada: Client, station: Station) -> None:
    answer = send(ada, station, "Reset", {"type": "OnIdle", "customData": {"vendorId": "x"}}, reason="A try")
    (row,) = commands()
    assert answer["Location"] == f"/stations/{station.identity}/?tab=commands#command-{row.pk}"
    assert (row.kind, row.params["when"], row.reason) == ("reset", "idle", "A try")
    assert row.facts["raw"] == {"action": "Reset", "payload": {"type": "OnIdle", "customData": {"vendorId": "x"}}}


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("{", "This is not JSON: line 1"),
        ({}, "lacks the required property 'type'"),
        ({"type": "Now"}, "type is none of the values allowed"),
        ({"type": "OnIdle", "evseId": "one"}, "evseId must be of type integer"),
        ({"type": "OnIdle", "colour": "100%s"}, "colour"),
        ([], "must be of type object"),
        ('{"type": "OnIdle", "customData": {"vendorId": "a\\u0000b"}}', "NUL character"),
        ('{"type": "OnIdle", "customData": {"vendorId": "a", "x": ' + "[" * 40 + "]" * 40 + "}}", "nested deeper than 32 levels"),
    ],
)
def test_what_breaks_the_schema_is_told_by_its_path(ada: Client, station: Station, payload: Any, said: str) -> None:
    answer = send(ada, station, "Reset", payload)
    assert answer.status_code == 422
    assert said in html.unescape(answer.content.decode())
    assert commands() == []


def test_what_makes_no_sense_and_what_is_not_confirmed_is_not_sent(ada: Client, station: Station) -> None:
    answer = send(ada, station, "RequestStopTransaction", {"transactionId": "nonsense"})
    assert answer.status_code == 422
    assert "has no transaction nonsense" in answer.content.decode()
    assert send(ada, station, "ClearCache", {}, sure="yes").status_code == 422
    assert commands() == []


def test_nobody_sends_more_than_their_role_may(amber: Network, ben: Client, cleo: Client, station: Station) -> None:
    assert ben.get(f"/stations/{station.identity}/ask/").status_code == 403
    assert send(ben, station, "ClearCache", {}).status_code == 403
    assert send(cleo, station, "ClearCache", {}).status_code == 404
    assert commands() == []


def test_of_a_charger_that_never_connected_the_version_is_not_known(ada: Client, amber: Network) -> None:
    one = amber.station()
    assert "Its version of OCPP is not known" in ada.get(f"/stations/{one.identity}/ask/").content.decode()


def test_a_local_controller_and_a_key_are_said_on_the_chargers_page(ada: Client, ben: Client, amber: Network) -> None:
    controller, first = amber.station(), amber.station()
    path = f"/stations/{first.identity}/"
    page = ada.post(f"{path}controller/", {"controller": controller.identity}, follow=True).content.decode()
    assert f"The local controller {controller.identity} relays it" in page
    assert "the charger behind it does, too" in ada.get(f"/stations/{controller.identity}/").content.decode()
    assert "There is no charger NOBODY" in ada.post(f"{path}controller/", {"controller": "NOBODY"}, follow=True).content.decode()
    assert "in PEM is needed" in ada.post(f"{path}signing-key/", {"signing_key": "x"}, follow=True).content.decode()
    assert "is behind no local controller" in ada.post(f"{path}controller/", {"controller": ""}, follow=True).content.decode()
    assert ben.post(f"{path}controller/", {"controller": ""}).status_code == 403


def test_a_key_that_cannot_be_read_stands_in_its_field_again_beside_the_reason(ada: Client, amber: Network) -> None:
    station = amber.station()
    path = f"/stations/{station.identity}/"
    key = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ\n-----END PUBLIC KEY-----"
    answer = ada.post(f"{path}signing-key/", {"signing_key": key})
    page = answer.content.decode()
    assert (answer.status_code, "in PEM is needed" in page, "MFkwEwYHKoZIzj0CAQ" in page) == (422, True, True)
    answer = ada.post(f"{path}controller/", {"controller": "AMBER-TYPO"})
    assert (answer.status_code, 'value="AMBER-TYPO"' in answer.content.decode()) == (422, True)
