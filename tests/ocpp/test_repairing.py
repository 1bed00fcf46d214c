"""Messages that nobody understood, put right by a person: handled once, as received then."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from csms.ocpp import repairing
from stations.models import RepairMessage, Station
from stations.services import repairs
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.batches import breaking
from tests.stations.charging import due, only, started


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


def kept(network: Network, station: Station) -> RepairMessage:
    (message,) = network.repairs(station)
    return message


def play(message: RepairMessage, payload: Any, reason: str = "") -> str:
    with scope(operator=message.operator_id):
        text = payload if isinstance(payload, str) else json.dumps(payload)
        return repairing.play(message=message, text=text, reason=reason)


def wrong(message: RepairMessage, payload: Any) -> list[str]:
    with scope(operator=message.operator_id):
        return repairing.problems(message, payload if isinstance(payload, str) else json.dumps(payload))


def test_a_stop_that_was_not_understood_ends_its_session_when_it_is_put_right(
    network: Network, engine: Engine, station: Station
) -> None:
    number = started(engine, station)
    payload = v16.stop(number, meter="many", idTag="CARD")
    assert engine.say(station, "StopTransaction", payload) == {}
    message = kept(network, station)
    assert (message.protocol, message.resolved_at) == ("ocpp1.6", None)
    assert wrong(message, payload) == ["meterStop must be of type integer."]
    before = len(network.log(station))
    answer = play(message, payload | {"meterStop": 5000}, "The driver's receipt")
    assert json.loads(answer)[2] == {"idTagInfo": {"status": "Accepted"}}
    assert (only(network, station).energy_wh, due(network)) == (4000, [only(network, station).pk])
    again = kept(network, station)
    assert (again.resolution, again.note) == ("played", "The driver's receipt")
    # The log tells what was on the wire, and that was not this.
    assert len(network.log(station)) == before
    with scopes_disabled():
        assert AuditEntry.objects.get(operator=network.operator, action="repair_message.resolved").note == "The driver's receipt"


def test_it_is_handled_once(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station)
    engine.say(station, "StopTransaction", v16.stop(number, meter="many"))
    message = kept(network, station)
    play(message, v16.stop(number))
    with pytest.raises(ValidationError, match="meanwhile"):
        play(message, v16.stop(number, meter=9000))
    with scope(operator=network.operator), pytest.raises(ValidationError, match="meanwhile"):
        repairs.discard(message=message, reason="Twice")
    assert only(network, station).energy_wh == 4000


def test_a_start_gets_the_id_that_the_station_was_told(network: Network, engine: Engine, station: Station) -> None:
    long = "A" * 30
    told = engine.say(station, "StartTransaction", v16.start(tag=long))["transactionId"]
    received = kept(network, station).received_at
    play(kept(network, station), v16.start(tag="CARD"))
    t = only(network, station)
    assert (t.ocpp_transaction_id, t.id_tag, t.status, t.received_at) == (str(told), "CARD", "active", received)
    engine.say(station, "StopTransaction", v16.stop(told, meter=3000))
    assert only(network, station).energy_wh == 2000


def test_an_event_of_the_other_version_is_put_right_too(network: Network, station: Station) -> None:
    engine = Engine("ocpp2.0.1")
    first, *rest, last = v201.session()
    bad = last | {"transactionInfo": {"transactionId": ["a", "list"]}}
    for one in (first, *rest, bad):
        engine.say(station, "TransactionEvent", one)
    t = only(network, station)
    message = kept(network, station)
    with scope(operator=network.operator):
        text = repairing.written(message, t)
    assert json.loads(text)["transactionInfo"]["transactionId"] == "tx-1"
    play(message, text)
    assert (only(network, station).energy_wh, only(network, station).doubt) == (3000, "")


def test_what_a_bug_left_is_handled_when_the_bug_is_gone(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stations.domain import events

    number = started(engine, station)
    with monkeypatch.context() as broken:
        breaking(broken, events.TransactionEnded, lambda event, batch: True)
        engine.say(station, "StopTransaction", v16.stop(number))
        message = kept(network, station)
        with pytest.raises(ValidationError, match="fault of this system"):
            play(message, v16.stop(number))
    assert kept(network, station).resolved_at is None
    with scope(operator=network.operator):
        assert repairing.problems(message, repairing.written(message)) == []
        repairing.play(message=message, text=repairing.written(message), reason="")
    assert only(network, station).energy_wh == 4000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"transactionId": 1,', "in line 1, at character"),
        ("[]", "A payload is an object"),
        ('{"transactionId": 1, "meterStop": 1, "idTag": "***", "timestamp": "2026-11-20T10:00:00Z"}', "masked"),
        ("{}", "lacks the required property 'transactionId'"),
        ('{"transactionId": {}, "meterStop": [], "timestamp": "x"}', "transactionId must be of type integer."),
        ("[" * 100_000, "This is no JSON"),
        (" " * ((1 << 20) + 1), "too long"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(network: Network, engine: Engine, station: Station, text: str, said: str) -> None:
    engine.say(station, "StopTransaction", v16.stop(1, meter="many"))
    message = kept(network, station)
    assert said in " ".join(wrong(message, text))
    with pytest.raises(ValidationError):
        play(message, text)
    assert (kept(network, station).resolved_at, network.transactions(station)) == (None, [])


def test_a_message_kept_before_its_version_was_is_read_in_what_the_station_speaks(
    network: Network, engine: Engine, station: Station
) -> None:
    engine.connect(station)
    engine.say(station, "StopTransaction", v16.stop(1, meter="many"))
    with scopes_disabled():
        RepairMessage.objects.filter(station=station).update(protocol="", frame="cut off", answer="")
        message = kept(network, station)
        assert (repairing.protocol_of(message), repairing.written(message)) == ("ocpp1.6", "cut off")
    play(message, v16.stop(1))
    assert only(network, station).doubt == "start_missing"


def test_a_station_that_is_strict_or_was_turned_away_changes_nothing_about_it(
    network: Network, engine: Engine, station: Station
) -> None:
    number = started(engine, station)
    engine.say(station, "StopTransaction", v16.stop(number, meter="many"))
    with scopes_disabled():
        Station.objects.filter(pk=station.pk).update(strict=True, accepted_at=None)
    play(kept(network, station), v16.stop(number, meter="5000"))
    assert only(network, station).energy_wh == 4000


def test_what_is_not_needed_is_thrown_away_with_a_reason(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StopTransaction", v16.stop(1, meter="many"))
    message = kept(network, station)
    with scope(operator=network.operator):
        with pytest.raises(ValidationError, match="Say why"):
            repairs.discard(message=message, reason=" ")
        repairs.discard(message=message, reason="A test on the bench")
    again = kept(network, station)
    assert (again.resolution, again.note, network.transactions(station)) == ("discarded", "A test on the bench", [])
    assert again.resolved_at is not None
    assert again.resolved_at > datetime.now(UTC) - timedelta(minutes=1)
