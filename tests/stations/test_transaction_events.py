"""Transactions told by numbered events (OCPP 2.0.1 E01-E15): merged in any order, answered always, billed once."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stations.domain.values import Doubt
from stations.models import Station
from tests.engine import Engine
from tests.network import Network
from tests.stations.charging import due, only
from tests.trying import often
from tests.v201 import CARD, at, ended, session, started, updated

ACCEPTED = {"idTokenInfo": {"status": "Accepted"}}


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


def tell(engine: Engine, station: Station, *payloads: dict[str, Any]) -> list[Any]:
    return [engine.say(station, "TransactionEvent", payload) for payload in payloads]


def status(engine: Engine, station: Station, state: str, minute: float, *, evse: int = 1, connector: int = 1) -> None:
    payload = {"timestamp": at(minute), "connectorStatus": state, "evseId": evse, "connectorId": connector}
    assert engine.say(station, "StatusNotification", payload) == {}


# Order, repetition, loss


def test_a_session_has_its_energy_and_its_times(network: Network, engine: Engine, station: Station) -> None:
    assert tell(engine, station, *session()) == [ACCEPTED, {}, {}, {}]
    found = only(network, station)
    assert (found.energy_wh, found.meter_start_wh, found.meter_stop_wh) == (3000, 1000, 4000)
    assert (found.started_at.minute, found.stopped_at and found.stopped_at.minute) == (0, 3)
    assert (found.status, found.doubt, found.stop_reason, found.id_tag) == ("ended", "", "EVDisconnected", "CARD")
    assert (found.first_sequence, found.last_sequence, found.sequences) == (0, 3, [[0, 3]])
    assert network.findings(station) == []
    assert due(network) == [found.pk]


def told(network: Network, station: Station) -> tuple[int | None, ...]:
    found = only(network, station)
    return found.phases_used, found.cable_max_current_a, found.time_spent_charging_s


def test_what_an_event_tells_of_the_vehicle_and_its_cable_stays_until_a_newer_one_says_otherwise(
    network: Network, engine: Engine, station: Station
) -> None:
    tell(engine, station, started(0, cableMaxCurrent=32))
    assert told(network, station) == (None, 32, None)
    tell(engine, station, updated(1, numberOfPhasesUsed=3, info={"chargingState": "Charging", "timeSpentCharging": 0}))
    tell(engine, station, updated(3, numberOfPhasesUsed=1, info={"timeSpentCharging": 120}))
    assert told(network, station) == (1, 32, 120)
    # One that was held up on the way, in another process, knows less than what came before it.
    other = Engine("ocpp2.0.1")
    tell(other, station, updated(2, numberOfPhasesUsed=3, info={"timeSpentCharging": 60}))
    tell(other, station, ended(4))
    assert told(network, station) == (1, 32, 120)


def test_a_number_that_cannot_be_is_a_finding_and_not_kept(network: Network, engine: Engine, station: Station) -> None:
    assert tell(engine, station, started(0, cableMaxCurrent=2**31)) == [ACCEPTED]
    assert told(network, station) == (None, None, None)
    assert network.findings(station) == ["value_absurd"]


@pytest.mark.parametrize("how", ["one by one", "within one batch", "from another process"])
def test_what_is_sent_again_is_answered_again_and_changes_nothing(
    network: Network, engine: Engine, station: Station, how: str
) -> None:
    twice = [payload for payload in session() for _ in range(2)]
    if how == "within one batch":
        frames = engine.round(*[engine.inbound(station, "TransactionEvent", payload) for payload in twice])
        answers = [frame and frame[2] for frame in frames]
    else:
        other = Engine("ocpp2.0.1") if how == "from another process" else engine
        answers = [*tell(engine, station, *session()[:3]), *tell(other, station, *twice)]
        assert answers[:3] == [ACCEPTED, {}, {}]
        answers = answers[3:]
    assert answers == [ACCEPTED, ACCEPTED, {}, {}, {}, {}, {}, {}]
    found = only(network, station)
    assert (found.energy_wh, found.doubt, found.stop_reason) == (3000, "", "EVDisconnected")
    assert len(network.samples(station)) == 4
    assert len(network.outbox()) == 1


@pytest.mark.parametrize(
    ("lost", "doubt"), [({0}, Doubt.START_MISSING), ({1}, Doubt.EVENTS_MISSING), ({1, 2}, Doubt.EVENTS_MISSING)]
)
def test_a_gap_holds_the_bill_until_it_is_filled(
    network: Network, engine: Engine, station: Station, lost: set[int], doubt: Doubt
) -> None:
    events = session()
    tell(engine, station, *[one for number, one in enumerate(events) if number not in lost])
    assert (only(network, station).status, only(network, station).doubt) == ("ended", doubt)
    assert due(network) == []
    tell(engine, station, *[events[number] for number in sorted(lost)])
    found = only(network, station)
    assert (found.doubt, found.energy_wh, found.id_tag) == ("", 3000, "CARD")
    assert len(network.outbox()) == 1


def test_without_its_end_a_transaction_goes_on(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, *session()[:3])
    found = only(network, station)
    assert (found.status, found.energy_wh, found.stopped_at) == ("active", 2000, None)
    assert due(network) == []


def test_an_end_that_comes_first_waits_for_the_rest(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, *reversed(session()))
    found = only(network, station)
    assert (found.energy_wh, found.doubt, found.evse_id is not None) == (3000, "", True)
    assert (found.started_at.minute, found.status) == (0, "ended")
    assert len(network.outbox()) == 1


def test_numbers_may_go_on_from_transaction_to_transaction(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, *session("a", first=40), *session("b", first=44, minute=10))
    assert [(one.doubt, one.energy_wh) for one in network.transactions(station)] == [("", 3000), ("", 3000)]


def test_a_number_that_never_counts_falls_back_to_the_times(network: Network, engine: Engine, station: Station) -> None:
    """Seen with a public station simulator: seqNo stays 0."""
    tell(engine, station, *[one | {"seqNo": 0} for one in session()])
    found = only(network, station)
    assert (found.energy_wh, found.doubt, found.charging_state) == (3000, "", "Charging")


def test_a_station_that_counts_in_leaps_does_not_fill_the_table(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, started(0), *[updated(number, minute=number / 10) for number in range(2, 300, 2)], ended(300, wh=2000))
    found = only(network, station)
    assert len(found.sequences) <= 101
    assert (found.doubt, found.energy_wh) == ("events_missing", 1000)


ANY = settings(max_examples=often(25), deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@ANY
@given(data=st.data())
def test_any_order_repetition_and_loss_ends_with_the_same_energy_or_a_doubt(
    network: Network, engine: Engine, data: st.DataObject
) -> None:
    station = network.station(accepted=True)
    before = len(network.outbox())
    told = session("a")
    if data.draw(st.booleans()):
        told += session("b", minute=10, wh=9000, evse=data.draw(st.sampled_from([1, 2])))
    order = data.draw(st.lists(st.integers(0, len(told) - 1), max_size=14))
    complete = data.draw(st.booleans())
    if complete:
        order += data.draw(st.permutations(range(len(told))))
    size = data.draw(st.integers(1, 6))
    for start in range(0, len(order), size):
        frames = engine.round(
            *[engine.inbound(station, "TransactionEvent", told[number]) for number in order[start : start + size]]
        )
        assert all(frame and frame[0] == 3 for frame in frames)
    whole = 0
    for found in network.transactions(station):
        wanted = {n for n, one in enumerate(told) if one["transactionInfo"]["transactionId"] == found.ocpp_transaction_id}
        if wanted <= set(order):
            whole += 1
            assert (found.status, found.doubt, found.energy_wh) == ("ended", "", 3000)
        else:
            assert found.status == "active" or found.doubt
    assert network.repairs(station) == []
    assert len(network.outbox()) == before + whole
    assert not complete or whole == len(told) / 4


@ANY
@given(data=st.data())
def test_any_order_repetition_and_delay_ends_with_the_same_time_parked(
    network: Network, engine: Engine, data: st.DataObject
) -> None:
    """A meter that counts while it charges; some events say no state. The first half may come to another process."""
    station = network.station(accepted=True)
    states = data.draw(
        st.lists(st.sampled_from(["Charging", "SuspendedEV", "SuspendedEVSE", "EVConnected", ""]), min_size=2, max_size=8)
    )
    told, register, charges, since = [], 1000, True, None
    for number, state in enumerate(states):
        register += 500 if charges and number else 0
        make = started if not number else ended if number == len(states) - 1 else updated
        told.append(make(number, wh=register, info={"chargingState": state} if state else {}))
        charges = state == "Charging" if state else charges
        if state in ("SuspendedEV", "EVConnected"):
            since = number if since is None else since
        elif state:
            since = None
    repeated = data.draw(st.lists(st.integers(0, len(told) - 1), max_size=4))
    order = data.draw(st.permutations([*range(len(told)), *repeated]))
    size = data.draw(st.integers(1, 4))
    takeover = data.draw(st.booleans())
    for start in range(0, len(order), size):
        speaker = Engine("ocpp2.0.1") if takeover and start >= len(order) / 2 else engine
        assert all(speaker.round(*[speaker.inbound(station, "TransactionEvent", told[n]) for n in order[start : start + size]]))
    found = only(network, station)
    assert (found.status, found.doubt) == ("ended", "")
    assert (found.charging_ended_at and found.charging_ended_at.minute) == since


# What an event does not say is unchanged


def test_what_a_later_event_does_not_say_stays_as_it_was(network: Network, engine: Engine, station: Station) -> None:
    first = started(info={"remoteStartId": 7, "chargingState": "EVConnected"})
    tell(engine, station, first, updated(1), updated(2, info={"chargingState": "Charging"}), updated(3))
    found = only(network, station)
    assert (found.id_tag, found.remote_start_id, found.charging_state) == ("CARD", 7, "Charging")
    assert (found.evse_id, found.connector_number) != (None, None)


def test_evse_and_token_may_come_later(network: Network, engine: Engine, station: Station) -> None:
    """TxStartPoint ParkingBayOccupancy: it begins before anybody has plugged in or shown a card (E01)."""
    tell(engine, station, started(evse=None, idToken=None, wh=None))
    assert (only(network, station).evse_id, only(network, station).id_tag) == (None, "")
    answers = tell(engine, station, updated(1, evse={"id": 2, "connectorId": 1}), updated(2, idToken=CARD, wh=1000))
    assert answers == [{}, ACCEPTED]
    tell(engine, station, ended(3, wh=1500))
    found = only(network, station)
    assert found.evse is not None
    assert (found.id_tag, found.energy_wh, found.doubt, found.authorization_status) == ("CARD", 500, "", "Accepted")


@pytest.mark.parametrize("end_first", [False, True])
@pytest.mark.parametrize("how", ["with the end", "before the end"])
def test_the_card_that_stops_is_not_the_drivers(
    network: Network, engine: Engine, station: Station, how: str, end_first: bool
) -> None:
    network.token("GUARD")
    guard = {"idToken": {"idToken": "GUARD", "type": "ISO14443"}, "triggerReason": "StopAuthorized"}
    told = [started(), updated(1), ended(2, wh=2000)]
    told[2 if how == "with the end" else 1] |= guard
    answers = tell(engine, station, *(reversed(told) if end_first else told))
    assert answers.count(ACCEPTED) == 2
    assert (only(network, station).id_tag, only(network, station).stopped_by) == ("CARD", "GUARD")


# Tokens


def test_a_token_has_a_type(network: Network, engine: Engine, station: Station) -> None:
    other = {"idToken": "CARD", "type": "KeyCode"}
    assert tell(engine, station, started(idToken=other)) == [{"idTokenInfo": {"status": "Unknown"}}]
    assert engine.say(station, "Authorize", {"idToken": CARD | {"idToken": "card"}}) == ACCEPTED
    assert engine.say(station, "Authorize", {"idToken": other})["idTokenInfo"]["status"] == "Unknown"
    tell(engine, station, ended(1, wh=2000))
    assert only(network, station).energy_wh == 1000


def test_a_group_is_named(network: Network, engine: Engine, station: Station) -> None:
    network.token("VAN", group="FLEET")
    (answer,) = tell(engine, station, started(idToken=CARD | {"idToken": "VAN"}))
    assert answer["idTokenInfo"] == {"status": "Accepted", "groupIdToken": {"idToken": "FLEET", "type": "Central"}}


def test_where_nobody_is_asked_everybody_is_accepted(network: Network, engine: Engine, station: Station) -> None:
    nobody = {"idToken": "", "type": "NoAuthorization"}
    assert engine.say(station, "Authorize", {"idToken": nobody}) == ACCEPTED
    assert tell(engine, station, started(idToken=nobody)) == [ACCEPTED]


def test_a_token_that_charges_already_is_told_so_but_may_stop(network: Network, engine: Engine, station: Station) -> None:
    type(network.operator).objects.filter(pk=network.operator.pk).update(concurrent_transactions=False)
    rounds = engine.round(
        engine.inbound(station, "TransactionEvent", started(tx="a")),
        engine.inbound(station, "TransactionEvent", started(tx="b", minute=1, evse={"id": 2})),
        engine.inbound(station, "TransactionEvent", started(tx="a")),
        engine.inbound(station, "TransactionEvent", ended(1, tx="a", minute=2, idToken=CARD)),
    )
    states = [frame and frame[2]["idTokenInfo"]["status"] for frame in rounds]
    assert states == ["Accepted", "ConcurrentTx", "Accepted", "Accepted"]


# Live side effects


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("EVConnected", "Preparing"),
        ("Charging", "Charging"),
        ("SuspendedEV", "SuspendedEV"),
        ("SuspendedEVSE", "SuspendedEVSE"),
        ("Idle", "Finishing"),
    ],
)
def test_the_charging_state_says_what_the_connector_does(
    network: Network, engine: Engine, station: Station, state: str, shown: str
) -> None:
    status(engine, station, "Occupied", 0)
    assert network.connectors(station)[1].status == "Preparing"
    tell(engine, station, started(minute=1), updated(1, minute=2, info={"chargingState": state}))
    assert network.connectors(station)[1].status == shown
    status(engine, station, "Occupied", 3)
    assert network.connectors(station)[1].status == shown
    status(engine, station, "Available", 4)
    assert network.connectors(station)[1].status == "Available"


def test_what_happened_offline_does_not_happen_now(network: Network, engine: Engine, station: Station) -> None:
    status(engine, station, "Available", 0)
    answers = tell(engine, station, *[one | {"offline": True} for one in session(minute=5)])
    assert answers[0] == ACCEPTED
    assert network.connectors(station)[1].status == "Available"
    assert (only(network, station).energy_wh, only(network, station).charging_state) == (3000, "Charging")


def test_an_event_after_the_end_does_not_make_the_connector_charge(network: Network, engine: Engine, station: Station) -> None:
    status(engine, station, "Occupied", 0)
    first, charging, _, last = session()
    tell(engine, station, first, last, charging)
    assert network.connectors(station)[1].status == "Finishing"


def test_availability_told_as_an_event_counts_as_well(network: Network, engine: Engine, station: Station) -> None:
    data = {
        "eventId": 1,
        "timestamp": at(0),
        "trigger": "Delta",
        "actualValue": "Faulted",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "AvailabilityState"},
    }
    assert engine.say(station, "NotifyEvent", {"generatedAt": at(0), "seqNo": 0, "eventData": [data]}) == {}
    assert network.connectors(station)[1].status == "Faulted"
