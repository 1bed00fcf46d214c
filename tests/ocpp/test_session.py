"""A connection as a state machine: what is sent, handled and resolved, and when. The clock is the test's."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms.ocpp import frames
from csms.ocpp.frames import Call, CallError, CallResult
from csms.ocpp.session import Handle, Oddity, Outgoing, Resolved, Send, Session
from tests.trying import often


def asked(number: int, timeout_s: float = 30) -> Outgoing:
    return Outgoing(f"m{number}", "Reset", {"type": "Soft"}, timeout_s)


def sent(number: int) -> Send:
    return Send(f'[2,"m{number}","Reset",{{"type":"Soft"}}]')


@pytest.fixture
def session() -> Session:
    return Session("ocpp1.6")


# Calls of the station


def test_a_stations_call_is_handed_on_with_its_text(session: Session) -> None:
    text = '[2, "a", "Heartbeat", {}]'
    assert session.receive(text, 0) == [Handle(Call("a", "Heartbeat", {}), text)]


def test_a_repeated_message_id_is_no_error(session: Session) -> None:
    text = '[2,"a","Heartbeat",{}]'
    assert session.receive(text, 0) == session.receive(text, 1)


def test_calls_of_the_station_are_handled_while_ours_waits_for_its_answer(session: Session) -> None:
    session.call(asked(1), 0)
    assert isinstance(session.receive('[2,"m1","Heartbeat",{}]', 1)[0], Handle)
    assert session.receive('[3,"m1",{}]', 2) == [Resolved(asked(1), CallResult("m1", {}))]


# Calls of ours


def test_one_call_is_outstanding_at_a_time_and_they_go_out_in_order(session: Session) -> None:
    assert session.call(asked(1), 0) == [sent(1)]
    assert session.call(asked(2), 0) == []
    assert session.call(asked(3), 0) == []
    assert session.receive('[3,"m1",{"status":"Accepted"}]', 1) == [
        Resolved(asked(1), CallResult("m1", {"status": "Accepted"})),
        sent(2),
    ]
    assert session.receive('[4,"m2","NotSupported","no",{}]', 2) == [
        Resolved(asked(2), CallError("m2", "NotSupported", "no", {})),
        sent(3),
    ]
    assert session.receive('[3,"m3",{}]', 3) == [Resolved(asked(3), CallResult("m3", {}))]
    assert session.call(asked(4), 4) == [sent(4)]


def test_an_overdue_answer_is_given_up_and_the_next_call_gets_its_full_time(session: Session) -> None:
    session.call(asked(1, timeout_s=30), 0)
    session.call(asked(2, timeout_s=10), 5)
    assert session.tick(29.9) == []
    assert session.tick(30) == [Resolved(asked(1, timeout_s=30), None), sent(2)]
    assert session.tick(39.9) == []
    assert session.tick(40) == [Resolved(asked(2, timeout_s=10), None)]
    assert session.tick(1000) == []


def test_a_late_answer_is_an_oddity_and_does_not_answer_the_next_call(session: Session) -> None:
    session.call(asked(1), 0)
    session.call(asked(2), 0)
    session.tick(30)
    (oddity,) = session.receive('[3,"m1",{}]', 31)
    assert isinstance(oddity, Oddity)
    assert (oddity.note.code, oddity.answer) == ("answer_unexpected", "")
    assert session.receive('[3,"m2",{}]', 32) == [Resolved(asked(2), CallResult("m2", {}))]


@pytest.mark.parametrize("text", ['[3,"nobody",{}]', '[4,"nobody","GenericError","",{}]', '[4,"-1","FormationViolation","",{}]'])
def test_an_answer_nobody_waits_for_is_an_oddity(session: Session, text: str) -> None:
    (oddity,) = session.receive(text, 0)
    assert isinstance(oddity, Oddity)
    assert (oddity.note.code, oddity.text, oddity.answer) == ("answer_unexpected", text, "")


def test_a_second_answer_to_the_same_call_is_an_oddity(session: Session) -> None:
    session.call(asked(1), 0)
    session.receive('[3,"m1",{}]', 1)
    assert isinstance(session.receive('[3,"m1",{}]', 1)[0], Oddity)


def test_a_closed_socket_resolves_everything_in_order(session: Session) -> None:
    for number in (1, 2, 3):
        session.call(asked(number), 0)
    assert session.closed() == [Resolved(asked(number), None) for number in (1, 2, 3)]
    assert session.closed() == []
    assert session.tick(1000) == []


# What is no message


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('[2,"a"]', [4, "a", "FormationViolation", "A CALL is [2, message id, action, payload].", {}]),
        # The id can be read though the JSON cannot: its sender need not wait for its timeout (lbbrhzn/ocpp#2032).
        ('[2,"q01","MeterValues",{"connectorId":1,"transactionId":x,"meterValue":[]}]', [4, "q01", "FormationViolation", None, {}]),
        # Without an id, 1.6 has no way to answer; nor does it answer types it does not know (OCPP-J 1.6 4.1.3).
        ("hello", None),
        ("{}", None),
        ('[2,null,"Heartbeat",{}]', None),
        ('[1,"a","StartTransaction",{}]', None),
        ('[3,"a"]', None),
        ("", None),
        ("  \n", None),
    ],
)
def test_1_6_answers_an_unreadable_frame_if_it_can_name_it(session: Session, text: str, answer: list[Any] | None) -> None:
    assert answered(session.receive(text, 0), text) == answer


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('[2,"a"]', [4, "a", "RpcFrameworkError", "A CALL is [2, message id, action, payload].", {}]),
        ('[2,"q01","Heartbeat",{]', [4, "q01", "RpcFrameworkError", None, {}]),
        ("hello", [4, "-1", "RpcFrameworkError", None, {}]),
        ('[9,"a",{}]', [4, "a", "MessageTypeNotSupported", "Unknown message type 9.", {}]),
        ("[9]", [4, "-1", "MessageTypeNotSupported", "Unknown message type 9.", {}]),
        ('[3,"a"]', None),
        ("", None),
    ],
)
def test_2_x_answers_an_unreadable_frame_even_without_an_id(protocol: str, text: str, answer: list[Any] | None) -> None:
    assert answered(Session(protocol).receive(text, 0), text) == answer


def test_an_unreadable_frame_disturbs_no_call_of_ours(session: Session) -> None:
    session.call(asked(1), 0)
    session.receive("garbage", 1)
    assert session.receive('[3,"m1",{}]', 2) == [Resolved(asked(1), CallResult("m1", {}))]


def answered(actions: list[Any], text: str) -> list[Any] | None:
    """What an unreadable frame was answered (a description that quotes the JSON parser as None); the finding is checked."""
    *sends, oddity = actions
    assert isinstance(oddity, Oddity)
    assert oddity.text == text
    assert oddity.note.code in ("frame_unreadable", "frame_type_unknown", "frame_empty")
    if not sends:
        assert oddity.answer == ""
        return None
    (send,) = sends
    assert send == Send(oddity.answer)
    frame: list[Any] = json.loads(send.text)
    if "JSON" in frame[3]:
        frame[3] = None
    return frame


# Anything at all

PIECES = st.sampled_from(
    ['[2,"a"', "[3,", '"m1"', ",{}", "]", "[", "{", '"', "\\", ",", "4", "-1", "\x00", "\ud800", "é", " ", "null"]
)


@settings(max_examples=often(400), deadline=None, derandomize=True, database=None)
@given(
    protocol=st.sampled_from(["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]),
    texts=st.lists(st.text(max_size=60) | st.lists(PIECES, max_size=12).map("".join), max_size=4),
)
def test_any_text_at_all_is_taken(protocol: str, texts: list[str]) -> None:
    session = Session(protocol)
    session.call(asked(1), 0)
    for text in texts:
        for action in session.receive(text, 1):
            if isinstance(action, Send):
                assert isinstance(frames.parse(action.text), CallError | Call)
