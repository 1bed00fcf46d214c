"""What is missing of a transaction whose events have numbers is asked after (OCPP 2.0.1 E14), until it is known or final."""

from typing import Any

import pytest
from django_scopes import scopes_disabled

from stations.domain import patience
from stations.domain.commands import GetTransactionStatus
from stations.domain.values import Doubt
from stations.models import Command, Station
from stations.services import commandends
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import asked
from tests.stations.charging import due, findings, only
from tests.stations.watching import later, questions, state, swept
from tests.v201 import ended, session

FINAL = {"messagesInQueue": False, "ongoingIndicator": False}
QUEUED = {"messagesInQueue": True, "ongoingIndicator": False}


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    network.token("CARD")
    station = network.station(accepted=True)
    engine.connect(station)
    return station


def tell(engine: Engine, station: Station, *payloads: dict[str, Any]) -> None:
    for payload in payloads:
        assert "idTokenInfo" in engine.say(station, "TransactionEvent", payload) or not payload.get("idToken")


def without(*lost: int) -> list[dict[str, Any]]:
    return [one for number, one in enumerate(session()) if number not in lost]


def answer(engine: Engine, station: Station, payload: Any) -> None:
    (errand,) = engine.claim(station)
    assert errand.calls == ({"transactionId": "tx-1"},)
    engine.reply(station, errand, payload)


def test_a_gap_is_asked_after_once_it_has_been_quiet(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, *without(2))
    swept(station, later(seconds=50))
    assert questions(station) == []
    swept(station, later(seconds=61))
    (question,) = questions(station)
    assert question.params == {"transaction": "tx-1", "row": only(network, station).pk}


def test_while_messages_wait_it_is_asked_again_later_and_later(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, *without(2))
    minutes = 1.1
    for number in range(1, 5):
        swept(station, later(minutes=minutes))
        assert len(questions(station)) == number
        answer(engine, station, QUEUED)
        swept(station, later(minutes=minutes + 0.5 * 2 ** (number - 1)))
        assert len(questions(station)) == number
        minutes += 2 ** (number - 1) + 0.1
    assert (only(network, station).doubt, only(network, station).final_at) == (Doubt.EVENTS_MISSING, None)
    # What was missing comes, and there is nothing left to ask.
    tell(engine, station, session()[2])
    swept(station, later(days=1))
    assert len(questions(station)) == 4
    assert (state(network, station), due(network)) == ([("ended", "", "measured")], [only(network, station).pk])


def test_when_the_station_has_nothing_more_both_registers_are_the_bill(network: Network, engine: Engine, station: Station) -> None:
    """Low on memory it drops every second Updated (E04): the first and the last say the energy."""
    tell(engine, station, *without(1))
    swept(station)
    answer(engine, station, FINAL)
    assert due(network) == []
    swept(station)
    found = only(network, station)
    assert (found.doubt, found.trust, found.reconstructed, found.energy_wh) == ("", "reconstructed", "gaps", 3000)
    assert (findings(network, found), found.due_at) == (["events_missing"], None)
    assert due(network) == [found.pk]
    # Events that come after all, or once more, change no bill.
    tell(engine, station, *without(1))
    assert (only(network, station).doubt, only(network, station).reconstructed) == ("", "gaps")
    tell(engine, station, session()[1])
    assert (only(network, station).trust, only(network, station).energy_wh) == ("measured", 3000)
    assert len(network.outbox()) == 1


def test_without_a_register_at_the_end_it_waits_for_somebody(network: Network, engine: Engine, station: Station) -> None:
    first, _, third, _ = session()
    tell(engine, station, first, third, ended(3))
    swept(station)
    answer(engine, station, FINAL)
    swept(station)
    found = only(network, station)
    assert (found.doubt, found.trust, found.due_at) == (Doubt.EVENTS_MISSING, "doubtful", None)
    assert (findings(network, found), due(network)) == (["nothing_more"], [])


@pytest.mark.parametrize(("lost", "doubt"), [(0, Doubt.START_MISSING), (1, Doubt.EVENTS_MISSING)])
def test_a_start_that_is_lost_for_good_waits_for_somebody(
    network: Network, engine: Engine, station: Station, lost: int, doubt: Doubt
) -> None:
    tell(engine, station, *without(lost))
    assert only(network, station).doubt == doubt
    swept(station)
    answer(engine, station, FINAL)
    swept(station)
    assert only(network, station).doubt == (doubt if lost == 0 else "")
    assert findings(network, only(network, station)) == ["nothing_more" if lost == 0 else "events_missing"]


def test_an_end_that_did_not_come_before_the_next_transaction_is_asked_after(
    network: Network, engine: Engine, station: Station
) -> None:
    tell(engine, station, *session()[:3], *session("b", minute=10))
    swept(station)
    answer(engine, station, FINAL)
    swept(station)
    old, new = network.transactions(station)
    assert (old.doubt, old.final_at is not None, new.doubt) == (Doubt.STOP_MISSING, True, "")
    assert findings(network, old) == ["nothing_more", "stop_missing"]


def test_a_station_that_is_away_is_asked_when_it_returns_and_not_twice(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, *without(1))
    for hours in (1, 8, 24, 100):
        swept(station, later(hours=hours))
    assert len(questions(station)) == 1
    answer(engine, station, FINAL)
    swept(station, later(hours=101))
    assert only(network, station).trust == "reconstructed"


@pytest.mark.parametrize("reply", [["NotSupported", "no"], None, "nonsense"], ids=["refused", "silent", "nonsense"])
def test_who_does_not_answer_is_asked_a_dozen_times(network: Network, engine: Engine, station: Station, reply: Any) -> None:
    tell(engine, station, *without(1))
    for number in range(patience.MOST_ASKS + 3):
        swept(station, later(days=number + 1))
        for errand in engine.claim(station):
            engine.reply(station, errand, {} if reply == "nonsense" else reply)
    assert len(questions(station)) == patience.MOST_ASKS
    found = only(network, station)
    assert (found.doubt, found.due_at) == (Doubt.EVENTS_MISSING, None)
    assert [code for code in findings(network, found) if code == "gap_unanswered"] == ["gap_unanswered"]


def test_a_question_that_expired_is_asked_again(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, *without(1))
    swept(station)
    with scopes_disabled():
        commandends.sweep(now=later(days=8))
    swept(station, later(days=8))
    assert [one.status for one in questions(station)] == ["expired", "queued"]


def test_a_station_that_speaks_another_version_now_cannot_be_asked(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, *without(1))
    Engine().connect(station)
    swept(station)
    assert (questions(station), findings(network, only(network, station))) == ([], ["gap_unanswered"])


def test_a_person_may_ask_too(network: Network, engine: Engine, station: Station) -> None:
    tell(engine, station, session()[0])
    row = asked(engine, station, GetTransactionStatus("tx-1"), {"messagesInQueue": False, "ongoingIndicator": True})
    assert (row.status, row.detail) == ("confirmed", "ongoing, no messages are waiting")
    assert only(network, station).final_at is None


def test_in_the_version_that_has_no_such_question_it_cannot_be_asked(network: Network) -> None:
    engine = Engine()
    station = network.station(accepted=True)
    engine.connect(station)
    row = Command.objects.with_scopes_disabled().create(
        operator=network.operator,
        station=station,
        kind="get_transaction_status",
        params=GetTransactionStatus("7").params(),
        created_at=later(),
        expires_at=later(hours=1),
    )
    assert engine.claim(station) == []
    assert Command.objects.with_scopes_disabled().get(pk=row.pk).status == "failed"
