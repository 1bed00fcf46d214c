"""The power of a charger: what limits it is shown, set and cleared."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.models import ChargingProfile, Command, MeterSample, Station, Variable
from tests.dashboard.chargingrows import limited
from tests.dashboard.rows import plug, seen, session
from tests.network import Network


@pytest.fixture
def station(amber: Network) -> Station:
    with scopes_disabled():
        station = amber.station(accepted=True)
        seen(station, protocol="ocpp2.0.1")
        session(plug(amber, "Charging", station=station))
    return station


def asked(station: Station) -> list[Command]:
    with scopes_disabled():
        return list(Command.objects.filter(station=station).order_by("pk"))


def put(client: Client, station: Station, **fields: Any) -> Any:
    data = {"plug": "1", "most": "16", "unit": "A", "lasts": "open"} | fields
    return client.post(f"/stations/{station.identity}/charging/limit/", data)


def test_a_charger_that_nothing_limits_says_so_and_how_to_limit_it(ada: Client, station: Station) -> None:
    html = ada.get(f"/stations/{station.identity}/?tab=power").content.decode()
    assert "nothing that is known here limits it" in html
    assert "No charging profile is known of this charger" in html
    assert "Set the limit" in html


def test_a_standing_limit_at_a_plug_is_a_default_profile(ada: Client, station: Station) -> None:
    assert put(ada, station, most="10.5").status_code == 302
    (row,) = asked(station)
    profile = row.params["profile"]
    assert (row.kind, row.params["evse"], profile["purpose"], profile["stack_level"]) == (
        *("set_charging_profile", 1, "TxDefaultProfile", 0),
    )
    assert profile["schedules"][0]["periods"] == [{"start_s": 0, "limit": 10.5}]
    assert "valid_to" not in profile


def test_a_limit_of_a_while_stands_above_it_and_ends(ada: Client, station: Station) -> None:
    until = timezone.localtime() + timedelta(hours=3)
    put(ada, station, plug="0", most="22", unit="W", lasts="until", until=until.strftime("%Y-%m-%dT%H:%M"))
    (row,) = asked(station)
    profile = row.params["profile"]
    assert (row.params["evse"], profile["purpose"], profile["stack_level"]) == (0, "ChargingStationMaxProfile", 1)
    assert profile["schedules"][0]["periods"] == [{"start_s": 0, "limit": 22_000}]
    assert profile["valid_to"]


def test_a_limit_of_a_session_names_it(ada: Client, station: Station) -> None:
    put(ada, station, lasts="session")
    (row,) = asked(station)
    assert row.params["profile"]["purpose"] == "TxProfile"
    assert row.facts["fixed"]["profile"]["transaction"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"plug": "0", "lasts": "session"}, "Choose the plug at which the session runs."),
        ({"lasts": "until"}, "Say until when."),
        ({"lasts": "until", "until": "2020-01-01T00:00"}, "This time is over"),
        ({"most": "-1"}, "greater than or equal to 0"),
        ({"plug": "9"}, "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_shown_beside_its_field(ada: Client, station: Station, fields: dict[str, str], why: str) -> None:
    answer = put(ada, station, **fields)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert asked(station) == []


def test_profiles_are_shown_with_what_is_wrong_cleared_and_set_again(ada: Client, station: Station) -> None:
    with scopes_disabled():
        limited(station)
        row = ChargingProfile.objects.get(station=station, profile_id=2)
    html = ada.get(f"/stations/{station.identity}/?tab=power&evse=0").content.decode()
    for words in (
        "Differs",
        "Missing",
        "Found",
        "Grid operator",
        "critical for the grid",
        "it says 32 A",
        "That is more than it may.",
    ):
        assert words in html, words
    ada.post(f"/stations/{station.identity}/charging/do/", {"do": "again", "profile": row.pk})
    ada.post(f"/stations/{station.identity}/charging/do/", {"do": "clear", "profile": row.pk})
    ada.post(f"/stations/{station.identity}/charging/do/", {"do": "read"})
    kinds = [one.kind for one in asked(station)]
    assert kinds[:3] == ["set_charging_profile", "clear_charging_profile", "get_charging_profiles"]
    assert asked(station)[1].params["profile_id"] == 2
    assert set(kinds[3:]) == {"get_composite_schedule"}


def test_what_cannot_be_asked_about_a_profile_is_not_said_to_be_asked(ada: Client, station: Station) -> None:
    with scopes_disabled():
        limited(station)
        found = ChargingProfile.objects.get(station=station, profile_id=9)
    for do in ("again", "nonsense"):
        assert ada.post(f"/stations/{station.identity}/charging/do/", {"do": do, "profile": found.pk}).status_code == 404
    assert asked(station) == []


def test_the_profiles_are_a_file_too(ada: Client, station: Station) -> None:
    with scopes_disabled():
        limited(station)
    answer = ada.get(f"/stations/{station.identity}/charging/export/")
    assert answer.status_code == 200
    assert "charging-profiles-" in answer["Content-Disposition"]


def test_the_voltage_by_which_limits_are_converted_is_said_and_where_it_is_from(ada: Client, station: Station) -> None:
    def remark() -> str:
        html = ada.get(f"/stations/{station.identity}/?tab=power&evse=1&unit=W").content.decode()
        return " ".join(html.split('id="limits-remark">')[1].split("</p>")[0].split())

    assert remark() == "The charger tells no voltage: ampere and watt are converted by 230 V, which is assumed."
    with scopes_disabled():
        of = {"operator": station.operator, "station": station, "reported_at": timezone.now()}
        Variable.objects.create(**of, component="ElectricalFeed", variable="ACVoltage", value="240")
        Variable.objects.create(**of, component="EVSE", evse_number=1, variable="Power", attribute="MaxSet", value="11000")
    assert "converted by 240 V, as the charger's settings say. What its plugs can do at most" in unescape(remark())
    with scopes_disabled():
        of = {"operator": station.operator, "station": station, "evse_number": 1}
        sample = MeterSample(**of, at=timezone.now(), voltage_v=228, context="Sample.Clock")
        MeterSample.objects.bulk_create([sample])
    assert "228 V, as the charger last measured" in remark()
    # 11 kW in three phases of 228 V.
    html = ada.get(f"/stations/{station.identity}/?tab=power&evse=1&unit=A").content.decode()
    assert "at most 16.1 A" in html.replace("\u202f", " ").replace("\xa0", " ")
