"""Transactions: always answered, never lost, never doubled (OCPP 2.0.1 chapter E, 1.6 4.8 and 4.10)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
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


# Start and stop


def test_a_transaction_from_start_to_stop(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station, meter=1000)
    running = only(network, station)
    assert running.ocpp_transaction_id == str(number)
    assert (running.status, running.energy_wh, running.id_tag, running.protocol) == ("active", 0, "CARD", "ocpp1.6")
    assert running.evse is not None
    assert running.evse.number == 1
    assert running.id_token is not None
    assert due(network) == []

    assert engine.say(station, "StopTransaction", v16.stop(number, meter=5000, reason="EVDisconnected")) == {}
    ended = only(network, station)
    assert (ended.status, ended.energy_wh, ended.stop_reason, ended.doubt) == ("ended", 4000, "EVDisconnected", "")
    assert ended.stopped_at is not None
    assert ended.stopped_at > ended.started_at
    assert due(network) == [ended.pk]
    assert network.findings(station) == []


def test_ids_are_positive_int32_and_never_the_same(network: Network, engine: Engine) -> None:
    network.token("CARD")
    stations = [network.station(accepted=True) for _ in range(20)]
    frames = engine.round(*(engine.inbound(s, "StartTransaction", v16.start(connector=c)) for s in stations for c in (1, 2)))
    numbers = [frame[2]["transactionId"] for frame in frames if frame]
    numbers += [started(Engine(), network.station(accepted=True))]
    assert len(set(numbers)) == 41
    assert all(isinstance(number, int) and 0 < number < 2**31 for number in numbers)


def test_neither_tag_nor_reason_is_needed_to_stop(network: Network, engine: Engine, station: Station) -> None:
    assert engine.say(station, "StopTransaction", v16.stop(started(engine, station))) == {}
    assert (only(network, station).stop_reason, only(network, station).stopped_by) == ("Local", "")


def test_energy_is_the_difference_of_the_registers_and_not_the_last_value(
    network: Network, engine: Engine, station: Station
) -> None:
    number = started(engine, station, meter=1000)
    engine.say(station, "MeterValues", v16.meters(4900, 120, number))
    engine.say(station, "StopTransaction", v16.stop(number, meter=5000))
    assert only(network, station).energy_wh == 4000


@pytest.mark.parametrize("tag", ["stranger", "BLOCKED"])
def test_a_start_with_a_tag_that_may_not_charge_is_recorded_with_an_id_of_its_own(
    network: Network, engine: Engine, station: Station, tag: str
) -> None:
    network.token("BLOCKED", status="Blocked")
    answer = engine.say(station, "StartTransaction", v16.start(tag=tag))
    assert answer["transactionId"] > 0
    assert answer["idTagInfo"]["status"] in ("Invalid", "Blocked")
    engine.say(station, "StopTransaction", v16.stop(answer["transactionId"], reason="DeAuthorized"))
    assert (only(network, station).status, only(network, station).energy_wh) == ("ended", 4000)


def test_an_old_start_is_recorded_with_the_stations_time(network: Network, engine: Engine, station: Station) -> None:
    """It waited while the station was offline."""
    day = 86_400
    number = started(engine, station, seconds=3 * day)
    engine.say(station, "StopTransaction", v16.stop(number, seconds=2 * day))
    transaction = only(network, station)
    assert transaction.stopped_at is not None
    assert transaction.stopped_at - transaction.started_at == timedelta(days=1)
    assert transaction.received_at > datetime.now(UTC) - timedelta(minutes=5)
    assert network.connectors(station)[1].status == "Unavailable"  # nothing is derived from a start
    assert network.findings(station) == []


# The same start again


@pytest.mark.parametrize("how", ["within one batch", "in the next batch", "from another process", "after the end"])
def test_a_start_that_is_sent_again_gets_the_id_it_had(network: Network, engine: Engine, station: Station, how: str) -> None:
    payload = v16.start()
    again = payload | {"idTag": "card"}
    if how == "within one batch":
        frames = engine.round(*(engine.inbound(station, "StartTransaction", p) for p in (payload, again)))
        first, second = (frame[2]["transactionId"] for frame in frames if frame)
    else:
        first = engine.say(station, "StartTransaction", payload)["transactionId"]
        if how == "after the end":
            engine.say(station, "StopTransaction", v16.stop(first))
        other = Engine() if how == "from another process" else engine
        second = other.say(station, "StartTransaction", again)["transactionId"]
    assert first == second
    assert only(network, station).status == ("ended" if how == "after the end" else "active")


@pytest.mark.parametrize(
    "change", [{"connectorId": 2}, {"idTag": "OTHER"}, {"meterStart": 1001}, {"timestamp": "2026-01-01T00:00:00Z"}]
)
def test_another_start_is_another_transaction(network: Network, engine: Engine, station: Station, change: dict[str, Any]) -> None:
    payload = v16.start()
    numbers = {engine.say(station, "StartTransaction", p)["transactionId"] for p in (payload, payload | change)}
    assert len(numbers) == 2


def test_a_repeated_start_is_told_what_the_tag_is_worth_now(network: Network, engine: Engine, station: Station) -> None:
    payload = v16.start()
    engine.say(station, "StartTransaction", payload)
    type(network.token("OTHER")).objects.with_scopes_disabled().filter(operator=network.operator).update(status="Blocked")
    assert engine.say(station, "StartTransaction", payload)["idTagInfo"]["status"] == "Blocked"


@pytest.mark.parametrize("clock", ["1970-01-01T00:00:09Z", "soon"])
def test_starts_by_a_clock_that_was_never_set_are_the_same_only_while_the_transaction_is_open(
    network: Network, engine: Engine, station: Station, clock: str
) -> None:
    """Such a clock may say the same at every start, and the meter 0."""
    payload = v16.start(meter=0) | {"timestamp": clock}
    first, again = (engine.say(station, "StartTransaction", payload)["transactionId"] for _ in range(2))
    assert first == again
    engine.say(station, "StopTransaction", v16.stop(first, meter=10))
    second, again = (engine.say(station, "StartTransaction", payload)["transactionId"] for _ in range(2))
    assert second == again != first
    engine.say(station, "StopTransaction", v16.stop(second, meter=20))
    assert [(t.status, t.energy_wh) for t in network.transactions(station)] == [("ended", 10), ("ended", 20)]


# Odd starts


@pytest.mark.parametrize("evses", [0, 1, 2])
def test_a_start_on_connector_0_is_taken_for_the_only_evse_there_is(
    network: Network, engine: Engine, station: Station, evses: int
) -> None:
    for number in range(1, evses + 1):
        engine.say(station, "StatusNotification", v16.status("Available", connector=number))
    number = started(engine, station, connector=0)
    transaction = only(network, station)
    assert (transaction.evse and transaction.evse.number) == (1 if evses == 1 else None)
    assert findings(network, transaction) == ["evse_missing"]
    engine.say(station, "StopTransaction", v16.stop(number))
    assert only(network, station).energy_wh == 4000


@pytest.mark.parametrize("connector", [-1, 300, 2**31 - 1, -(2**63), 2**63 - 1])
def test_a_start_on_an_absurd_connector_is_recorded_without_an_evse(
    network: Network, engine: Engine, station: Station, connector: int
) -> None:
    number = started(engine, station, connector=connector)
    engine.say(station, "MeterValues", v16.meters(2000, 200, number, connector=1))
    data = v16.meters(5000, 60, context="Transaction.End")["meterValue"]
    assert engine.say(station, "StopTransaction", v16.stop(number, transactionData=data)) == {}
    assert (only(network, station).evse, only(network, station).energy_wh) == (None, 4000)
    assert network.findings(station) == ["evse_impossible"]


@pytest.mark.parametrize("meter", [2**63 - 1, -(2**63), 10**14, "100000000000000"])
def test_an_absurd_register_is_no_energy_but_a_doubt(network: Network, engine: Engine, station: Station, meter: Any) -> None:
    number = started(engine, station, meter=meter)
    engine.say(station, "MeterValues", v16.meters(2000, 200, number))
    engine.say(station, "StopTransaction", v16.stop(number, meter=5000))
    transaction = only(network, station)
    assert (transaction.meter_start_wh, transaction.meter_stop_wh, transaction.doubt) == (None, 5000, Doubt.REGISTER)
    assert "value_absurd" in findings(network, transaction)
    assert due(network) == []


@pytest.mark.parametrize("clock", ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "soon", "9999-12-31T23:59:59-14:00"])
def test_a_clock_that_was_never_set_is_replaced_by_the_time_of_receipt(
    network: Network, engine: Engine, station: Station, clock: str
) -> None:
    received = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    start = engine.inbound(station, "StartTransaction", v16.start() | {"timestamp": clock}, at=received)
    (answer,) = engine.round(start)
    assert answer is not None
    stop = v16.stop(answer[2]["transactionId"]) | {"timestamp": clock}
    engine.say(station, "StopTransaction", stop, at=received + timedelta(minutes=30))
    transaction = only(network, station)
    assert (transaction.started_at, transaction.stopped_at) == (received, received + timedelta(minutes=30))
    assert (transaction.energy_wh, transaction.doubt) == (4000, "")
    assert "clock_absurd" in findings(network, transaction)


def test_a_mended_start_without_a_time_begins_when_it_came(network: Network, engine: Engine, station: Station) -> None:
    payload = {k: v for k, v in v16.start(meter="1000").items() if k != "timestamp"}
    assert engine.say(station, "StartTransaction", payload)["idTagInfo"] == {"status": "Accepted"}
    assert only(network, station).started_at > datetime.now(UTC) - timedelta(minutes=1)
    assert network.findings(station) == ["mended_required", "mended_type"]


def test_reservation_0_is_none(network: Network, engine: Engine, station: Station) -> None:
    assert "transactionId" in engine.say(station, "StartTransaction", v16.start() | {"reservationId": 0})


# Beyond mending


def test_a_start_beyond_mending_is_stored_raw_and_answered_with_a_fresh_id(
    network: Network, engine: Engine, station: Station
) -> None:
    answers = [engine.say(station, "StartTransaction", v16.start(meter="a lot")) for _ in range(2)]
    assert [answer["idTagInfo"] for answer in answers] == [{"status": "Accepted"}] * 2
    assert answers[0]["transactionId"] != answers[1]["transactionId"]
    repairs = network.repairs(station)
    assert [r.action for r in repairs] == ["StartTransaction"] * 2
    assert "a lot" in repairs[0].frame
    assert str(answers[0]["transactionId"]) in repairs[0].answer
    assert repairs[0].reason == "meterStart must be of type integer."
    assert network.finding(station, "payload_invalid").count == 2
    assert network.transactions(station) == []


@pytest.mark.parametrize(
    "payload", [{}, [], None, "stop", {"transactionId": {}}, {"meterStop": "much"}, {"transactionId": 1, "meterStop": True}]
)
def test_a_stop_beyond_mending_is_stored_raw_and_answered(network: Network, engine: Engine, station: Station, payload: Any) -> None:
    assert engine.say(station, "StopTransaction", payload) == {}
    assert len(network.repairs(station)) == 1


def test_a_tag_that_is_too_long_is_not_cut_but_kept_for_repair(network: Network, engine: Engine, station: Station) -> None:
    answer = engine.say(station, "StartTransaction", v16.start(tag="ABCDEFGHIJKLMNOPQRSTU"))
    assert answer["transactionId"] > 0
    assert network.repairs(station)[0].reason == "idTag is longer than 20 characters."
    assert network.transactions(station) == []


def test_nul_in_a_tag_is_left_out(network: Network, engine: Engine, station: Station) -> None:
    assert engine.say(station, "StartTransaction", v16.start(tag="CA\x00RD"))["idTagInfo"] == {"status": "Accepted"}
    assert only(network, station).id_tag == "CARD"
    number = int(only(network, station).ocpp_transaction_id)
    engine.say(station, "StopTransaction", v16.stop(number, idTag="\x00", reason="Ot\x00her"))
    assert (only(network, station).stop_reason, only(network, station).stopped_by) == ("Other", "")
    assert network.findings(station) == ["mended_nul"]


def test_energy_is_exact_to_the_thousandth(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station, meter=0)
    engine.say(station, "MeterValues", v16.meters("0.1", 300, number))
    engine.say(station, "MeterValues", v16.meters("0.3", 200, number))
    assert only(network, station).energy_wh == Decimal("0.300")
