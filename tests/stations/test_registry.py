"""Adding and removing stations, and what makes their connections look again."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scope, scopes_disabled

from accounts.models import Operator
from accounts.services import add_operator
from stations.credentials import matches
from stations.models import Connection, Site, Station, Transaction
from stations.services import registry
from tests.empty import empty_database

__all__ = ["empty_database"]

PASSWORD = "correct-horse-battery"


@pytest.fixture
def amber(db: None) -> Operator:
    return add_operator(name="Amber Grid")


@pytest.fixture
def cobalt(db: None) -> Operator:
    return add_operator(name="Cobalt Charging")


def version(station: Station) -> int:
    return Connection.objects.with_scopes_disabled().get(station=station).state_version


def test_a_station_comes_with_its_connection_row_and_a_password_that_can_be_typed(amber: Operator) -> None:
    station, password = registry.add_station(operator=amber, identity="AMBER-01")
    assert password is not None
    assert len(password) == 20
    assert not set(password) & set("0O1lIio")
    assert matches(station.password_hash, password.encode(), any_form=True)
    with scope(operator=amber):
        assert Connection.objects.get().station == station
        assert Station.objects.get().registration == "Accepted"


def test_a_given_password_is_kept_as_a_hash_only(amber: Operator) -> None:
    station, password = registry.add_station(operator=amber, identity="AMBER-01", password=PASSWORD)
    assert password == PASSWORD
    assert PASSWORD not in station.password_hash


def test_profile_0_has_no_password(amber: Operator) -> None:
    station, password = registry.add_station(operator=amber, identity="AMBER-01", security_profile=0)
    assert (password, station.password_hash) == (None, "")
    with pytest.raises(ValidationError, match="presents no password"):
        registry.add_station(operator=amber, identity="AMBER-02", security_profile=0, password=PASSWORD)
    with pytest.raises(ValidationError, match="has no password"):
        registry.set_password(station=station)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"identity": "A:1"}, "colon"),
        ({"identity": ""}, "blank"),
        ({"identity": "x" * 49}, "48"),
        ({"identity": "a\x00b"}, "control"),
        ({"security_profile": 3}, "certificates"),
        ({"security_profile": 4}, "no security profile 4"),
        ({"password": "x" * 15}, "16 to 40"),
        ({"password": "x" * 41}, "16 to 40"),
        ({"password": ""}, "16 to 40"),
        ({"password": "x" * 16 + "\n"}, "printable"),
    ],
)
def test_what_cannot_be_a_station_is_refused_with_the_reason(amber: Operator, fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        registry.add_station(**{"operator": amber, "identity": "AMBER-01", **fields})  # type: ignore[arg-type]
    with scopes_disabled():
        assert not Station.objects.exists()


def test_an_identity_is_unique_over_all_operators(amber: Operator, cobalt: Operator) -> None:
    registry.add_station(operator=amber, identity="POLE-01")
    with pytest.raises(ValidationError, match="taken"):
        registry.add_station(operator=cobalt, identity="POLE-01")


def test_a_site_is_the_operators_own(amber: Operator, cobalt: Operator) -> None:
    site = registry.site_named(operator=amber, name="Harbour")
    assert registry.site_named(operator=amber, name=" Harbour ") == site
    assert registry.site_named(operator=cobalt, name="Harbour") != site
    with pytest.raises(ValidationError, match="another operator"):
        registry.add_station(operator=cobalt, identity="POLE-01", site=site)
    with pytest.raises(ValidationError):
        registry.site_named(operator=amber, name=" ")
    with scopes_disabled():
        assert Site.objects.count() == 2


def test_a_new_password_replaces_the_old_one(amber: Operator) -> None:
    station, old = registry.add_station(operator=amber, identity="AMBER-01")
    new = registry.set_password(station=station)
    station.refresh_from_db()
    assert old is not None
    assert not matches(station.password_hash, old.encode(), any_form=True)
    assert matches(station.password_hash, new.encode(), any_form=True)
    with pytest.raises(ValidationError):
        registry.set_password(station=station, password="short")
    assert version(station) == 1


def test_the_registration_is_what_the_next_boot_is_answered(amber: Operator) -> None:
    station, _ = registry.add_station(operator=amber, identity="AMBER-01")
    registry.set_registration(station=station, registration="Pending")
    station.refresh_from_db()
    assert station.registration == "Pending"
    with pytest.raises(ValidationError, match="none of Accepted, Pending, Rejected"):
        registry.set_registration(station=station, registration="Maybe")
    assert version(station) == 1


def test_every_change_bumps_the_state_before_anything_else(amber: Operator) -> None:
    station, _ = registry.add_station(operator=amber, identity="AMBER-01")
    for change in (
        lambda: registry.set_password(station=station),
        lambda: registry.set_registration(station=station, registration="Rejected"),
        lambda: registry.remove_station(station=station),
    ):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            change()
        first = next(query["sql"] for query in queries if not query["sql"].startswith("SAVEPOINT"))
        assert first.startswith('UPDATE "stations_connection" SET "state_version" = ("stations_connection"."state_version" + 1)')


def test_a_removed_station_is_gone_and_its_identity_free(amber: Operator, cobalt: Operator) -> None:
    station, _ = registry.add_station(operator=amber, identity="POLE-01")
    registry.remove_station(station=station)
    with scopes_disabled():
        assert not Connection.objects.exists()
    registry.add_station(operator=cobalt, identity="POLE-01")


def test_removing_a_station_closes_its_socket_after_the_commit(
    amber: Operator, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    rung: list[tuple[int, int]] = []
    monkeypatch.setattr(registry.ports.bell, "fenced", lambda station_id, fence: rung.append((station_id, fence)))
    station, _ = registry.add_station(operator=amber, identity="AMBER-01")
    number = station.pk
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        registry.remove_station(station=station)
        assert rung == []
    assert rung == [(number, registry.ANY_FENCE)]


def test_a_station_that_charged_stays(amber: Operator) -> None:
    station, _ = registry.add_station(operator=amber, identity="AMBER-01")
    now = datetime.now(UTC)
    with scope(operator=amber):
        Transaction.objects.create(operator=amber, station=station, ocpp_transaction_id="1", started_at=now, received_at=now)
    with pytest.raises(ValidationError, match="set its registration to Rejected"):
        registry.remove_station(station=station)
    with scope(operator=amber):
        assert Station.objects.exists()
        assert Transaction.objects.exists()
    assert version(station) == 0
