"""Which connectors can be used (OCPP 2.0.1 chapter G, 1.6 4.9)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from stations.models import Evse, Station
from tests import v16
from tests.engine import Engine
from tests.network import Network


@pytest.fixture
def station(network: Network) -> Station:
    return network.station(accepted=True)


def current(network: Network, station: Station, evse: int = 1) -> tuple[str, str, str]:
    connector = network.connectors(station)[evse]
    return connector.status, connector.error_code, connector.info


def test_a_connector_is_made_when_it_is_first_heard_of(network: Network, engine: Engine, station: Station) -> None:
    for number in (2, 1):
        assert engine.say(station, "StatusNotification", v16.status("Preparing", connector=number)) == {}
    assert {number: c.status for number, c in network.connectors(station).items()} == {1: "Preparing", 2: "Preparing"}
    assert all(c.number == 1 for c in network.connectors(station).values())


def test_the_newest_state_wins_and_all_are_kept(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StatusNotification", v16.status("Charging", seconds=60))
    engine.say(station, "StatusNotification", v16.status("Available", seconds=3600))
    assert current(network, station)[0] == "Charging"
    assert [entry.status for entry in network.history(station)] == ["Charging", "Available"]


def test_an_older_state_does_not_win_for_another_process_either(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StatusNotification", v16.status("Charging", seconds=60))
    Engine().say(station, "StatusNotification", v16.status("Available", seconds=3600))
    assert current(network, station)[0] == "Charging"


def test_states_of_the_same_second_keep_the_order_of_their_arrival(network: Network, engine: Engine, station: Station) -> None:
    payload = v16.status("Preparing")
    engine.round(*(engine.inbound(station, "StatusNotification", payload | {"status": s}) for s in ("Preparing", "Charging")))
    assert current(network, station)[0] == "Charging"


def test_a_state_without_a_time_happened_when_it_came(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StatusNotification", v16.status("Charging", seconds=60))
    engine.say(station, "StatusNotification", v16.status("Finishing", seconds=None))
    assert current(network, station)[0] == "Finishing"
    assert network.findings(station) == []


@pytest.mark.parametrize(
    "clock", ["1970-01-01T00:00:00.740Z", "2099-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_a_clock_that_was_never_set_is_not_believed(network: Network, engine: Engine, station: Station, clock: str) -> None:
    received = datetime.now(UTC).replace(microsecond=0)
    engine.say(
        station, "StatusNotification", v16.status("Faulted", connector=1, error="OtherError") | {"timestamp": clock}, at=received
    )
    (entry,) = network.history(station)
    assert entry.at == entry.received_at == received
    assert current(network, station)[:2] == ("Faulted", "OtherError")
    assert network.findings(station) == ["clock_absurd"]


def test_what_an_hour_that_is_to_come_says_happened_when_it_came(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StatusNotification", v16.status("Available", seconds=-3600))
    (entry,) = network.history(station)
    assert entry.at == entry.received_at
    assert network.findings(station) == ["clock_ahead"]


def test_connector_0_is_the_station_as_a_whole(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StatusNotification", v16.status("Unavailable", connector=0, error="PowerMeterFailure", seconds=10))
    engine.say(station, "StatusNotification", v16.status("Available", connector=0, seconds=100))
    known = Station.objects.with_scopes_disabled().get(pk=station.pk)
    assert (known.status, known.error_code) == ("Unavailable", "PowerMeterFailure")
    assert network.connectors(station) == {}
    assert [(entry.evse_number, entry.connector_number) for entry in network.history(station)] == [(0, 0), (0, 0)]


def test_an_error_goes_with_the_state_it_came_with(network: Network, engine: Engine, station: Station) -> None:
    fault = v16.status("Faulted", seconds=60, error="GroundFailure", info="RCD", vendorId="com.example", vendorErrorCode="E7")
    engine.say(station, "StatusNotification", fault)
    assert current(network, station) == ("Faulted", "GroundFailure", "RCD")
    engine.say(station, "StatusNotification", v16.status("Available"))
    assert current(network, station) == ("Available", "", "")
    assert [entry.vendor_error_code for entry in network.history(station)] == ["E7", ""]


@pytest.mark.parametrize("number", [-1, 256, 2**31 - 1, -(2**63), 2**63 - 1])
def test_an_absurd_connector_number_is_answered_and_noted_and_makes_nothing(
    network: Network, engine: Engine, station: Station, number: int
) -> None:
    wrong, right = engine.round(
        engine.inbound(station, "StatusNotification", v16.status("Available", connector=number)),
        engine.inbound(station, "StatusNotification", v16.status("Available", connector=1)),
    )
    assert [frame[2] for frame in (wrong, right) if frame] == [{}, {}]
    assert list(network.connectors(station)) == [1]
    assert network.finding(station, "evse_impossible").subject == str(number)


def test_a_station_cannot_have_connectors_without_end(network: Network, engine: Engine, station: Station) -> None:
    engine.round(*(engine.inbound(station, "StatusNotification", v16.status("Available", connector=n)) for n in range(1, 100)))
    assert Evse.objects.with_scopes_disabled().filter(station=station).count() == 64
    assert "evse_impossible" in network.findings(station)


def test_a_state_nobody_knows_is_refused(network: Network, engine: Engine, station: Station) -> None:
    assert engine.say(station, "StatusNotification", v16.status("Hungry"))[2] == "PropertyConstraintViolation"
    assert network.findings(station) == ["payload_invalid"]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"status": "occupied"}, ("Preparing", "", "")),
        ({"status": "suspendedEV", "errorCode": "no_error"}, ("SuspendedEV", "", "")),
        ({"errorCode": None}, ("Available", "", "")),
        ({"errorCode": "Explosion", "info": "x" * 80}, ("Available", "OtherError", "x" * 50)),
        ({"info": "a\x00b", "vendorErrorCode": "\x00"}, ("Available", "", "ab")),
        ({"connectorId": "1", "info": 17}, ("Available", "", "17")),
    ],
)
def test_odd_states_are_understood_with_a_finding(
    network: Network, engine: Engine, station: Station, sent: dict[str, Any], stored: tuple[str, str, str]
) -> None:
    assert engine.say(station, "StatusNotification", v16.status("Available") | sent) == {}
    assert current(network, station) == stored
    assert network.findings(station)


def test_a_transaction_is_not_derived_from_a_state(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StatusNotification", v16.status("Charging"))
    engine.say(station, "StatusNotification", v16.status("Available"))
    assert network.transactions(station) == []
