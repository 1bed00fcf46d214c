"""Frames that are nearly JSON are read where they can mean one thing only."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms.ocpp import frames, salvage
from csms.ocpp.frames import Call, CallResult
from csms.ocpp.session import Oddity, Outgoing, Resolved, Session
from tests.trying import often

BEAT = Call("a", "Heartbeat", {})
STOP = Call("a", "StopTransaction", {"transactionId": 7, "meterStop": 26000})
TEXT = '[2,"a","StopTransaction",{"transactionId":7,"meterStop":26000}]'


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("\ufeff" + TEXT, STOP),
        (TEXT + "\x00", STOP),
        (TEXT + "\x00\x00\r\n", STOP),
        (TEXT.replace("]", ",]"), STOP),
        (TEXT.replace("}", ",}"), STOP),
        (TEXT[:-1], STOP),
        (TEXT.replace("{", "{,"), STOP),
        ('[2,"a","Heartbeat",{"x":}]', Call("a", "Heartbeat", {"x": None})),
        ('[2,"a","Heartbeat",{"x":,"y":1}]', Call("a", "Heartbeat", {"x": None, "y": 1})),
        ('[2,"a","Heartbeat",{"x":[,1,,2]}]', Call("a", "Heartbeat", {"x": [1, 2]})),
        ('[2,"a","Heartbeat",{"x":NaN,"y":-Infinity}]', Call("a", "Heartbeat", {"x": None, "y": None})),
        ('[2,"a","Heartbeat",{"x":"a\tb\x01"}]', Call("a", "Heartbeat", {"x": "a\tb\x01"})),
        # What looks like damage within a text is none.
        ('[2,"a","Heartbeat",{"x":":,}[,","y":}]', Call("a", "Heartbeat", {"x": ":,}[,", "y": None})),
        ('[2,"a","Heartbeat",{"x":"\\":,}","y":}]', Call("a", "Heartbeat", {"x": '":,}', "y": None})),
    ],
)
def test_a_frame_that_is_nearly_json_is_read_with_a_note(text: str, call: Call) -> None:
    read = frames.parse(text)
    assert read == call
    assert [note.code for note in read.notes] == ["frame_salvaged"]
    assert read.notes[0].detail.endswith(".")


@pytest.mark.parametrize(
    ("text", "call", "subject"),
    [
        ('[2,"a","Heartbeat"]', BEAT, "payload"),
        ('[2,"a","Heartbeat",{},1]', BEAT, "more"),
        ('["2","a","Heartbeat",{}]', BEAT, "message type"),
        ('[[2,"a","Heartbeat",{}]]', BEAT, "frame"),
        ('[2,17,"Heartbeat",{}]', Call("17", "Heartbeat", {}), "message id"),
    ],
)
def test_a_frame_of_nearly_the_right_shape_is_read_with_a_note(text: str, call: Call, subject: str) -> None:
    read = frames.parse(text)
    assert read == call
    assert [(note.code, note.subject) for note in read.notes] == [("frame_mended", subject)]


@pytest.mark.parametrize(
    "text",
    [
        # A number that may have been cut, a text that was, brackets that do not belong together.
        TEXT[:-4],
        TEXT[:30],
        '[2,"a","StopTransaction",{"meterStop":2',
        '[2,"a","Heartbeat",{"x":"abc}]',
        '[2,"a","Heartbeat",{"x":[}]',
        "[[[[",
        "{,}" * 10,
        "hello",
        '[2,"a","Heartbeat",{"x":01}]',
        "[2,'a','Heartbeat',{}]",
        '[2,"a","Heartbeat",{"x":' + " " * salvage.LONGEST + "}]",
    ],
)
def test_what_may_mean_something_else_is_not_guessed_at(text: str) -> None:
    with pytest.raises(frames.FrameError):
        frames.parse(text)


def test_an_answer_that_had_to_be_salvaged_counts_and_is_noted() -> None:
    """A station cut the end of long answers (lbbrhzn/ocpp#442)."""
    session = Session("ocpp1.6")
    asked = Outgoing("m1", "GetConfiguration", {}, 30)
    session.call(asked, 0)
    text = '[3,"m1",{"configurationKey":[]'
    oddity, resolved = session.receive(text, 1)
    assert isinstance(oddity, Oddity)
    assert (oddity.note.code, oddity.text) == ("frame_salvaged", text)
    assert resolved == Resolved(asked, CallResult("m1", {"configurationKey": []}))


@pytest.mark.parametrize("text", ['\\"' * 8000, '["' + '\\"' * 8000, "[" + '":' * 8000, "[" + ",:[{" * 4000, "[" + ", " * 8000])
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    for _ in range(10):
        salvage.read(text[: salvage.LONGEST])
    assert time.perf_counter() - began < 2


@settings(max_examples=often(300), deadline=None, derandomize=True, database=None)
@given(st.text('[]{}:,"\\0aé \x00', max_size=60) | st.text(max_size=40))
def test_whatever_comes_is_read_or_not(text: str) -> None:
    found = salvage.read(text)
    if found is not None:
        value: Any = found[0]
        assert json.loads(json.dumps(value)) == value
