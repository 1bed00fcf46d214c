"""Charging by app and web: what a plug is for a driver, who may start it, and whose sessions are whose."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts import drivers
from accounts.models import Operator, User
from stations import charging, places
from stations.models import Command, Connector, Evse, Site, Station
from stations.services.charging import Refused, start, stop, why_not
from tests.dashboard.reservationrows import made_reservation
from tests.dashboard.rows import finished, plug, seen, session
from tests.network import Network


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


def driver(network: Network, name: str = "dee") -> User:
    return drivers.sign_up(email=f"{name}.{network.tag}@example.org", password="charge-it-all-night", operator=network.operator)


@pytest.fixture
def dee(amber: Network) -> User:
    return driver(amber)


def at(connector: Connector, who: User | None = None) -> charging.Plug:
    found = charging.plug(connector.evse.station.identity, connector.evse.number, driver=who)
    assert found is not None
    return found


def refusal(who: User, connector: Connector) -> Refused:
    with pytest.raises(Refused) as refused:
        start(driver=who, evse=connector.evse)
    return refused.value


def own(who: User) -> Any:
    return drivers.token_of(who)


def test_a_free_plug_is_asked_to_start_with_the_drivers_own_token(amber: Network, dee: User) -> None:
    one = plug(amber)
    assert (at(one).state, at(one).free) == ("Available", True)
    command = start(driver=dee, evse=one.evse)
    assert (command.kind, command.requested_by, command.status) == ("remote_start", dee, "queued")
    assert command.params == {
        "id_token": own(dee).value,
        "evse": 1,
        "id_token_type": "Central",
        "charging_profile": None,
        "group": "",
    }
    assert start(driver=dee, evse=one.evse) == command, "pressed twice"
    assert at(one, dee).starting == command
    assert at(one).claimed
    assert not at(one).free


def test_the_same_key_is_the_same_start_and_another_drivers_key_is_another(amber: Network, dee: User) -> None:
    one, two = plug(amber), plug(amber)
    first = start(driver=dee, evse=one.evse, idempotency_key="k")
    with scopes_disabled():
        Command.objects.update(status="rejected")
    assert start(driver=dee, evse=one.evse, idempotency_key="k") == first
    assert start(driver=driver(amber, "ed"), evse=two.evse, idempotency_key="k") != first


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("Faulted", "faulted"),
        ("Unavailable", "unavailable"),
        ("Reserved", "reserved"),
        ("Charging", "occupied"),
        ("SuspendedEV", "occupied"),
        ("Occupied", "occupied"),
    ],
)
def test_a_plug_that_cannot_charge_says_why_and_what_to_do(amber: Network, dee: User, status: str, code: str) -> None:
    one = plug(amber, status)
    refused = refusal(dee, one)
    assert (refused.code, refused.others) == (code, [])
    assert "another charger" in str(refused)
    plug(amber, "Available", station=one.evse.station)
    refused = refusal(dee, one)
    assert refused.others == [2]
    assert str(refused).endswith("Try plug 2.")
    shown = why_not(at(one, dee))
    assert shown is not None
    assert shown.code == code


@pytest.mark.parametrize("evse", [1, None])
def test_a_plug_that_is_reserved_for_the_driver_is_theirs_to_start(amber: Network, dee: User, evse: int | None) -> None:
    one, ed = plug(amber, "Reserved"), driver(amber, "ed")
    card = amber.token("DEES-CARD", driver=dee)
    with scopes_disabled():
        made_reservation(one.evse.station, evse_number=evse, id_tag=card.value, id_token=card)
    assert why_not(at(one, dee)) is None
    assert refusal(ed, one).code == "reserved"
    assert start(driver=dee, evse=one.evse).params == {
        "id_token": "DEES-CARD",
        "evse": 1,
        "id_token_type": "ISO14443",
        "charging_profile": None,
        "group": "",
    }


@pytest.mark.parametrize("evse", [1, None])
def test_what_is_reserved_for_a_group_is_its_drivers_to_start_with_their_own_tag(
    amber: Network, dee: User, evse: int | None
) -> None:
    one, ed, other = plug(amber, "Reserved"), driver(amber, "ed"), Network()
    flo = driver(other, "flo")
    for network, name, group, who in (
        (amber, "BOSS", "Fleet", None),
        (amber, "DEES-CARD", "Fleet", dee),
        (amber, "EDS-CARD", "Others", ed),
        (other, "FLOS-CARD", "Fleet", flo),
    ):
        network.token(name, group=group, driver=who)
    with scopes_disabled():
        made_reservation(one.evse.station, evse_number=evse, id_tag="BOSS", group="FLEET")
    assert [at(one, who).free for who in (dee, ed, flo)] == [True, False, False]
    command = start(driver=dee, evse=one.evse)
    assert (command.params["id_token"], command.params["id_token_type"], command.facts) == (
        "DEES-CARD",
        "ISO14443",
        {"group": "Fleet"},
    )


@pytest.mark.parametrize("fields", [{"status": "Blocked"}, {"expires_at": timezone.now() - timedelta(days=1)}])
def test_a_tag_that_may_not_charge_starts_nothing_of_its_group(amber: Network, dee: User, fields: dict[str, Any]) -> None:
    one = plug(amber, "Reserved")
    amber.token("DEES-CARD", group="FLEET", driver=dee, **fields)
    with scopes_disabled():
        made_reservation(one.evse.station, id_tag="BOSS", group="FLEET")
    assert refusal(dee, one).code == "reserved"


@pytest.mark.parametrize("status", ["Available", "Preparing", "Finishing"])
def test_the_car_may_be_plugged_in_before_or_after(amber: Network, dee: User, status: str) -> None:
    one = plug(amber, status)
    assert why_not(at(one)) is None
    assert start(driver=dee, evse=one.evse).pk


def test_an_offline_charger_and_one_that_was_never_accepted_are_not_asked(amber: Network, dee: User) -> None:
    one = plug(amber)
    seen(one.evse.station, ago=timedelta(hours=1))
    assert (refusal(dee, one).code, at(one).state) == ("offline", "Offline")
    station = amber.station()
    seen(station)
    assert refusal(dee, plug(amber, station=station)).code == "offline"


def test_somebody_elses_session_or_start_is_in_the_way(amber: Network, dee: User) -> None:
    ed = driver(amber, "ed")
    one, two = plug(amber), plug(amber)
    start(driver=ed, evse=one.evse)
    assert refusal(dee, one).code == "claimed"
    session(two, id_token=own(ed))
    assert refusal(dee, two).code == "occupied"
    assert refusal(ed, two).code == "mine"
    assert at(two, ed).mine
    assert not at(two, dee).mine


def test_of_two_drivers_who_press_at_once_one_starts(network: Network) -> None:
    dee, ed, one = driver(network), driver(network, "ed"), plug(network)

    def impatient() -> str:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
                start(driver=ed, evse=one.evse)
            return "started"
        except OperationalError:
            return "waits for the other"
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as another:
        assert start(driver=dee, evse=one.evse).pk
        assert another.submit(impatient).result() == "waits for the other"
    assert refusal(ed, one).code == "claimed"


def test_staff_drivers_of_another_network_and_the_blocked_start_nothing(amber: Network, dee: User) -> None:
    one = plug(amber)
    cobalt = Network()
    assert refusal(driver(cobalt, "cy"), one).code == "not_yours"
    assert refusal(amber.user(), one).code == "not_yours"
    drivers.block(driver=dee, because="Unpaid bill")
    refused = refusal(dee, one)
    assert (refused.code, "Unpaid bill." in str(refused)) == ("blocked", True)
    drivers.unblock(driver=dee)
    assert start(driver=dee, evse=one.evse).pk


def test_where_a_driver_may_charge_once_only_the_second_start_names_the_first(amber: Network, dee: User) -> None:
    one, two = plug(amber), plug(amber)
    session(one, id_token=own(dee))
    assert start(driver=dee, evse=two.evse).pk
    Operator.objects.update(concurrent_transactions=False)
    with scopes_disabled():
        Command.objects.all().delete()
        two = Connector.objects.select_related("evse__station__operator").get(pk=two.pk)
    refused = refusal(dee, two)
    assert (refused.code, one.evse.station.identity in str(refused)) == ("elsewhere", True)


def test_a_session_is_stopped_by_its_driver_once(amber: Network, dee: User) -> None:
    ed = driver(amber, "ed")
    one = plug(amber, "Charging")
    running = session(one, id_token=own(dee))
    with pytest.raises(Refused) as refused:
        stop(driver=ed, transaction=running)
    assert refused.value.code == "not_yours"
    command = stop(driver=dee, transaction=running)
    assert (command.kind, command.params) == ("remote_stop", {"transaction": running.ocpp_transaction_id})
    assert stop(driver=dee, transaction=running) == command
    done = finished(one, id_token=own(dee))
    with pytest.raises(Refused) as refused:
        stop(driver=dee, transaction=done)
    assert refused.value.code == "ended"


def test_an_offline_charger_cannot_be_asked_to_stop(amber: Network, dee: User) -> None:
    one = plug(amber, "Charging")
    running = session(one, id_token=own(dee))
    seen(one.evse.station, ago=timedelta(hours=1))
    with pytest.raises(Refused) as refused:
        stop(driver=dee, transaction=running)
    assert refused.value.code == "offline"


def test_a_history_holds_ones_own_and_nothing_from_before_a_card_was_ones_own(amber: Network, dee: User) -> None:
    ed = driver(amber, "ed")
    one = plug(amber)
    card = amber.token("04A1B2")
    before = finished(one, id_token=card)
    drivers.add_id_tag(driver=dee, value="04A1B2")
    mine = session(one, id_token=own(dee))
    after = finished(one, id_token=card, started_at=timezone.now())
    finished(one, id_token=own(ed))
    assert list(charging.history(dee)) == [after, mine]
    assert charging.running(dee) == [mine]
    assert before not in charging.history(dee)


def test_a_card_that_is_taken_away_leaves_what_was_charged_with_it(amber: Network, dee: User) -> None:
    ed, one = driver(amber, "ed"), plug(amber)
    card = drivers.add_id_tag(driver=dee, value="04A1B2")
    mine = finished(one, id_token=card, started_at=timezone.now())
    running = session(one, id_token=card, started_at=timezone.now())
    drivers.remove_id_tag(driver=dee, token=card)
    nobodys = finished(one, id_token=card, started_at=timezone.now())
    drivers.add_id_tag(driver=ed, value="04A1B2")
    eds = finished(one, id_token=card, started_at=timezone.now())
    assert list(charging.history(dee)) == [running, mine]
    assert list(charging.history(ed)) == [eds]
    assert nobodys not in charging.history(ed)
    assert at(one, dee).mine
    assert not at(one, ed).mine
    assert stop(driver=dee, transaction=running).pk


def test_what_a_card_was_charging_when_it_was_given_is_not_its_new_drivers(amber: Network, dee: User) -> None:
    one = plug(amber, "Charging")
    session(one, id_token=amber.token("04A1B2"))
    drivers.add_id_tag(driver=dee, value="04A1B2")
    assert not at(one, dee).mine
    assert refusal(dee, one).code == "occupied"


def test_what_comes_of_a_start_is_followed_to_the_session(amber: Network, dee: User) -> None:
    one = plug(amber)
    command = start(driver=dee, evse=one.evse)
    later = timezone.now() + timedelta(minutes=3)

    def now(**fields: Any) -> charging.Start:
        with scopes_disabled():
            Command.objects.filter(pk=command.pk).update(**fields)
            command.refresh_from_db()
        return charging.follow(command, driver=dee)

    assert now().state == "asking"
    assert now(status="sent", sent_at=timezone.now()).state == "asking"
    assert (now(status="accepted", effect_due_at=later).state, now().until) == ("plug_in", later)
    running = session(one, id_token=own(dee), received_at=timezone.now())
    assert (now().state, now().session) == ("charging", running)
    assert now(status="confirmed").session == running
    assert (now(status="rejected", detail="Occupied").state, now().because) == ("failed", "Occupied")


@pytest.mark.parametrize("status", ["timed_out", "no_effect"])
def test_a_start_that_came_late_or_whose_answer_was_lost_is_followed_all_the_same(amber: Network, dee: User, status: str) -> None:
    one = plug(amber)
    command, now = start(driver=dee, evse=one.evse), timezone.now()
    with scopes_disabled():
        Command.objects.update(status=status, finished_at=now)
        command.refresh_from_db()
    much_later = session(one, id_token=own(dee), received_at=now + timedelta(minutes=11))
    assert charging.follow(command, driver=dee).state == "failed"
    late = session(one, id_token=own(dee), received_at=now + timedelta(minutes=1))
    assert charging.follow(command, driver=dee) == charging.Start(command, "charging", session=late)
    assert much_later in charging.history(dee)


def test_what_comes_of_a_stop_is_followed_to_the_end(amber: Network, dee: User) -> None:
    one = plug(amber, "Charging")
    running = session(one, id_token=own(dee))
    command = stop(driver=dee, transaction=running)
    assert charging.follow(command, driver=dee).state == "asking"
    with scopes_disabled():
        type(running).objects.filter(pk=running.pk).update(status="ended")
    found = charging.follow(command, driver=dee)
    assert (found.state, found.session) == ("stopped", running)


def test_what_a_plug_costs_to_read_does_not_depend_on_how_many_there_are(
    amber: Network, dee: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    one = plug(amber)
    for _ in range(6):
        session(plug(amber, "Charging", station=one.evse.station))
    with django_assert_num_queries(5):  # the plug; all of the station: connectors, sessions, starts, the driver's tags
        at(one, dee)
    assert charging.plug("NOWHERE", 1) is None
    assert charging.plug(one.evse.station.identity, 99) is None


def test_an_evse_that_never_told_its_status_is_no_plug_yet(amber: Network) -> None:
    station = plug(amber).evse.station
    with scopes_disabled():
        Evse.objects.create(station=station, number=2)
    assert charging.plug(station.identity, 2) is None


# Places


def site(network: Network, name: str, latitude: float | None, longitude: float | None) -> Site:
    with scopes_disabled():
        found = Site.objects.create(operator=network.operator, name=name, latitude=latitude, longitude=longitude)
        station = network.station(accepted=True)
        Station.objects.filter(pk=station.pk).update(site=found)
    return found


def test_sites_are_found_by_distance_across_the_date_line_and_near_the_pole(amber: Network) -> None:
    harbour, museum = site(amber, "Harbour", 52.3797, 4.9018), site(amber, "Museum", 52.3584, 4.8811)
    fiji, pole = site(amber, "Fiji", -16.8, 179.99), site(amber, "Pole", 89.99, -120)
    site(amber, "Nobody knows where", None, None)
    with scopes_disabled():
        found = list(places.near(52.38, 4.90, 5000))
        assert found == [harbour, museum]
        distances = [round(one.distance_m) for one in found]  # type: ignore[attr-defined]
        assert distances[0] < 200
        assert 2500 < distances[1] < 2900
        assert list(places.near(52.38, 4.90, 500)) == [harbour]
        assert list(places.near(-16.8, -179.99, 5000)) == [fiji]
        assert list(places.near(89.99, 60, 5000)) == [pole]
        assert list(places.near(89.999, 60, 100_000)) == [pole]
        assert list(places.near(0, 0, 1000)) == []
        assert [one.name for one in places.sites()] == ["Fiji", "Harbour", "Museum", "Nobody knows where", "Pole"]


def test_the_plugs_of_sites_stand_at_their_site(amber: Network, dee: User) -> None:
    harbour, museum = site(amber, "Harbour", 1, 1), site(amber, "Museum", 2, 2)
    with scopes_disabled():
        station = Station.objects.get(site=harbour)
        seen(station)
        plug(amber, station=station)
        plug(amber, "Faulted", station=station)
        found = places.plugs([harbour, museum], driver=dee)
    assert [(one.evse.number, one.state, one.free) for one in found[harbour.pk]] == [(1, "Available", True), (2, "Faulted", False)]
    assert museum.pk not in found
