"""Numbered events that are odd: registers and clocks that cannot be, ends that never come, changes of version."""

import random
from typing import Any

import pytest

from stations.domain.values import Doubt
from stations.models import Station
from tests import v16
from tests.engine import Engine
from tests.network import Network
from tests.stations.charging import due, findings, only
from tests.v201 import at, ended, session, started, updated


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


def tell(engine: Engine, station: Station, *payloads: dict[str, Any]) -> list[Any]:
    return [engine.say(station, "TransactionEvent", payload) for payload in payloads]


# Meters


def test_registers_in_kwh_and_with_multipliers_are_exact(network: Network, engine: Engine, station: Station) -> None:
    kwh = {"value": 0.15012999999999999, "unitOfMeasure": {"unit": "kWh"}}
    tens = {"value": 30.013, "unitOfMeasure": {"multiplier": 1}}
    signed = {
        "value": 1000.13,
        "signedMeterValue": dict.fromkeys(("signedMeterData", "signingMethod", "encodingMethod", "publicKey"), "x"),
    }
    meters = [{"timestamp": at(n), "sampledValue": [one]} for n, one in enumerate((kwh, tens, signed))]
    tell(engine, station, started(wh=None, meterValue=meters[:1]), ended(1, minute=3, meterValue=meters[1:]))
    assert [str(sample.energy_wh) for sample in network.samples(station)] == ["150.130", "300.130", "1000.130"]
    assert str(only(network, station).energy_wh) == "850.000"
    assert "signedMeterData" in network.log(station)[-1].call


def test_a_register_that_falls_meanwhile_is_a_finding(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, started(), updated(1, wh=5000), updated(2, wh=0), ended(3, wh=6000))
    found = only(network, station)
    assert (found.energy_wh, found.doubt, findings(network, found)) == (5000, "", ["register_decreased"])


def test_a_register_that_ends_below_its_start_is_a_doubt(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, started(), ended(1, wh=10))
    found = only(network, station)
    assert found.doubt == Doubt.REGISTER
    assert findings(network, found) == ["register_decreased", "register_doubtful"]
    assert due(network) == []


def test_without_a_register_there_is_a_doubt(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, started(wh=None), ended(1))
    assert (only(network, station).doubt, only(network, station).energy_wh) == (Doubt.REGISTER, None)


def test_a_station_that_drops_what_is_between_is_billed_by_its_first_and_last(
    network: Network, engine: Engine, station: Station
) -> None:
    """Low on memory it drops every second Updated; its numbers show it (E04)."""
    tell(engine, station, *session()[:1], *session()[2:])
    assert (only(network, station).energy_wh, only(network, station).doubt) == (3000, Doubt.EVENTS_MISSING)


def test_a_clock_that_was_never_set_is_not_believed(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, started(timestamp="1970-01-01T00:00:05Z"), ended(1, timestamp="?", wh=None))
    found = only(network, station)
    assert found.started_at.year >= 2026
    assert found.stopped_at is not None
    assert found.stopped_at >= found.started_at
    assert "clock_absurd" in network.findings(station)


# Odd


def test_the_next_transaction_ends_the_one_whose_end_never_came(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, *session("a")[:3], *session("b", minute=10))
    old, new = network.transactions(station)
    assert (old.status, old.doubt, old.energy_wh) == ("ended", Doubt.STOP_MISSING, 2000)
    assert (new.status, new.doubt) == ("ended", "")
    assert due(network) == [new.pk]
    tell(engine, station, session("a")[3])
    old, new = network.transactions(station)
    assert (old.doubt, old.energy_wh) == ("", 3000)
    assert due(network) == sorted([old.pk, new.pk])


def test_an_event_beyond_mending_is_kept_for_repair(network: Network, engine: Engine, station: Station) -> None:
    broken = started(info={"transactionId": "x" * 40})
    assert tell(engine, station, broken) == [{}]
    (kept,) = network.repairs(station)
    assert kept.action == "TransactionEvent"
    assert "payload_invalid" in network.findings(station)
    assert network.transactions(station) == []


def test_the_end_of_a_session_without_its_trigger_does_not_vanish(network: Network, engine: Engine, station: Station) -> None:
    """matth-x/MicroOcpp#405"""
    last = ended(1, wh=2000)
    del last["triggerReason"]
    tell(engine, station, started(), last)
    assert (only(network, station).status, only(network, station).energy_wh) == ("ended", 1000)
    assert network.findings(station) == ["mended_required"]


def test_a_message_of_1_6_is_refused_with_words_and_a_finding(network: Network, engine: Engine, station: Station) -> None:
    """lbbrhzn/ocpp#2008"""
    frame = engine.say(station, "BootNotification", {"chargePointVendor": "FoxESS", "chargePointModel": "A022KP1"})
    assert frame[2:4] == ["FormatViolation", "This is a BootNotification of OCPP 1.6; the connection speaks 2.0.1."]
    assert network.findings(station) == ["payload_invalid"]


@pytest.mark.parametrize("evse", [{"id": 1000}, {"id": -1}, {"id": 1, "connectorId": 99}, {"id": 0}])
def test_a_connector_that_no_station_has_costs_no_energy(
    network: Network, engine: Engine, station: Station, evse: dict[str, int]
) -> None:
    tell(engine, station, started(evse=evse), ended(1, wh=2000, evse=evse))
    assert (only(network, station).energy_wh, only(network, station).doubt) == (1000, "")
    assert network.repairs(station) == []
    engine.say(
        station,
        "StatusNotification",
        {"timestamp": at(0), "connectorStatus": "Available"} | {"evseId": evse["id"], "connectorId": 70_000},
    )
    assert "handler_failed" not in network.findings(station)


def test_whole_numbers_written_with_a_point_are_whole_numbers(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, started(0.0, evse={"id": 1.0, "connectorId": 1.0}), ended(1.0, wh=2000.0))
    assert (only(network, station).doubt, only(network, station).energy_wh) == ("", 1000)
    assert network.repairs(station) == []


def test_numbers_beyond_any_column_cost_no_session(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, started(2**40, minute=0, info={"remoteStartId": -(2**63)}), ended(2**40 + 1, minute=5, wh=2000))
    assert (only(network, station).status, only(network, station).energy_wh) == ("ended", 1000)
    assert "value_absurd" in network.findings(station)
    assert "handler_failed" not in network.findings(station)


def test_a_setting_of_an_evse_that_no_station_has_is_not_kept(network: Network, engine: Engine, station: Station) -> None:
    data = {"component": {"name": "EVSE", "evse": {"id": 65_536}}, "variable": {"name": "Power"}, "variableAttribute": [{}]}
    engine.say(station, "NotifyReport", {"requestId": 1, "generatedAt": at(0), "seqNo": 0, "reportData": [data]})
    assert network.findings(station) == ["evse_impossible"]


def test_a_station_moves_to_2_0_1_and_back(network: Network, engine: Engine, station: Station) -> None:
    """Its tags and history stay; what it began in the other version is ended by rule, and healed if its stop comes after all."""
    old = Engine()
    number = old.say(station, "StartTransaction", v16.start())["transactionId"]
    boot = {"reason": "FirmwareUpdate", "chargingStation": {"vendorName": "Acme", "model": "Two"}}
    new = Engine("ocpp2.0.1")
    assert new.say(station, "BootNotification", boot)["status"] == "Accepted"
    assert (only(network, station).status, only(network, station).doubt) == ("ended", Doubt.STOP_MISSING)
    tell(new, station, *session("b")[:3])
    back = Engine()
    assert back.say(station, "BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "Two"})["status"] == "Accepted"
    assert [one.doubt for one in network.transactions(station)] == [Doubt.STOP_MISSING] * 2
    assert back.say(station, "StopTransaction", v16.stop(number)) == {}
    assert [one.doubt for one in network.transactions(station)] == ["", Doubt.STOP_MISSING]
    tell(Engine("ocpp2.0.1"), station, session("b")[3])
    assert [one.doubt for one in network.transactions(station)] == ["", ""]
    assert network.findings(station).count("protocol_changed") == 2
    assert len(network.outbox()) == 2


def test_two_stations_may_use_the_same_ids(network: Network, engine: Engine, station: Station) -> None:
    other = network.station(accepted=True)
    pairs = [(who, payload) for payload in session() for who in (station, other)]
    random.Random(1).shuffle(pairs)
    frames = engine.round(*[engine.inbound(who, "TransactionEvent", payload) for who, payload in pairs])
    assert all(frame and frame[0] == 3 for frame in frames)
    assert only(network, station).energy_wh == only(network, other).energy_wh == 3000
