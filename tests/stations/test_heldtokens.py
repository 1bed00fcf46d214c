"""Id tokens that are held to places and types of plugs: by their group, and by themselves."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django_scopes import scope

from accounts.imports import import_id_tokens, preview_id_tokens
from accounts.models import AuditEntry, IdToken
from stations.models import LocalList, Site, Station, TokenTerms, Variable
from stations.services import groupterms, localauthlist, locallistwork, plugtypes
from stations.services.groupterms import Wanted
from stations.services.locallistcontent import Builder
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.monitored import page, setting
from tests.stations.test_groupterms import authorized, terms

UNSAID = "plug_type_unsaid"


@pytest.fixture
def newer() -> Engine:
    return Engine("ocpp2.0.1")


def hold(network: Network, token: IdToken, **wanted: Any) -> None:
    with scope(operator=network.operator):
        groupterms.hold(token=token, held=Wanted(**wanted))


def said(network: Network, station: Station, types: dict[int, str]) -> None:
    with scope(operator=network.operator):
        plugtypes.say(station=station, types={(evse, 1): kind for evse, kind in types.items()})


def with_plugs(network: Network, engine: Engine, number: int = 2) -> Station:
    """Accepted, with its plugs told."""
    station = network.station(accepted=True)
    for evse in range(1, number + 1):
        if engine.protocol == "ocpp1.6":
            engine.say(station, "StatusNotification", {"connectorId": evse, "status": "Available", "errorCode": "NoError"})
        else:
            told = {"evseId": evse, "connectorId": 1, "connectorStatus": "Available", "timestamp": "2026-11-20T10:00:00Z"}
            engine.say(station, "StatusNotification", told)
    return station


def test_where_the_plugs_are_of_another_type_a_token_is_not_let_charge(network: Network, newer: Engine) -> None:
    network.token("CARD", group="FLEET")
    station = with_plugs(network, newer)
    terms(network, types=["cCCS2"])
    said(network, station, {1: "sType2", 2: "sType2"})
    assert authorized(newer, station)["status"] == "NotAllowedTypeEVSE"
    assert UNSAID not in network.findings(station)
    # One is right: it is named (OCPP 2.0.1 C01).
    said(network, station, {2: "cCCS2"})
    answer = authorized(newer, station)
    assert (answer["status"], answer["evseId"]) == ("Accepted", [2])
    for evse, status in ((1, "NotAllowedTypeEVSE"), (2, "Accepted")):
        begun = v201.started(tx=f"tx-{evse}", evse={"id": evse, "connectorId": 1})
        assert newer.say(station, "TransactionEvent", begun)["idTokenInfo"]["status"] == status
    assert sorted(row.authorization_status for row in network.transactions(station)) == ["Accepted", "NotAllowedTypeEVSE"]


def test_in_1_6_a_plug_of_another_type_is_answered_with_invalid(network: Network, engine: Engine) -> None:
    network.token("CARD", group="FLEET")
    station = with_plugs(network, engine)
    terms(network, types=["cCCS2"])
    assert authorized(engine, station)["status"] == "Invalid"
    # 1.6 cannot tell of which type its plugs are: somebody has to.
    assert UNSAID in network.findings(station)
    said(network, station, {1: "sType2", 2: "cCCS2"})
    assert authorized(engine, station)["status"] == "Accepted"
    assert engine.say(station, "StartTransaction", v16.start(connectorId=1))["idTagInfo"]["status"] == "Invalid"
    assert engine.say(station, "StartTransaction", v16.start(connectorId=2))["idTagInfo"]["status"] == "Accepted"
    assert sorted(row.authorization_status for row in network.transactions(station)) == ["Accepted", "NotAllowedTypeEVSE"]


def test_what_a_station_tells_of_its_plugs_counts_from_then_on_until_somebody_says_otherwise(
    network: Network, newer: Engine
) -> None:
    token = network.token("CARD")
    station = with_plugs(network, newer, 1)
    hold(network, token, types=["cCCS2"])
    assert authorized(newer, station)["status"] == "NotAllowedTypeEVSE"
    plug = {"name": "Connector", "evse": {"id": 1, "connectorId": 1}}
    told = setting(variable="ConnectorType", value="cCCS2") | {"component": plug}
    newer.say(station, "NotifyReport", page(1, 0, last=True, reportData=[told]))
    assert authorized(newer, station)["status"] == "Accepted"
    said(network, station, {1: "sType2"})
    assert authorized(newer, station)["status"] == "NotAllowedTypeEVSE"
    said(network, station, {1: ""})
    assert authorized(newer, station)["status"] == "Accepted"


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
def test_a_single_token_is_held_to_places_beside_its_group(network: Network, protocol: str) -> None:
    engine, token = Engine(protocol), network.token("CARD", group="FLEET")
    other = network.token("OTHER", group="FLEET")
    here, there = network.station(accepted=True), network.station(accepted=True)
    refused = "Invalid" if protocol == "ocpp1.6" else "NotAtThisLocation"
    hold(network, token, restricted=True, stations=[here])
    assert [authorized(engine, one)["status"] for one in (here, there)] == ["Accepted", refused]
    assert authorized(engine, there, other.value)["status"] == "Accepted"
    terms(network, restricted=True, stations=[there])
    assert [authorized(engine, one)["status"] for one in (here, there)] == [refused, refused]
    hold(network, token)
    assert [authorized(engine, one)["status"] for one in (here, there)] == [refused, "Accepted"]
    with scope(operator=network.operator):
        assert not TokenTerms.objects.exists()


def tags(network: Network, station: Station) -> list[str]:
    """What belongs on its list, all of it."""
    with scope(operator=network.operator):
        one = LocalList.objects.select_related("station", "rule").get(station=station)
        content = Builder(datetime.now(UTC)).of(one, None, full=True)
        assert content is not None
        return sorted(entry["id_token"] for entry in content.entries)


def test_a_tag_that_is_held_to_anything_by_itself_is_on_no_list(network: Network) -> None:
    token = network.token("CARD")
    network.token("FREE")
    station = network.station(accepted=True)
    with scope(operator=network.operator):
        localauthlist.set_rule(operator=network.operator, mode="valid")
    assert tags(network, station) == ["CARD", "FREE"]
    with scope(operator=network.operator):
        # It is in step, with both.
        LocalList.objects.update(upto=10**6, highest=10**9, ask=False, full=False, due_at=None, state="in_step")
        locallistwork.number(operator_id=network.operator.pk, now=datetime.now(UTC))
        book = LocalList.objects.get(station=station)
        rule = f"{book.rule_id}.{book.rule.revision if book.rule else 0}"
        newest = Builder(datetime.now(UTC)).newest_of(network.operator.pk)
        LocalList.objects.update(upto=newest, made_by=rule)
    hold(network, token, restricted=True, stations=[station])
    assert tags(network, station) == ["FREE"]

    def changes() -> list[tuple[str, bool]]:
        with scope(operator=network.operator):
            locallistwork.number(operator_id=network.operator.pk, now=datetime.now(UTC))
            one = LocalList.objects.select_related("station", "rule").get(station=station)
            content = Builder(datetime.now(UTC)).of(one, None)
            newest = Builder(datetime.now(UTC)).newest_of(network.operator.pk)
            LocalList.objects.update(upto=newest)
            return [(entry["id_token"], entry.get("remove", False)) for entry in content.entries] if content else []

    assert changes() == [("CARD", True)]
    hold(network, token, types=["cCCS2"])
    assert changes() == []
    hold(network, token)
    assert changes() == [("CARD", False)]


def test_a_group_is_on_the_lists_of_those_stations_all_of_whose_plugs_are_of_its_types(network: Network, engine: Engine) -> None:
    network.token("CARD", group="FLEET")
    network.token("FREE")
    station = with_plugs(network, engine)
    with scope(operator=network.operator):
        localauthlist.set_rule(operator=network.operator, mode="valid")
    terms(network, types=["sType2"])
    assert tags(network, station) == ["FREE"]
    with scope(operator=network.operator):
        LocalList.objects.update(full=False, due_at=None)
    said(network, station, {1: "sType2", 2: "sType2"})
    with scope(operator=network.operator):
        assert LocalList.objects.get(station=station).full
    assert tags(network, station) == ["CARD", "FREE"]
    said(network, station, {2: "cCCS2"})
    assert tags(network, station) == ["FREE"]


def test_what_is_said_of_plugs_makes_sense_or_says_why(network: Network, engine: Engine) -> None:
    station = with_plugs(network, engine, 1)
    for types, why in (({1: "cType9"}, "no type of plug cType9"), ({5: "sType2"}, "has no plug 5/1")):
        with pytest.raises(ValidationError, match=why):
            said(network, station, types)
    for _again in range(2):
        said(network, station, {1: "sType2"})
    with scope(operator=network.operator):
        (entry,) = AuditEntry.objects.filter(action="station.changed")
    assert entry.after == {"connector_types": "1/1 sType2"}


def test_the_audit_tells_what_a_tag_is_held_to(network: Network) -> None:
    token, station = network.token("CARD"), network.station()
    for _again in range(2):
        hold(network, token, restricted=True, evses=[(station, 2)], types=["sType2", "cCCS2"])
    with scope(operator=network.operator):
        (entry,) = AuditEntry.objects.filter(action="id_token.changed")
    assert entry.before == {"places": "", "connector_types": ""}
    assert entry.after == {"places": f"{station.identity}/2", "connector_types": "cCCS2, sType2"}


def test_a_file_says_what_its_tags_are_held_to(network: Network) -> None:
    site = Site.objects.create(operator=network.operator, name="Harbour")
    station = network.station()
    where = f"site:Harbour|{station.identity}/2"
    content = f"value;places;connector_types\nONE;{where};cCCS2|sType2\nTWO;;\n".encode()
    assert [line.more for line in preview_id_tokens(operator=network.operator, content=content)] == [(where, "cCCS2|sType2"), ()]
    import_id_tokens(operator=network.operator, content=content)
    with scope(operator=network.operator):
        (one,) = TokenTerms.objects.select_related("token")
        assert one.token.value == "ONE"
        assert one.places == {"sites": [site.pk], "stations": [], "evses": [[station.pk, 2]]}
        assert one.connector_types == ["cCCS2", "sType2"]
    # Columns that a file lacks stay as they are; an empty cell is everywhere.
    import_id_tokens(operator=network.operator, content=b"value,note,places\nONE,hello,\n")
    with scope(operator=network.operator):
        (one,) = TokenTerms.objects.all()
        assert (one.places, one.connector_types) == (None, ["cCCS2", "sType2"])
    import_id_tokens(operator=network.operator, content=b"value,connector_types\nONE,\n")
    with scope(operator=network.operator):
        assert not TokenTerms.objects.exists()


def test_a_file_that_names_a_place_which_is_not_there_changes_nothing(network: Network) -> None:
    for cells, why in (
        ("NOWHERE,", "line 2: places: There is no NOWHERE"),
        ("site:Nowhere,", "line 2: places: There is no site:Nowhere"),
        (f"{Network().station().identity},", "line 2: places: There is no "),
        (",cType9", "line 2: connector_types: There is no type of plug cType9"),
    ):
        with pytest.raises(ValidationError) as refused:
            import_id_tokens(operator=network.operator, content=f"value,places,connector_types\nONE,{cells}\n".encode())
        assert why in " ".join(refused.value.messages)
    with scope(operator=network.operator):
        assert not IdToken.objects.exists()


def test_a_station_is_asked_anew_what_it_is_when_its_plugs_are_told(network: Network, newer: Engine) -> None:
    """The state of a station has the types of its plugs from its variables, connector by connector, else of the EVSE."""
    station = with_plugs(network, newer, 1)
    with scope(operator=network.operator):
        Variable.objects.create(
            **{"operator": network.operator, "station": station, "component": "Connector", "evse_number": 1},
            **{"variable": "ConnectorType", "value": "sType2"},
        )
    token = network.token("CARD")
    hold(network, token, types=["sType2"])
    assert authorized(Engine("ocpp2.0.1"), station)["status"] == "Accepted"
