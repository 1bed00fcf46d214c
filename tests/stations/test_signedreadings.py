"""What meters signed: kept to the byte with its transaction, once, whatever the version."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.ocpp import signedvalues
from stations.models import MeterSample, OutboxEntry, SignedReading, Station
from stations.services import signedreadings
from tests import v16, v201
from tests.database import tables
from tests.engine import Engine
from tests.network import Network

RECORD = 'OCMF|{"FV":"1.0","RD":[{"RV":1500}]}|{"SD":"3045\\u0022 ü"}' + " x" * 2000


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


@pytest.fixture
def newer(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@tables
def kept(station: Station) -> list[SignedReading]:
    with scopes_disabled():
        return list(SignedReading.objects.filter(station=station).order_by("id"))


@tables
def told(station: Station) -> list[int]:
    with scopes_disabled():
        found = OutboxEntry.objects.filter(operator=station.operator_id, topic=signedreadings.TOPIC)
        return sorted(found.values_list("object_id", flat=True))


@tables
def samples(station: Station) -> list[MeterSample]:
    with scopes_disabled():
        return list(MeterSample.objects.filter(station=station).order_by("at"))


def signed16(*values: str, transaction: Any = None, context: str = "Transaction.End", raw: Any = None) -> dict[str, Any]:
    payload = v16.meters(raw, transaction=transaction, context=context)
    payload["meterValue"][0]["sampledValue"] += [{"value": one, "format": "SignedData", "context": context} for one in values]
    return payload


def signed201(data: str, **more: str) -> dict[str, Any]:
    about = {"signedMeterData": data, "signingMethod": "ECDSA", "encodingMethod": "OCMF", "publicKey": "KEY"} | more
    return {"value": 1000, "context": "Transaction.Begin", "signedMeterValue": about}


def test_a_bare_value_of_1_6_is_kept_to_the_byte_beside_the_register(network: Network, engine: Engine, station: Station) -> None:
    number = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    assert engine.say(station, "MeterValues", signed16(RECORD, transaction=number, raw=1500)) == {}
    (found,) = kept(station)
    (transaction,) = network.transactions(station)
    assert (found.data, found.context, found.transaction_id, found.evse_number) == (RECORD, "Transaction.End", transaction.pk, 1)
    (sample,) = samples(station)
    assert (sample.energy_wh, sample.extra) == (1500, None)
    assert told(station) == [transaction.pk]
    assert network.findings(station) == []


def test_a_record_that_does_not_say_its_format_is_one_all_the_same(network: Network, engine: Engine, station: Station) -> None:
    number = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    payload = signed16(RECORD, transaction=number, raw=1500)
    del payload["meterValue"][0]["sampledValue"][-1]["format"]
    engine.say(station, "MeterValues", payload)
    assert [one.data for one in kept(station)] == [RECORD]
    assert [one.energy_wh for one in samples(station)] == [1500]
    assert network.findings(station) == []


def test_the_form_of_2_x_in_a_value_of_1_6_is_unwrapped(network: Network, engine: Engine, station: Station) -> None:
    about = {"signedMeterData": RECORD, "signingMethod": "ECDSA-secp256r1-SHA256", "encodingMethod": "OCMF", "publicKey": "KEY"}
    number = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    data = signed16(json.dumps(about), transaction=number)["meterValue"]
    engine.say(station, "StopTransaction", v16.stop(number, transactionData=data))
    (found,) = kept(station)
    assert (found.data, found.public_key, found.encoding) == (RECORD, "KEY", "OCMF")
    assert found.signing_method == "ECDSA-secp256r1-SHA256"
    # Nothing was measured beside it, so there is no sample.
    assert samples(station) == []


def test_a_reading_that_comes_twice_is_one(network: Network, engine: Engine, station: Station) -> None:
    number = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    for _ in range(2):
        engine.say(station, "MeterValues", signed16(RECORD, RECORD, transaction=number))
    engine.say(station, "StopTransaction", v16.stop(number, transactionData=signed16(RECORD)["meterValue"]))
    assert len(kept(station)) == 1


def test_the_same_data_in_another_session_is_kept_there_too(network: Network, engine: Engine, station: Station) -> None:
    for connector in (1, 2):
        number = engine.say(station, "StartTransaction", v16.start(connector=connector, tag="CARD"))["transactionId"]
        engine.say(station, "MeterValues", signed16(RECORD, transaction=number) | {"connectorId": connector})
    assert len({one.transaction_id for one in kept(station)}) == 2


def test_what_belongs_to_no_session_is_kept_with_the_plug_and_let_go_in_time(
    network: Network, engine: Engine, station: Station
) -> None:
    engine.say(station, "MeterValues", signed16(RECORD, context="Sample.Clock"))
    (found,) = kept(station)
    assert (found.transaction_id, found.owner, told(station)) == (None, -1, [])
    with scopes_disabled():
        signedreadings.let_go()
        assert len(kept(station)) == 1
        SignedReading.objects.filter(pk=found.pk).update(received_at=timezone.now() - timedelta(days=366))
        signedreadings.let_go()
    assert kept(station) == []


def test_a_transaction_event_brings_it_with_its_transaction(network: Network, newer: Engine, station: Station) -> None:
    meter = [{"timestamp": v201.at(0), "sampledValue": [signed201("T0NNRg==")]}]
    newer.say(station, "TransactionEvent", v201.started(wh=None, meterValue=meter))
    (found,) = kept(station)
    (transaction,) = network.transactions(station)
    assert (found.data, found.public_key, found.transaction_id) == ("T0NNRg==", "KEY", transaction.pk)
    (sample,) = samples(station)
    assert (sample.energy_wh, sample.extra) == (1000, None)


def test_data_longer_than_the_schema_allows_is_kept_whole(network: Network, newer: Engine, station: Station) -> None:
    meter = [{"timestamp": v201.at(0), "sampledValue": [signed201("A" * 9000)]}]
    newer.say(station, "TransactionEvent", v201.started(wh=None, meterValue=meter))
    assert [one.data for one in kept(station)] == ["A" * 9000]
    assert network.findings(station) == ["mended_maxLength"]


def test_whoever_uses_our_own_name_for_long_data_is_answered(network: Network, newer: Engine, station: Station) -> None:
    value = signed201("T0NNRg==")
    value["signedMeterValue"]["customData"] = {"vendorId": signedvalues.WHOLE}
    newer.say(station, "TransactionEvent", v201.started(wh=None, meterValue=[{"timestamp": v201.at(0), "sampledValue": [value]}]))
    assert [one.data for one in kept(station)] == ["T0NNRg=="]
    assert network.findings(station) == []


def test_a_key_that_is_left_out_is_no_reason_to_lose_the_rest(network: Network, newer: Engine, station: Station) -> None:
    value = signed201("T0NNRg==")
    del value["signedMeterValue"]["publicKey"], value["signedMeterValue"]["signingMethod"]
    meter = [{"timestamp": v201.at(0), "sampledValue": [value]}]
    newer.say(station, "TransactionEvent", v201.started(wh=None, meterValue=meter))
    (found,) = kept(station)
    assert (found.data, found.public_key, found.signing_method) == ("T0NNRg==", "", "")


def test_what_no_meter_signs_is_not_kept_and_said(network: Network, engine: Engine, station: Station) -> None:
    number = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    engine.say(station, "MeterValues", signed16("A" * 40_000, transaction=number, raw=1500))
    assert kept(station) == []
    assert [one.energy_wh for one in samples(station)] == [1500]
    assert network.findings(station) == ["signed_too_long"]


@pytest.mark.parametrize("odd", ['{"signedMeterData": 5}', '{"signedMeterData": ""}', "{not json", "eyJub3Qi", '{"a": 1}', "  "])
def test_whatever_a_value_is_the_message_is_answered(odd: str, network: Network, engine: Engine, station: Station) -> None:
    number = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    assert engine.say(station, "MeterValues", signed16(odd, transaction=number, raw=1500)) == {}
    assert [one.energy_wh for one in samples(station)] == [1500]


def test_text_that_no_table_holds_is_kept_without_it(network: Network, engine: Engine, station: Station) -> None:
    number = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    assert engine.say(station, "MeterValues", signed16("OC\x00MF\ud800", transaction=number)) == {}
    assert [one.data for one in kept(station)] == ["OCMF?"]
