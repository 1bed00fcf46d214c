"""What a group of tokens may do: where it charges, what priority it has, whether it only stops; and which local lists it is on."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django_scopes import scope

from accounts.models import AuditEntry, IdTokenGroup
from stations import locallists
from stations.models import GroupTerms, LocalList, Site, Station
from stations.services import groupterms, localauthlist, onboarding
from stations.services.locallistcontent import Builder
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network


def group(network: Network, name: str = "FLEET") -> IdTokenGroup:
    with scope(operator=network.operator):
        return IdTokenGroup.objects.get(name=name)


HELD = ("restricted", "sites", "stations", "evses", "types")


def terms(network: Network, name: str = "FLEET", **fields: Any) -> GroupTerms:
    held = groupterms.Wanted(**{name: fields.pop(name) for name in HELD if name in fields})
    with scope(operator=network.operator):
        return groupterms.set_terms(group=group(network, name), held=held, **fields)


@pytest.fixture
def card(network: Network) -> str:
    network.token("CARD", group="FLEET")
    return "CARD"


@pytest.fixture
def newer() -> Engine:
    return Engine("ocpp2.0.1")


def authorized(engine: Engine, station: Station, tag: str = "CARD") -> dict[str, Any]:
    if engine.protocol == "ocpp1.6":
        answer: dict[str, Any] = engine.say(station, "Authorize", {"idTag": tag})["idTagInfo"]
    else:
        answer = engine.say(station, "Authorize", {"idToken": {"idToken": tag, "type": "ISO14443"}})["idTokenInfo"]
    return answer


def test_a_group_charges_only_at_its_sites_and_stations(network: Network, newer: Engine, card: str) -> None:
    site = Site.objects.create(operator=network.operator, name="Harbour")
    at_site, named, elsewhere = (
        network.station(accepted=True, site=site),
        network.station(accepted=True),
        network.station(accepted=True),
    )
    terms(network, restricted=True, sites=[site], stations=[named])
    told = {station.pk: authorized(newer, station) for station in (at_site, named, elsewhere)}
    assert [told[one.pk]["status"] for one in (at_site, named, elsewhere)] == ["Accepted", "Accepted", "NotAtThisLocation"]
    # All of a station: no EVSE is named (OCPP 2.0.1 C01: an empty list is all).
    assert not any("evseId" in one for one in told.values())


def test_1_6_has_only_invalid_for_the_wrong_place(network: Network, engine: Engine, card: str) -> None:
    station, elsewhere = network.station(accepted=True), network.station(accepted=True)
    terms(network, restricted=True, stations=[station])
    assert authorized(engine, station)["status"] == "Accepted"
    assert authorized(engine, elsewhere) == {"status": "Invalid", "parentIdTag": "FLEET"}
    assert engine.say(elsewhere, "StartTransaction", v16.start())["idTagInfo"]["status"] == "Invalid"
    # What was refused is recorded with the reason, which 1.6 has no word for.
    assert [row.authorization_status for row in network.transactions(elsewhere)] == ["NotAtThisLocation"]


def test_where_it_may_charge_at_some_evses_only_these_are_named(network: Network, newer: Engine, card: str) -> None:
    station = network.station(accepted=True)
    terms(network, restricted=True, evses=[(station, 2), (station, 3)])
    answer = authorized(newer, station)
    assert (answer["status"], answer["evseId"]) == ("Accepted", [2, 3])
    for evse, status in ((1, "NotAtThisLocation"), (2, "Accepted")):
        begun = v201.started(tx=f"tx-{evse}", evse={"id": evse, "connectorId": 1})
        said = [newer.say(station, "TransactionEvent", begun)["idTokenInfo"]["status"] for _again in range(2)]
        assert said == [status, status]


def test_in_1_6_a_start_at_the_wrong_evse_is_refused(network: Network, engine: Engine, card: str) -> None:
    station = network.station(accepted=True)
    terms(network, restricted=True, evses=[(station, 2)])
    assert authorized(engine, station)["status"] == "Accepted"
    first = [engine.say(station, "StartTransaction", v16.start(connectorId=1))["idTagInfo"]["status"] for _again in range(2)]
    assert first == ["Invalid", "Invalid"]
    assert engine.say(station, "StartTransaction", v16.start(connectorId=2))["idTagInfo"]["status"] == "Accepted"


def test_who_charges_already_may_stop_where_nobody_of_the_group_may_start(network: Network, engine: Engine, card: str) -> None:
    station = network.station(accepted=True)
    transaction = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    terms(network, restricted=True, stations=[network.station()])
    assert authorized(engine, station)["status"] == "Accepted"
    assert engine.say(station, "StopTransaction", v16.stop(transaction, idTag=card))["idTagInfo"]["status"] == "Accepted"
    assert authorized(engine, station)["status"] == "Invalid"


def test_its_priority_is_answered(network: Network, newer: Engine, card: str) -> None:
    station = network.station(accepted=True)
    assert "chargingPriority" not in authorized(newer, station)
    for priority in (-9, 0, 9):
        terms(network, priority=priority)
        assert authorized(newer, station)["chargingPriority"] == priority


def test_a_master_pass_stops_and_starts_nothing(network: Network, newer: Engine, card: str) -> None:
    network.token("MASTER", group="MASTERS")
    terms(network, "MASTERS", only_stops=True)
    station = network.station(accepted=True)
    # It is accepted, with its group, by which the station knows what it is (OCPP 2.0.1 C16).
    assert (answer := authorized(newer, station, "MASTER"))["status"] == "Accepted"
    assert answer["groupIdToken"]["idToken"] == "MASTERS"
    begun = v201.started(idToken={"idToken": "MASTER", "type": "ISO14443"})
    assert [newer.say(station, "TransactionEvent", begun)["idTokenInfo"]["status"] for _again in range(2)] == ["Invalid"] * 2


def test_a_master_pass_starts_nothing_in_1_6_either(network: Network, engine: Engine) -> None:
    network.token("CARD", group="MASTERS")
    terms(network, "MASTERS", only_stops=True)
    station = network.station(accepted=True)
    assert engine.say(station, "StartTransaction", v16.start())["idTagInfo"]["status"] == "Invalid"


def test_a_tag_is_on_no_list_of_a_station_where_it_may_not_charge(network: Network, card: str) -> None:
    network.token("FREE")
    here, elsewhere = network.station(accepted=True), network.station(accepted=True)
    with scope(operator=network.operator):
        localauthlist.set_rule(operator=network.operator, mode="valid")

    def tags(station: Station) -> list[str]:
        with scope(operator=network.operator):
            one = LocalList.objects.select_related("station", "rule").get(station=station)
            content = Builder(datetime.now(UTC)).of(one, None)
            assert content is not None
            return sorted(entry["id_token"] for entry in content.entries)

    assert tags(here) == tags(elsewhere) == ["CARD", "FREE"]
    terms(network, restricted=True, stations=[here])
    assert (tags(here), tags(elsewhere)) == (["CARD", "FREE"], ["FREE"])
    terms(network, restricted=True, evses=[(here, 1)])
    assert tags(here) == ["FREE"]
    terms(network, only_stops=True)
    assert tags(here) == ["FREE"]
    terms(network)
    assert tags(elsewhere) == ["CARD", "FREE"]


def test_lists_are_made_anew_when_places_change_but_not_for_a_priority(network: Network, card: str) -> None:
    station = network.station(accepted=True)
    with scope(operator=network.operator):
        rule = localauthlist.set_rule(operator=network.operator, mode="valid")
        LocalList.objects.update(due_at=None, state="in_step", made_by=f"{rule.pk}.{rule.revision}")
    terms(network, priority=3)
    with scope(operator=network.operator):
        assert LocalList.objects.get(station=station).due_at is None
    terms(network, priority=3, restricted=True, stations=[station])
    with scope(operator=network.operator):
        assert LocalList.objects.get(station=station).due_at is not None


def test_a_station_that_moves_to_another_site_counts_as_there_from_then_on(network: Network, engine: Engine, card: str) -> None:
    site = Site.objects.create(operator=network.operator, name="Harbour")
    station = network.station(accepted=True)
    with scope(operator=network.operator):
        localauthlist.set_rule(operator=network.operator, mode="valid")
    terms(network, restricted=True, sites=[site])
    assert authorized(engine, station)["status"] == "Invalid"
    with scope(operator=network.operator):
        LocalList.objects.update(due_at=None, full=False)
        onboarding.describe(station=station, name="", site="Harbour")
        assert LocalList.objects.get(station=station).full
    assert authorized(engine, station)["status"] == "Accepted"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"priority": 10}, "-9 (last) to 9"),
        ({"restricted": True}, "Choose where"),
        ({"stations": "own"}, "say which is meant"),
        ({"restricted": True, "stations": "other"}, "another network"),
        ({"types": ["cType9"]}, "no type of plug cType9"),
        ({"types": []}, "Name a type of plug"),
    ],
)
def test_terms_that_make_no_sense_say_why(network: Network, card: str, fields: dict[str, Any], why: str) -> None:
    if name := fields.get("stations"):
        fields = fields | {"stations": [network.station() if name == "own" else Network().station()]}
    with pytest.raises(ValidationError) as refused:
        terms(network, **fields)
    assert why in " ".join(refused.value.messages)


def test_the_audit_tells_the_places_by_name_and_nothing_when_nothing_changed(network: Network, card: str) -> None:
    station = network.station()
    for _again in range(2):
        kept = terms(network, priority=2, restricted=True, evses=[(station, 4)])
    with scope(operator=network.operator):
        assert locallists.places_in_words(kept) == f"{station.identity}/4"
        (entry,) = AuditEntry.objects.filter(action="id_token_group.changed")
    assert entry.after == {"priority": 2, "places": f"{station.identity}/4"}
