"""Stops that are odd, late, lost or sent again: always answered, and energy never lost (OCPP 1.6 4.10, errata 3.18)."""

from typing import Any

import pytest

from stations.domain.values import Doubt
from stations.models import Station
from tests import v16
from tests.engine import Engine
from tests.network import Network
from tests.stations.charging import due, findings, only, started


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


# Odd stops


@pytest.mark.parametrize("how", ["within one batch", "in the next batch", "from another process"])
def test_a_stop_that_is_sent_again_changes_nothing(network: Network, engine: Engine, station: Station, how: str) -> None:
    payload = v16.stop(started(engine, station), idTag="CARD")
    inbound = [engine.inbound(station, "StopTransaction", payload) for _ in range(2)]
    if how == "within one batch":
        frames = engine.round(*inbound)
    else:
        frames = engine.round(inbound[0]) + (Engine() if how == "from another process" else engine).round(inbound[1])
    assert [frame[2] for frame in frames if frame] == [{"idTagInfo": {"status": "Accepted"}}] * 2
    assert only(network, station).energy_wh == 4000
    assert network.findings(station) == []
    assert due(network) == [only(network, station).pk]


def test_a_second_stop_that_says_something_else_is_a_finding_and_the_first_is_kept(
    network: Network, engine: Engine, station: Station
) -> None:
    number = started(engine, station)
    for meter in (5000, 6000):
        assert engine.say(station, "StopTransaction", v16.stop(number, meter=meter)) == {}
    assert only(network, station).energy_wh == 4000
    assert network.findings(station) == ["stop_differs"]


@pytest.mark.parametrize("named", [-1, 0, 999_999_999])
def test_a_stop_of_an_unknown_id_ends_the_open_transaction_it_fits(
    network: Network, engine: Engine, station: Station, named: int
) -> None:
    """libocpp#495: started offline, the station has no id for it (OCPP 1.6 errata 3.18)."""
    started(engine, station)
    assert engine.say(station, "StopTransaction", v16.stop(named)) == {}
    assert (only(network, station).status, only(network, station).energy_wh) == ("ended", 4000)
    assert findings(network, only(network, station)) == ["transaction_attached"]


@pytest.mark.parametrize("how", ["within one batch", "in the next batch", "from another process"])
def test_a_stop_that_was_attached_is_not_kept_apart_when_it_is_sent_again(
    network: Network, engine: Engine, station: Station, how: str
) -> None:
    started(engine, station)
    inbound = [engine.inbound(station, "StopTransaction", v16.stop(-1, seconds=60)) for _ in range(2)]
    inbound[1].call = inbound[0].call
    if how == "within one batch":
        engine.round(*inbound)
    else:
        engine.round(inbound[0])
        (Engine() if how == "from another process" else engine).round(inbound[1])
    assert (only(network, station).energy_wh, only(network, station).doubt, due(network)) == (4000, "stop_attached", [])


def test_of_two_open_ones_an_unknown_stop_ends_that_of_its_tag(network: Network, engine: Engine, station: Station) -> None:
    network.token("OTHER")
    started(engine, station, connector=1)
    started(engine, station, connector=2, tag="OTHER")
    engine.say(station, "StopTransaction", v16.stop(-1, idTag="other"))
    assert [(t.id_tag, t.status) for t in network.transactions(station)] == [("CARD", "active"), ("OTHER", "ended")]


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param({"seconds": 3600}, id="before the open one began"),
        pytest.param({"meter": 500}, id="with a register below the open one's"),
    ],
)
def test_an_unknown_stop_that_fits_no_open_transaction_is_kept_apart(
    network: Network, engine: Engine, station: Station, stop: dict[str, Any]
) -> None:
    started(engine, station)
    engine.say(station, "StopTransaction", v16.stop(-1, **stop))
    open_one, orphan = network.transactions(station)
    assert open_one.status == "active"
    assert (orphan.status, orphan.doubt, orphan.energy_wh) == ("ended", Doubt.START_MISSING, None)


@pytest.mark.parametrize("how", ["within one batch", "in the next batch", "from another process"])
def test_a_stop_without_a_start_is_kept_once_and_not_billed(network: Network, engine: Engine, station: Station, how: str) -> None:
    data = v16.meters(1000, 600, context="Transaction.Begin")["meterValue"] + v16.meters(5000, 60)["meterValue"]
    payload = v16.stop(4711, idTag="CARD", transactionData=data)
    inbound = [engine.inbound(station, "StopTransaction", payload) for _ in range(2)]
    if how == "within one batch":
        frames = engine.round(*inbound)
    else:
        frames = engine.round(inbound[0]) + (Engine() if how == "from another process" else engine).round(inbound[1])
    assert [frame[2] for frame in frames if frame] == [{"idTagInfo": {"status": "Accepted"}}] * 2
    orphan = only(network, station)
    assert (orphan.status, orphan.doubt, orphan.meter_stop_wh, orphan.id_tag) == ("ended", Doubt.START_MISSING, 5000, "CARD")
    assert orphan.started_at < (orphan.stopped_at or orphan.started_at)
    assert findings(network, orphan) == ["start_missing"]
    assert [s.transaction_id for s in network.samples(station)] == [orphan.pk] * 2
    assert due(network) == []


def test_stops_of_several_lost_starts_are_kept_apart(network: Network, engine: Engine, station: Station) -> None:
    for clock, meter in (("soon", 100), ("soon", 200), ("1970-01-01T00:00:01Z", 200)):
        engine.say(station, "StopTransaction", v16.stop(-1, meter=meter) | {"timestamp": clock})
    assert [t.meter_stop_wh for t in network.transactions(station)] == [100, 200, 200]


def test_another_stations_transaction_cannot_be_stopped(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station)
    elsewhere = network.station(accepted=True)
    assert engine.say(elsewhere, "StopTransaction", v16.stop(number)) == {}
    assert only(network, station).status == "active"
    assert only(network, elsewhere).doubt == Doubt.START_MISSING


@pytest.mark.parametrize(("meter", "energy"), [(26008.333, 25008), ("26008,5", 25008), ("2.6e4", 25000), (26008.0, 25008)])
def test_a_fractional_register_closes_the_transaction(
    network: Network, engine: Engine, station: Station, meter: Any, energy: int
) -> None:
    """A strict server stranded sessions for ever (ocpp-cp-simulator#83)."""
    number = started(engine, station)
    assert engine.say(station, "StopTransaction", v16.stop(number, meter=meter)) == {}
    assert (only(network, station).status, only(network, station).energy_wh) == ("ended", energy)
    assert network.findings(station) == ["mended_type"]


def test_a_register_below_its_start_is_a_doubt_and_not_billed(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station, meter=9000)
    engine.say(station, "StopTransaction", v16.stop(number, meter=100))
    transaction = only(network, station)
    assert (transaction.doubt, transaction.meter_stop_wh, transaction.energy_wh) == (Doubt.REGISTER, 100, 0)
    assert findings(network, transaction) == ["register_doubtful"]
    assert due(network) == []


@pytest.mark.parametrize(("reading", "doubt"), [(5040, ""), (6000, Doubt.REGISTER)])
def test_a_stop_below_the_last_reading_is_a_doubt_unless_it_was_rounded(
    network: Network, engine: Engine, station: Station, reading: int, doubt: str
) -> None:
    number = started(engine, station, meter=1000)
    engine.say(station, "MeterValues", v16.meters(reading, 300, number))
    engine.say(station, "StopTransaction", v16.stop(number, meter=5000))
    assert (only(network, station).energy_wh, only(network, station).doubt) == (4000, doubt)
    assert network.findings(station) == ["register_decreased"]
    assert due(network) == ([] if doubt else [only(network, station).pk])


def test_a_stop_before_its_start_ends_when_it_began(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station, seconds=600)
    engine.say(station, "StopTransaction", v16.stop(number, seconds=3600))
    transaction = only(network, station)
    assert transaction.stopped_at == transaction.started_at
    assert findings(network, transaction) == ["stop_before_start"]


def test_a_stop_brings_its_readings_and_has_the_last_word_itself(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station, meter=1000)
    data = v16.meters(1000, 600, context="Transaction.Begin")["meterValue"]
    data += v16.meters(3000, 300, Power_Active_Import="7000")["meterValue"]
    engine.say(station, "StopTransaction", v16.stop(number, meter=5000, transactionData=data))
    transaction = only(network, station)
    assert (transaction.energy_wh, transaction.power_w) == (4000, None)
    assert [(s.context, s.energy_wh) for s in network.samples(station)] == [("Transaction.Begin", 1000), ("Sample.Periodic", 3000)]


# Abandoned ones


@pytest.mark.parametrize("how", ["within one batch", "in the next batch", "from another process"])
def test_an_abandoned_transaction_is_closed_by_the_next_start_and_repaired_by_its_late_stop(
    network: Network, engine: Engine, station: Station, how: str
) -> None:
    old = started(engine, station, seconds=7200, meter=1000)
    engine.say(station, "MeterValues", v16.meters(3000, 5400, old))
    next_start = engine.inbound(station, "StartTransaction", v16.start(seconds=600, meter=4000))
    data = v16.meters(4000, 3600, context="Transaction.End")["meterValue"]
    # Its stop comes after the next one began, and with a time and a register that would fit that one too.
    late_stop = engine.inbound(station, "StopTransaction", v16.stop(old, seconds=300, meter=4000, transactionData=data))
    if how == "within one batch":
        engine.round(next_start, late_stop)
    else:
        engine.round(next_start)
        abandoned, running = network.transactions(station)
        assert (abandoned.status, abandoned.doubt, running.status) == ("ended", Doubt.STOP_MISSING, "active")
        assert abandoned.stopped_at == abandoned.meter_last_at
        assert (abandoned.energy_wh, due(network)) == (2000, [])
        (Engine() if how == "from another process" else engine).round(late_stop)
    repaired, running = network.transactions(station)
    assert (repaired.status, repaired.doubt, repaired.energy_wh, running.status) == ("ended", "", 3000, "active")
    assert due(network) == [repaired.pk]
    assert [(s.transaction_id, s.evse_number) for s in network.samples(station)] == [(repaired.pk, 1)] * 2
    assert findings(network, repaired) == ["stop_missing"]


def test_a_late_reading_of_an_abandoned_transaction_stays_with_it(network: Network, engine: Engine, station: Station) -> None:
    old = started(engine, station, seconds=7200)
    engine.round(
        engine.inbound(station, "StartTransaction", v16.start(seconds=600)),
        engine.inbound(station, "MeterValues", v16.meters(2000, 1000, old)),
    )
    assert [s.transaction_id for s in network.samples(station)] == [network.transactions(station)[0].pk]


def test_another_evses_transaction_is_not_abandoned(network: Network, engine: Engine, station: Station) -> None:
    started(engine, station, seconds=7200, connector=1)
    started(engine, station, seconds=600, connector=2)
    assert [t.status for t in network.transactions(station)] == ["active", "active"]


def test_an_older_start_that_comes_late_closes_nothing(network: Network, engine: Engine, station: Station) -> None:
    """It waited in the queue of a station that was offline, and its stop is behind it there."""
    started(engine, station, seconds=600)
    started(engine, station, seconds=7200)
    assert [t.status for t in network.transactions(station)] == ["active", "active"]
