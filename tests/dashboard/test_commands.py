"""Asking a charger for something: the forms, what they issue, and the four dots."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django_scopes import scope

from csms.dashboard import fragments
from csms.dashboard.access import rights_of
from csms.dashboard.asking import ASKS
from csms.dashboard.commandrows import CommandRow
from stations.domain import commands
from stations.models import Command, Station
from stations.services import commands as life
from tests.dashboard.conftest import browser_of
from tests.dashboard.rows import plug, seen, session
from tests.network import Network


def send(browser: Client, station: Station, **fields: str) -> Any:
    return browser.post(reverse("send_command", args=[station.identity]), fields)


def asked(station: Station) -> list[tuple[str, dict[str, Any]]]:
    return [(c.kind, c.params) for c in Command.objects.with_scopes_disabled().filter(station=station).order_by("id")]


@pytest.mark.parametrize(
    ("fields", "kind", "params"),
    [
        (
            {"do": "start", "id_tag": "CARD", "plug": "1"},
            "remote_start",
            {"id_token": "CARD", "evse": 1, "id_token_type": "ISO14443", "group": "", "charging_profile": None},
        ),
        ({"do": "unlock", "plug": "1.1"}, "unlock_connector", {"evse": 1, "connector": 1}),
        ({"do": "restart", "when": "idle", "reason": "stuck", "sure": "NAME"}, "reset", {"when": "idle", "evse": None}),
        (
            {"do": "out", "plug": "0", "reason": "broken", "sure": "NAME"},
            "change_availability",
            {"operative": False, "evse": 0, "connector": None},
        ),
        ({"do": "in", "plug": "1"}, "change_availability", {"operative": True, "evse": 1, "connector": None}),
        (
            {"do": "status", "message": "Heartbeat", "plug": ""},
            "trigger_message",
            {"message": "Heartbeat", "evse": None, "connector": None, "extended": False},
        ),
        ({"do": "read"}, "get_variables", {"variables": []}),
        ({"do": "clear"}, "clear_cache", {}),
        ({"do": "vendor", "vendor_id": "acme"}, "data_transfer", {"vendor_id": "acme", "message_id": None, "data": None}),
    ],
)
def test_each_form_issues_its_command(
    ada: Client, amber: Network, fields: dict[str, str], kind: str, params: dict[str, Any]
) -> None:
    station = plug(amber).evse.station
    seen(station, protocol="ocpp1.6")
    typed = {"sure": station.identity} if "sure" in fields else {}
    answer = send(ada, station, **fields | typed)
    assert answer.status_code == 302
    assert asked(station) == [(kind, params)]
    row = Command.objects.with_scopes_disabled().get(station=station)
    assert answer["Location"].endswith(f"?tab=commands#command-{row.pk}")
    assert row.requested_by is not None
    page = ada.get(answer["Location"]).content.decode()
    assert f'id="command-{row.pk}"' in page


def test_a_running_session_is_stopped(ada: Client, amber: Network) -> None:
    charging = session(plug(amber, "Charging"))
    assert send(ada, charging.station, do="stop", session=charging.ocpp_transaction_id).status_code == 302
    assert asked(charging.station) == [("remote_stop", {"transaction": charging.ocpp_transaction_id})]
    refused = send(ada, charging.station, do="stop", session="12345678")
    assert refused.status_code == 422
    assert "does not run any more" in refused.content.decode()


def test_a_station_of_2_0_1_is_read_by_a_report(ada: Client, amber: Network) -> None:
    station = amber.station(accepted=True)
    seen(station, protocol="ocpp2.0.1")
    send(ada, station, do="read")
    assert asked(station) == [("get_base_report", {"report": "FullInventory"})]


@pytest.mark.parametrize(
    "fields", [{"do": "restart", "when": "immediate"}, {"do": "out", "plug": "1"}, {"do": "unlock", "plug": "1.1"}]
)
def test_what_may_end_somebodys_charging_needs_a_reason_and_the_name_typed(
    ada: Client, amber: Network, fields: dict[str, str]
) -> None:
    station = session(plug(amber, "Charging")).station
    answer = send(ada, station, **fields, sure="another")
    assert answer.status_code == 422
    html = answer.content.decode()
    assert '<a href="#id_reason">' in html
    assert f"Type {station.identity} to confirm" in html
    assert f"This is not the name of this charger. Type {station.identity}." in html
    assert 'aria-invalid="true"' in html
    assert asked(station) == []
    assert send(ada, station, **fields, reason="It hangs", sure=f" {station.identity} ").status_code == 302
    assert Command.objects.with_scopes_disabled().get(station=station).reason == "It hangs"


def test_what_makes_no_sense_is_said_beside_its_field(ada: Client, amber: Network) -> None:
    station = plug(amber).evse.station
    answer = send(ada, station, do="start", id_tag="X" * 40)
    assert answer.status_code == 422
    assert '<a href="#id_id_tag">' in answer.content.decode()
    assert send(ada, station, do="dance").status_code == 404


def test_the_menu_offers_in_plain_words_what_the_version_can_say(ada: Client, amber: Network) -> None:
    station = plug(amber).evse.station
    address = reverse("station", args=[station.identity]) + "?tab=commands"
    html = ada.get(address).content.decode()
    for name, ask in ASKS.items():
        assert f"do={name}#do" in html
        assert f">{escape(ask.word)}</a>" in html
        form = ada.get(f"{address}&do={name}").content.decode()
        assert f'name="do" value="{name}"' in form


def issue(station: Station, command: commands.Command) -> Command:
    with scope(operator=station.operator):
        return life.issue(station=station, command=command)


def test_for_an_offline_charger_it_waits_and_can_be_taken_back(ada: Client, ben: Client, amber: Network) -> None:
    station = amber.station(accepted=True)
    row = issue(station, commands.RemoteStart("CARD"))
    page = reverse("station", args=[station.identity]) + "?tab=commands"
    html = ada.get(page).content.decode()
    assert "It will be sent when it comes back" in html
    assert "data-left" in html
    address = reverse("cancel_command", args=[station.identity, row.pk])
    assert address in html
    assert address not in ben.get(page).content.decode()
    assert ben.post(address).status_code == 403
    assert ada.post(address).status_code == 302
    row.refresh_from_db()
    assert row.status == "cancelled"
    assert "too late" in ada.post(address, follow=True).content.decode()


def dots(**fields: Any) -> list[str]:
    now = timezone.now()
    row = Command(kind="reset", created_at=now, expires_at=now + timedelta(hours=1), **fields)
    return [dot.state for dot in CommandRow(row, online=True).dots]


@pytest.mark.parametrize(
    ("status", "states"),
    [
        ("queued", ["now", "open", "open", "open"]),
        ("sent", ["done", "now", "open", "open"]),
        ("accepted", ["done", "done", "done", "now"]),
        ("confirmed", ["done", "done", "done", "done"]),
        ("rejected", ["done", "done", "bad", "none"]),
        ("timed_out", ["done", "done", "bad", "none"]),
        ("no_effect", ["done", "done", "done", "bad"]),
        ("expired", ["bad", "none", "none", "none"]),
        ("cancelled", ["bad", "none", "none", "none"]),
    ],
)
def test_four_dots_tell_how_far_a_command_came(status: str, states: list[str]) -> None:
    assert dots(status=status, sent_at=timezone.now()) == states


def test_what_was_begun_can_be_given_up_too() -> None:
    now = timezone.now()
    assert dots(status="cancelled", sent_at=now, answered_at=now) == ["done", "done", "done", "bad"]


@pytest.mark.parametrize(
    ("status", "answered", "detail", "sentence"),
    [
        ("no_effect", True, "Nothing was seen of it.", "The charger agreed, but was not seen to do it."),
        ("no_effect", True, "InvalidSignature", "The charger agreed, but it came to nothing: InvalidSignature"),
        ("cancelled", False, "", "It was taken back before it was sent."),
        ("cancelled", True, "", "It was given up after the charger had agreed."),
    ],
)
def test_how_it_ended_is_said_in_a_sentence(status: str, answered: bool, detail: str, sentence: str) -> None:
    row = Command(kind="update_firmware", status=status, detail=detail, answered_at=timezone.now() if answered else None)
    assert CommandRow(row, online=True).sentence == sentence


def test_what_cannot_be_said_was_never_sent() -> None:
    assert dots(status="failed") == ["done", "bad", "none", "none"]


def ended(station: Station, command: commands.Command, status: str, **fields: Any) -> Command:
    row = issue(station, command)
    Command.objects.with_scopes_disabled().filter(pk=row.pk).update(status=status, finished_at=timezone.now(), **fields)
    return row


def test_what_came_to_nothing_is_tried_again_once(ada: Client, ben: Client, cleo: Client, amber: Network) -> None:
    station = amber.station(accepted=True)
    row = ended(station, commands.RemoteStart("CARD", 2), "rejected", reason="He called")
    again = reverse("retry_command", args=[station.identity, row.pk])
    page = reverse("station", args=[station.identity]) + "?tab=commands"
    assert again in ada.get(page).content.decode()
    assert again not in ben.get(page).content.decode()
    assert ben.post(again).status_code == 403
    assert cleo.post(again).status_code == 404
    assert ada.post(again)["Location"] == ada.post(again)["Location"]
    first, second = Command.objects.with_scopes_disabled().filter(station=station).order_by("id")
    assert (second.kind, second.params, second.reason) == (first.kind, first.params, "He called")
    assert second.status == "queued"


def test_what_is_dangerous_is_confirmed_anew_before_it_is_tried_again(ada: Client, amber: Network) -> None:
    station = plug(amber).evse.station
    row = ended(station, commands.Reset("immediate"), "timed_out")
    answer = ada.post(reverse("retry_command", args=[station.identity, row.pk]))
    assert answer["Location"].endswith("?tab=commands&do=restart&when=immediate#do")
    assert 'value="immediate" id="id_when_1" required checked' in " ".join(ada.get(answer["Location"]).content.decode().split())
    assert len(asked(station)) == 1


def test_what_is_under_way_or_held_a_secret_is_not_tried_again(ada: Client, amber: Network) -> None:
    station = amber.station(accepted=True)
    waiting = issue(station, commands.ClearCache())
    secret = ended(station, commands.SetVariables([{"variable": "AuthorizationKey", "value": "x"}]), "rejected")
    for row in (waiting, secret):
        answer = ada.post(reverse("retry_command", args=[station.identity, row.pk]), follow=True)
        assert "nothing to try again" in answer.content.decode()
    over = ended(station, commands.RemoteStart("CARD"), "expired")
    Command.objects.with_scopes_disabled().filter(pk=over.pk).update(kind="remote_stop", params={"transaction": "404"})
    answer = ada.post(reverse("retry_command", args=[station.identity, over.pk]), follow=True)
    assert "has no transaction 404" in answer.content.decode()
    assert len(asked(station)) == 3


def test_whoever_tries_again_must_be_allowed_to_ask_for_it(ada: Client, amber: Network) -> None:
    support = browser_of(amber, "sue", role="support")
    station = amber.station(accepted=True)
    row = ended(station, commands.SetNetworkProfile(1, "wss://example.com/ocpp", 2), "rejected")
    again = reverse("retry_command", args=[station.identity, row.pk])
    page = reverse("station", args=[station.identity]) + "?tab=commands"
    live = {}
    with scope(operator=amber.operator):
        for name, role in (("support", "support"), ("owner", "owner")):
            rights = rights_of(amber.user(f"live-{name}", role=role))
            parts = fragments.of_station("en", station.pk, rights)
            (live[name],) = (part["html"] for part in parts if part["id"] == f"command-{row.pk}")
    # Neither the page nor what keeps it live offers what would be refused.
    assert (again in support.get(page).content.decode(), again in live["support"]) == (False, False)
    assert (again in ada.get(page).content.decode(), again in live["owner"]) == (True, True)
    assert support.post(again).status_code == 403
    assert len(asked(station)) == 1
    assert ada.post(again).status_code == 302
    assert len(asked(station)) == 2


def test_whom_a_command_is_about_and_a_code_are_not_for_all_who_see_commands(ada: Client, ben: Client, amber: Network) -> None:
    station = amber.station(accepted=True)
    seen(station, protocol="ocpp2.0.1")
    issue(station, commands.CustomerInformation(id_token="04A1B2C3", id_token_type="ISO14443"))
    issue(station, commands.RemoteStart("4711-0815", id_token_type="KeyCode"))
    issue(station, commands.RemoteStart("CARD-OF-DEE"))
    page = reverse("station", args=[station.identity]) + "?tab=commands"
    for browser in (ada, ben):
        html = browser.get(page).content.decode()
        assert ("04A1B2C3" in html, "4711-0815" in html, "CARD-OF-DEE" in html) == (False, False, True)


def test_a_question_about_a_customer_is_asked_anew_and_not_tried_again(ada: Client, amber: Network) -> None:
    """Whom it was about is not kept: the charger would be asked to forget the customer "***"."""
    station = amber.station(accepted=True)
    row = ended(station, commands.CustomerInformation(clear=True, id_token="04A1B2C3", id_token_type="ISO14443"), "timed_out")
    kept = row.params | {"id_token": "***"}
    Command.objects.with_scopes_disabled().filter(pk=row.pk).update(params=kept)
    answer = ada.post(reverse("retry_command", args=[station.identity, row.pk]), follow=True)
    assert "nothing to try again" in answer.content.decode()
    assert len(asked(station)) == 1


def test_the_form_for_an_offline_charger_says_when_it_expires(ada: Client, amber: Network) -> None:
    station = amber.station(accepted=True)
    html = ada.get(reverse("station", args=[station.identity]) + "?tab=commands&do=start").content.decode()
    assert "it expires in 44 s" in html or "it expires in 45 s" in html
