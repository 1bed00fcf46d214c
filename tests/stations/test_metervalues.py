"""Meter values: every reading is kept, with the transaction it belongs to (OCPP 2.0.1 chapter J, 1.6 4.7)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from stations.models import MeterSample, Station, Transaction
from tests import v16
from tests.engine import Engine
from tests.network import Network


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


@pytest.fixture
def transaction(engine: Engine, station: Station) -> int:
    number: int = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    return number


def sample(network: Network, station: Station) -> MeterSample:
    (only,) = network.samples(station)
    return only


def charging(network: Network, station: Station) -> Transaction:
    return network.transactions(station)[-1]


def sampled(*values: dict[str, str], seconds: int = 300, **fields: Any) -> dict[str, Any]:
    """One moment with sampled values of one's own."""
    payload = v16.meters(None, seconds=seconds, **fields)
    payload["meterValue"][0]["sampledValue"] = list(values)
    return payload


def test_a_reading_is_one_sample_with_columns_and_the_rest_beside(
    network: Network, engine: Engine, station: Station, transaction: int
) -> None:
    payload = v16.meters(
        1500,
        transaction=transaction,
        Power_Active_Import="7360",
        Current_Import="32",
        Voltage="230",
        SoC="41.125",
        Temperature="31",
    )
    assert engine.say(station, "MeterValues", payload) == {}
    stored = sample(network, station)
    assert (stored.energy_wh, stored.power_w, stored.current_a, stored.voltage_v) == (1500, 7360, 32, 230)
    assert stored.soc_percent == Decimal("41.12")
    assert stored.extra == {"Temperature": "31 Celsius"}
    assert (stored.evse_number, stored.transaction_id, stored.context) == (1, charging(network, station).pk, "Sample.Periodic")


def test_the_running_transaction_shows_its_newest_reading(
    network: Network, engine: Engine, station: Station, transaction: int
) -> None:
    engine.say(station, "MeterValues", v16.meters(1500, 300, transaction, Power_Active_Import="7000", SoC="40"))
    engine.say(station, "MeterValues", v16.meters(2500, 200, transaction, Power_Active_Import="6000", SoC="50"))
    # One that was held up on the way changes nothing of what is shown.
    engine.say(station, "MeterValues", v16.meters(2000, 250, transaction, Power_Active_Import="9000", SoC="45"))
    now = charging(network, station)
    assert (now.energy_wh, now.meter_last_wh, now.power_w, now.soc_percent) == (1500, 2500, 6000, 50)
    assert len(network.samples(station)) == 3
    assert network.findings(station) == []


def test_the_message_is_answered_the_same_without_a_transaction(network: Network, engine: Engine, station: Station) -> None:
    assert engine.say(station, "MeterValues", v16.meters(1500)) == {}
    assert (sample(network, station).transaction_id, sample(network, station).energy_wh) == (None, 1500)
    assert network.findings(station) == []


def test_connector_0_is_the_main_meter_of_the_station(network: Network, engine: Engine, station: Station, transaction: int) -> None:
    assert engine.say(station, "MeterValues", v16.meters(987654, connector=0, context="Sample.Clock")) == {}
    assert (sample(network, station).evse_number, sample(network, station).transaction_id) == (0, None)
    assert charging(network, station).energy_wh == 0


def test_a_reading_that_names_no_transaction_belongs_to_the_only_open_one(
    network: Network, engine: Engine, station: Station, transaction: int
) -> None:
    engine.say(station, "MeterValues", v16.meters(1500))
    assert sample(network, station).transaction_id == charging(network, station).pk
    assert charging(network, station).energy_wh == 500


def test_a_reading_from_before_the_start_belongs_to_no_transaction(
    network: Network, engine: Engine, station: Station, transaction: int
) -> None:
    engine.say(station, "MeterValues", v16.meters(900, seconds=3600))
    assert sample(network, station).transaction_id is None
    assert charging(network, station).energy_wh == 0


@pytest.mark.parametrize("named", [-1, 0, 999_999_999])
def test_an_unknown_transaction_id_means_the_only_open_one_with_a_finding(
    network: Network, engine: Engine, station: Station, transaction: int, named: int
) -> None:
    """Stations make up ids for what they started offline (OCPP 1.6 errata 3.18)."""
    assert engine.say(station, "MeterValues", v16.meters(1500, transaction=named)) == {}
    assert sample(network, station).transaction_id == charging(network, station).pk
    assert network.finding(station, "transaction_attached").transaction_id == charging(network, station).pk


@pytest.mark.parametrize(("named", "findings"), [(-1, []), (0, []), (999_999_999, ["transaction_unknown"])])
def test_an_unknown_transaction_id_with_nothing_open_leaves_the_reading_with_the_evse(
    network: Network, engine: Engine, station: Station, named: int, findings: list[str]
) -> None:
    assert engine.say(station, "MeterValues", v16.meters(1500, transaction=named)) == {}
    assert sample(network, station).transaction_id is None
    assert network.findings(station) == findings


def test_another_stations_transaction_is_unknown_here(network: Network, engine: Engine, station: Station, transaction: int) -> None:
    elsewhere = network.station(accepted=True)
    engine.say(elsewhere, "MeterValues", v16.meters(1500, transaction=transaction))
    assert sample(network, elsewhere).transaction_id is None
    assert charging(network, station).energy_wh == 0


@pytest.mark.parametrize("who", ["the same process", "another process"])
def test_meter_values_after_the_stop_stay_with_the_ended_transaction(
    network: Network, engine: Engine, station: Station, transaction: int, who: str
) -> None:
    """Ocular and BS-EV22 send Transaction.End after the stop (lbbrhzn/ocpp#2075)."""
    engine.say(station, "StopTransaction", v16.stop(transaction))
    later = engine if who == "the same process" else Engine()
    assert later.say(station, "MeterValues", v16.meters(5000, 60, transaction, context="Transaction.End")) == {}
    ended = charging(network, station)
    assert (ended.status, ended.energy_wh, ended.power_w) == ("ended", 4000, None)
    assert sample(network, station).transaction_id == ended.pk


def test_stop_and_a_late_reading_in_one_batch(network: Network, engine: Engine, station: Station, transaction: int) -> None:
    engine.round(
        engine.inbound(station, "StopTransaction", v16.stop(transaction)),
        engine.inbound(station, "MeterValues", v16.meters(5000, 60, transaction)),
    )
    assert sample(network, station).transaction_id == charging(network, station).pk
    assert charging(network, station).status == "ended"


def test_a_register_that_falls_takes_no_energy_away(network: Network, engine: Engine, station: Station, transaction: int) -> None:
    """Meters drop out and report 0 in between (lbbrhzn/ocpp#374)."""
    for energy, seconds in ((3000, 300), (0, 240), (3500, 180)):
        engine.say(station, "MeterValues", v16.meters(energy, seconds, transaction))
    assert charging(network, station).energy_wh == 2500
    assert [s.energy_wh for s in network.samples(station)] == [3000, 0, 3500]
    assert network.finding(station, "register_decreased").transaction_id == charging(network, station).pk


def test_a_register_below_the_start_is_no_negative_energy(
    network: Network, engine: Engine, station: Station, transaction: int
) -> None:
    engine.say(station, "MeterValues", v16.meters(400, 300, transaction))
    assert charging(network, station).energy_wh == 0
    assert network.findings(station) == ["register_decreased"]


def test_kilowatt_hours_and_watt_hours_mix(network: Network, engine: Engine, station: Station, transaction: int) -> None:
    engine.say(station, "MeterValues", sampled({"value": "1.5", "unit": "kWh"}, transaction=transaction))
    engine.say(station, "MeterValues", sampled({"value": "1750.25", "unit": "Wh"}, transaction=transaction, seconds=200))
    assert charging(network, station).energy_wh == Decimal("750.25")


# The same moment twice


@pytest.mark.parametrize("together", [True, False])
def test_a_second_message_of_the_same_moment_fills_what_was_absent(
    network: Network, engine: Engine, station: Station, transaction: int, together: bool
) -> None:
    at = v16.meters(1500, 300, transaction)["meterValue"][0]["timestamp"]
    messages = [
        v16.meters(1500, transaction=transaction, Temperature="31"),
        v16.meters(None, transaction=transaction, Power_Active_Import="7360", Frequency="50"),
        v16.meters(1500, transaction=transaction),
    ]
    for message in messages:
        message["meterValue"][0]["timestamp"] = at
    inbound = [engine.inbound(station, "MeterValues", message) for message in messages]
    for group in [inbound] if together else [[one] for one in inbound]:
        engine.round(*group)
    stored = sample(network, station)
    assert (stored.energy_wh, stored.power_w) == (1500, 7360)
    assert set(stored.extra or {}) == {"Temperature", "Frequency"}
    assert network.findings(station) == []


@pytest.mark.parametrize("together", [True, False])
def test_a_second_message_that_says_something_else_is_a_finding_and_the_first_is_kept(
    network: Network, engine: Engine, station: Station, together: bool
) -> None:
    first, second = v16.meters(1500, Voltage="230"), v16.meters(1600, Voltage="230.0")
    second["meterValue"][0]["timestamp"] = first["meterValue"][0]["timestamp"]
    inbound = [engine.inbound(station, "MeterValues", message) for message in (first, second)]
    for group in [inbound] if together else [[one] for one in inbound]:
        engine.round(*group)
    assert sample(network, station).energy_wh == 1500
    finding = network.finding(station, "sample_differs")
    assert finding.subject == "energy_wh"
    assert "1500.000 was reported first and 1600.000 later" in finding.detail


def test_the_same_message_again_changes_nothing(network: Network, engine: Engine, station: Station, transaction: int) -> None:
    payload = v16.meters("1500.12345", transaction=transaction, SoC="55.125", Voltage="229.98765", Temperature="31")
    for _ in range(3):
        engine.say(station, "MeterValues", payload)
    assert len(network.samples(station)) == 1
    assert network.findings(station) == []


def test_contexts_of_one_moment_are_kept_apart(network: Network, engine: Engine, station: Station, transaction: int) -> None:
    periodic = v16.meters(1500, transaction=transaction)
    clock = v16.meters(1510, transaction=transaction, context="Sample.Clock")
    clock["meterValue"][0]["timestamp"] = periodic["meterValue"][0]["timestamp"]
    engine.round(engine.inbound(station, "MeterValues", periodic), engine.inbound(station, "MeterValues", clock))
    assert sorted((s.context, s.energy_wh) for s in network.samples(station)) == [("Sample.Clock", 1510), ("Sample.Periodic", 1500)]
    assert network.findings(station) == []


def test_what_a_stop_repeats_is_not_stored_twice(network: Network, engine: Engine, station: Station, transaction: int) -> None:
    payload = v16.meters(1500, transaction=transaction)
    engine.say(station, "MeterValues", payload)
    data = payload["meterValue"] + v16.meters(5000, 60, context="Transaction.End")["meterValue"]
    engine.say(station, "StopTransaction", v16.stop(transaction, transactionData=data))
    assert [(s.evse_number, s.context) for s in network.samples(station)] == [(1, "Sample.Periodic"), (1, "Transaction.End")]


# Odd ones


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-inf", "1e30", "-1e30", "1e99", "9" * 300, "0x1F", "--", "\x00"])
def test_an_absurd_value_never_breaks_a_batch(
    network: Network, engine: Engine, station: Station, transaction: int, value: str
) -> None:
    other = network.station(accepted=True)
    odd = sampled({"value": value}, {"value": "230", "measurand": "Voltage"}, transaction=transaction)
    frames = engine.round(engine.inbound(station, "MeterValues", odd), engine.inbound(other, "MeterValues", v16.meters(1500)))
    assert [frame[2] for frame in frames if frame] == [{}, {}]
    assert (sample(network, station).energy_wh, sample(network, station).voltage_v) == (None, 230)
    assert network.samples(other)[0].energy_wh == 1500
    assert charging(network, station).energy_wh == 0
    assert network.findings(station)
    assert "handler_failed" not in network.findings(station)


@pytest.mark.parametrize("number", [-1, 256, 99_999, 2**31 - 1, -(2**63), 2**63 - 1])
def test_an_absurd_connector_number_never_breaks_a_batch(
    network: Network, engine: Engine, station: Station, transaction: int, number: int
) -> None:
    frames = engine.round(
        engine.inbound(station, "MeterValues", v16.meters(1500, connector=number, transaction=transaction)),
        engine.inbound(station, "MeterValues", v16.meters(1600, connector=number)),
        engine.inbound(station, "MeterValues", v16.meters(1700, 100, transaction)),
    )
    assert [frame[2] for frame in frames if frame] == [{}, {}, {}]
    assert network.findings(station) == ["evse_impossible"]
    assert charging(network, station).energy_wh == 700


def test_an_absurd_transaction_id_is_unknown(network: Network, engine: Engine, station: Station) -> None:
    for number in (2**63 - 1, -(2**63)):
        assert engine.say(station, "MeterValues", v16.meters(1500, transaction=number)) == {}
    assert network.findings(station) == ["transaction_unknown"]


def test_a_clock_that_was_never_set_is_not_believed(network: Network, engine: Engine, station: Station, transaction: int) -> None:
    received = datetime.now(UTC).replace(microsecond=0)
    payload = v16.meters(1500)
    payload["meterValue"][0]["timestamp"] = "1970-01-01T00:05:00Z"
    engine.say(station, "MeterValues", payload, at=received)
    assert (sample(network, station).at, sample(network, station).transaction_id) == (received, charging(network, station).pk)
    assert network.findings(station) == ["clock_absurd"]


def test_a_reading_whose_time_cannot_be_read_is_left_out_with_a_finding(network: Network, engine: Engine, station: Station) -> None:
    payload = v16.meters(1500)
    payload["meterValue"].append({"timestamp": "half past nine", "sampledValue": [{"value": "1600"}]})
    assert engine.say(station, "MeterValues", payload) == {}
    assert sample(network, station).energy_wh == 1500
    assert network.findings(station) == ["time_unreadable"]


def test_numbers_for_values_and_an_object_for_a_list_are_mended(network: Network, engine: Engine, station: Station) -> None:
    payload = v16.meters(1500)
    payload["meterValue"] = payload["meterValue"][0] | {"sampledValue": {"value": 1500}}
    assert engine.say(station, "MeterValues", payload) == {}
    assert sample(network, station).energy_wh == 1500
    assert network.findings(station) == ["mended_type", "mended_type", "mended_type"]


def test_meter_values_beyond_mending_are_stored_raw_and_answered(network: Network, engine: Engine, station: Station) -> None:
    """A station that is refused its meter values sends them for ever."""
    assert engine.say(station, "MeterValues", {"connectorId": "one", "meterValue": "none"}) == {}
    (repair,) = network.repairs(station)
    assert (repair.action, repair.resolved_at) == ("MeterValues", None)
    assert '"one"' in repair.frame
    assert network.findings(station) == ["payload_invalid"]
