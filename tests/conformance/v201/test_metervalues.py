"""J: meter values at fixed times and at intervals, of a transaction or of none."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201, ago
from tests.network import Network

SIGNED = {"signedMeterData": "T0NNRg", "signingMethod": "ECDSA", "encodingMethod": "OCMF", "publicKey": "Zm9v"}


def value(wh: float, context: str, *, at: str = "", **more: Any) -> list[dict[str, Any]]:
    """The meterValue of a message: a register, and the power beside it."""
    power = {"value": 7.4, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "kW"}, "context": context}
    return [{"timestamp": at or ago(0), "sampledValue": [{"value": wh, "context": context} | more, power]}]


def samples(station: Station201, api: Api) -> list[tuple[str, float]]:
    """Context and register, the oldest first."""
    rows = sorted(api.of(station, "meter-samples/"), key=lambda row: row["id"])
    return [(row["context"], row["energy_wh"]) for row in rows]


@case("2.0.1", "TC_J_01_CSMS", requirement="OCPP 2.0.1 J01")
def test_clock_aligned_without_a_transaction(station: Station201, api: Api) -> None:
    assert station.call("MeterValues", evseId=1, meterValue=value(500, "Sample.Clock", at=ago(20))) == {}
    assert station.call("MeterValues", evseId=0, meterValue=value(9000, "Sample.Clock", at=ago(10))) == {}
    rows = {row["evse"]: row for row in api.of(station, "meter-samples/")}
    assert (rows[1]["energy_wh"], rows[1]["power_w"], rows[1]["transaction"]) == (500, 7400, None)
    assert (rows[0]["energy_wh"], rows[0]["context"]) == (9000, "Sample.Clock")


def told(station: Station201, api: Api, network: Network, context: str, trigger: str) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000, context="Transaction.Begin")
    charging.updated(trigger, meterValue=value(1250, context, at=ago(5)))
    kept = api.transaction(station)
    assert (kept["energy_wh"], kept["power_w"], kept["status"]) == (250, 7400, "active")
    assert samples(station, api) == [("Transaction.Begin", 1000), (context, 1250)]
    assert len(api.of(station, "meter-samples/", transaction=kept["id"])) == 2


@case("2.0.1", "TC_J_02_CSMS", requirement="OCPP 2.0.1 J01")
def test_clock_aligned_in_a_transaction(station: Station201, api: Api, network: Network) -> None:
    told(station, api, network, "Sample.Clock", "MeterValueClock")


def at_the_end(station: Station201, api: Api, network: Network, context: str) -> None:
    """All that was sampled comes with the end."""
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000)
    values = value(1200, context, at=ago(40)) + value(1400, context, at=ago(20)) + value(1500, "Transaction.End", at=ago(1))
    charging.ended("StopAuthorized", "Local", meterValue=values)
    kept = api.transaction(station)
    assert (kept["energy_wh"], kept["status"], kept["doubt"]) == (500, "ended", "")
    assert [wh for _, wh in samples(station, api)] == [1000, 1200, 1400, 1500]


@case("2.0.1", "TC_J_03_CSMS", requirement="OCPP 2.0.1 J01")
def test_clock_aligned_with_the_end(station: Station201, api: Api, network: Network) -> None:
    at_the_end(station, api, network, "Sample.Clock")


def signed(station: Station201, api: Api, network: Network, context: str, trigger: str) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000)
    charging.updated(trigger, meterValue=value(1300, context, at=ago(5), signedMeterValue=SIGNED))
    assert api.transaction(station)["energy_wh"] == 300
    kept = next(row for row in api.of(station, "meter-samples/") if row["context"] == context)
    assert kept["energy_wh"] == 1300
    (signed,) = api.of(station, "signed-readings/")
    assert (signed["data"], signed["context"], signed["public_key"]) == (SIGNED["signedMeterData"], context, SIGNED["publicKey"])


@case("2.0.1", "TC_J_04_CSMS", requirement="OCPP 2.0.1 J01")
def test_clock_aligned_and_signed(station: Station201, api: Api, network: Network) -> None:
    signed(station, api, network, "Sample.Clock", "MeterValueClock")


@case("2.0.1", "TC_J_07_CSMS", requirement="OCPP 2.0.1 J02")
def test_sampled_at_the_start_of_an_evse_that_is_known(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    station.transaction().started("Authorized", token="CARD", wh=1234, context="Transaction.Begin")
    kept = api.transaction(station)
    assert (kept["evse"], kept["meter_start_wh"], kept["energy_wh"]) == (1, 1234, 0)
    assert api.one(station, "meter-samples/")["context"] == "Transaction.Begin"


@case("2.0.1", "TC_J_08_CSMS", requirement="OCPP 2.0.1 J02")
def test_sampled_at_the_start_of_an_evse_that_is_not_known_yet(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.tell("Started", "Authorized", token="CARD")
    assert (api.transaction(station)["evse"], api.of(station, "meter-samples/")) == (None, [])
    charging.updated("CablePluggedIn", evse={"id": 1, "connectorId": 1}, wh=1234, context="Transaction.Begin")
    kept = api.transaction(station)
    assert (kept["evse"], kept["meter_start_wh"]) == (1, 1234)
    assert (api.one(station, "meter-samples/")["evse"], samples(station, api)) == (1, [("Transaction.Begin", 1234)])


@case("2.0.1", "TC_J_09_CSMS", requirement="OCPP 2.0.1 J02")
def test_sampled_in_a_transaction(station: Station201, api: Api, network: Network) -> None:
    told(station, api, network, "Sample.Periodic", "MeterValuePeriodic")


@case("2.0.1", "TC_J_10_CSMS", requirement="OCPP 2.0.1 J02")
def test_sampled_with_the_end(station: Station201, api: Api, network: Network) -> None:
    at_the_end(station, api, network, "Sample.Periodic")


@case("2.0.1", "TC_J_11_CSMS", requirement="OCPP 2.0.1 J02")
def test_sampled_and_signed(station: Station201, api: Api, network: Network) -> None:
    signed(station, api, network, "Sample.Periodic", "MeterValuePeriodic")
