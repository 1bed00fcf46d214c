"""What stations report of the charging profiles they hold, beside what was set."""

from typing import Any

import pytest
from django_scopes import scopes_disabled

from csms.ocpp.errands import Errand
from stations import charginglists
from stations.domain import commands
from stations.models import Finding, Station
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, asked, boot, connected, issue, now_of, sent
from tests.stations.test_smartcharging import START, begin, held, ids, may_draw, profile, put
from tests.v201 import ended


def told(request_id: int, *profiles: tuple[int, int, float], purpose: str = "TxDefaultProfile", more: bool = False) -> Any:
    """A page of a report: EVSE, id and limit of each, of one EVSE."""
    page: dict[str, Any] = {"requestId": request_id, "chargingLimitSource": "CSO", "evseId": profiles[0][0], "tbc": more}
    page["chargingProfile"] = [
        {"id": pk, "stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute"}
        | {"chargingSchedule": [{"id": 4, "chargingRateUnit": "A", "startSchedule": START} | {"chargingSchedulePeriod": [period]}]}
        for _evse, pk, limit in profiles
        if (period := {"startPeriod": 0, "limit": limit})
    ]
    return page


def limit_sent(engine: Engine, station: Station) -> Errand:
    issue(station, commands.SetChargingProfile(1, profile()))
    return sent(engine, station)


def test_a_limit_whose_answer_was_lost_is_found_and_replaced(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    lost = limit_sent(newer, station)
    newer.reply(station, lost, None)
    (pk,) = ids(lost)
    errand = sent(newer, station)
    newer.reply(station, errand, ACCEPTED)
    assert newer.say(station, "ReportChargingProfiles", told(errand.calls[0]["requestId"], (1, pk, 16))) == {}
    assert may_draw(station) == [16]
    issue(station, commands.SetChargingProfile(1, profile(limit=10)))
    assert ids(sent(newer, station)) == [pk]


def test_of_a_clearing_whose_answer_was_lost_nobody_wants_the_profiles_any_more(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    for evse in (1, 2):
        put(newer, station, evse)
    asked(newer, station, commands.ClearChargingProfile(evse=1), None)
    assert [charginglists.state_of(one) for one in held(station)] == ["found", "set"]
    assert may_draw(station) == [16]  # for it may still be there
    errand = sent(newer, station)
    newer.reply(station, errand, ACCEPTED)
    kept = held(station)[1].profile_id
    assert newer.say(station, "ReportChargingProfiles", told(errand.calls[0]["requestId"], (2, kept, 16))) == {}
    assert [charginglists.state_of(one) for one in held(station)] == ["confirmed"]
    assert network.findings(station) == []


def test_a_limit_that_did_not_outlive_a_restart_is_a_finding(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    put(newer, station, 0, purpose="ChargingStationMaxProfile", limit=16)
    put(newer, station, 1)
    put(newer, station, 2, valid_to="2026-01-02T00:00:00Z")
    lost, kept, _over = held(station)
    boot(newer, station)
    errand = sent(newer, station)
    newer.reply(station, errand, ACCEPTED)
    assert newer.say(station, "ReportChargingProfiles", told(errand.calls[0]["requestId"], (1, kept.profile_id, 16))) == {}
    found = network.finding(station, "charging_profile_missing")
    assert (found.subject, found.severity) == (str(lost.profile_id), "warning")
    assert "ChargingStationMaxProfile of the whole station" in found.detail
    assert [charginglists.state_of(one) for one in held(station)] == ["missing", "confirmed", "missing"]


def test_that_profiles_of_sessions_that_are_over_are_not_there_is_as_it_should_be(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    begin(newer, network, station)
    put(newer, station, purpose="TxProfile")
    asked(newer, station, commands.GetChargingProfiles(), {"status": "NoProfiles"})
    assert network.findings(station) == ["charging_profile_missing"]
    with scopes_disabled():
        Finding.objects.filter(station=station).delete()
    newer.say(station, "TransactionEvent", ended(1, wh=2000))
    asked(newer, station, commands.GetChargingProfiles(), {"status": "NoProfiles"})
    assert network.findings(station) == []


@pytest.mark.parametrize("together", [False, True])
def test_a_report_that_came_before_the_answer_is_complete_with_it(network: Network, newer: Engine, together: bool) -> None:
    station = connected(network, newer)
    for evse in (1, 2):
        put(newer, station, evse)
    first, _second = held(station)
    row = issue(station, commands.GetChargingProfiles())
    errand = sent(newer, station)
    page = told(errand.calls[0]["requestId"], (1, first.profile_id, 16))
    if together:
        newer.round(newer.inbound(station, "ReportChargingProfiles", page), newer.answered(station, errand, ACCEPTED))
    else:
        assert newer.say(station, "ReportChargingProfiles", page) == {}
        newer.reply(station, errand, ACCEPTED)
    assert now_of(row).status == "confirmed"
    assert [charginglists.state_of(one) for one in held(station)] == ["confirmed", "missing"]
    assert network.findings(station) == ["charging_profile_missing"]


def test_a_report_of_another_number_does_not_end_one_that_is_asked_for(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    row = issue(station, commands.GetChargingProfiles())
    errand = sent(newer, station)
    assert newer.say(station, "ReportChargingProfiles", told(errand.calls[0]["requestId"] + 1, (1, 5, 16))) == {}
    assert newer.say(station, "ReportChargingProfiles", told(errand.calls[0]["requestId"], (1, 5, 16), more=True)) == {}
    newer.reply(station, errand, ACCEPTED)
    assert now_of(row).status == "accepted"


def test_a_report_says_what_is_there_what_differs_and_what_is_missing(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    for evse in (1, 2, 3):
        put(newer, station, evse)
    pks = [one.profile_id for one in held(station)]
    row = asked(newer, station, commands.GetChargingProfiles())
    assert row.status == "accepted"
    number = row.facts["request_id"]
    wire = {"stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}

    def page(evse: int, pk: int, limit: float, *, more: bool) -> None:
        schedule = {"id": 4, "chargingRateUnit": "A", "startSchedule": START}
        schedule["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": limit}]
        told = {"requestId": number, "chargingLimitSource": "CSO", "evseId": evse, "tbc": more}
        told["chargingProfile"] = [wire | {"id": pk, "chargingSchedule": [schedule]}]
        assert newer.say(station, "ReportChargingProfiles", told) == {}

    page(1, pks[0], 16, more=True)
    assert now_of(row).status == "accepted"
    page(2, pks[1], 20, more=False)
    assert now_of(row).status == "confirmed"
    assert [charginglists.state_of(one) for one in held(station)] == ["confirmed", "differs", "missing"]
    # Asked again, it has none at all.
    asked(newer, station, commands.GetChargingProfiles(), {"status": "NoProfiles"})
    assert {charginglists.state_of(one) for one in held(station)} == {"missing"}


def test_a_profile_that_cannot_be_is_left_out_with_a_finding(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    wire = {"id": 2**40, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
    wire["chargingSchedule"] = [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}]}]
    told = {"requestId": 1, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [wire]}
    assert newer.say(station, "ReportChargingProfiles", told) == {}
    assert held(station) == []
    with scopes_disabled():
        assert Finding.objects.get(station=station).code == "charging_profile_impossible"


def test_a_report_of_a_number_that_nobody_gave_is_kept_all_the_same(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    wire = {"id": 3, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
    wire["chargingSchedule"] = [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}]}]
    told = {"requestId": 2**40, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [wire]}
    assert newer.say(station, "ReportChargingProfiles", told) == {}
    assert [(one.profile_id, one.report_id) for one in held(station)] == [(3, None)]
