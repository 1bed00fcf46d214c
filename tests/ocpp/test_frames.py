"""OCPP-J frames: text to shapes and back."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms.ocpp import frames
from csms.ocpp.frames import Call, CallError, CallResult, FrameError
from tests.trying import often

QUICK = settings(max_examples=often(150), deadline=None, derandomize=True, database=None)
#: Text as it can come out of JSON: without halves of characters.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def refused(text: str) -> FrameError:
    with pytest.raises(FrameError) as caught:
        frames.parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[2,"a","Heartbeat",{}]', Call("a", "Heartbeat", {})),
        (' [ 2 , "a" , "Heartbeat" , { } ] \n', Call("a", "Heartbeat", {})),
        ('[2,"a","Heartbeat",null]', Call("a", "Heartbeat", None)),
        ('[3,"a",{"currentTime":"now"}]', CallResult("a", {"currentTime": "now"})),
        ('[4,"a","InternalError","oh",{"x":1}]', CallError("a", "InternalError", "oh", {"x": 1})),
        # Errors are read as far as they go: whoever sends one is in trouble already.
        ('[4,"a","InternalError"]', CallError("a", "InternalError", "", {})),
        ('[4,"a",null,null,"x"]', CallError("a", "", "", {})),
        ('[4,"a",5,"",{},"more"]', CallError("a", "5", "", {})),
    ],
)
def test_the_shapes_are_read(text: str, frame: Any) -> None:
    assert frames.parse(text) == frame


def test_a_number_for_an_id_is_answered_as_text() -> None:
    assert frames.parse('[2,17,"Heartbeat",{}]') == Call("17", "Heartbeat", {})


def test_an_id_over_36_characters_is_kept_whole() -> None:
    assert frames.parse(json.dumps([2, "x" * 80, "Heartbeat", {}])) == Call("x" * 80, "Heartbeat", {})


@pytest.mark.parametrize(
    ("text", "message_id"),
    [
        ("", "-1"),
        ("hello", "-1"),
        ("{}", "-1"),
        ("[]", "-1"),
        ("null", "-1"),
        ("17", "-1"),
        ('[2,"a","StopTransaction",{"meterStop":26', "-1"),
        ("[2]", "-1"),
        ('[2,"a"]', "a"),
        ('[2,"a",5,{}]', "a"),
        ('[2,"","Heartbeat",{}]', "-1"),
        ('[2,true,"Heartbeat",{}]', "-1"),
        ('[2,null,"Heartbeat",{}]', "-1"),
        ('[2,1.5,"Heartbeat",{}]', "-1"),
    ],
)
def test_what_is_no_frame_is_refused_with_its_id_if_it_has_one(text: str, message_id: str) -> None:
    error = refused(text)
    assert (error.message_id, error.answerable, error.unknown_type) == (message_id, True, False)


@pytest.mark.parametrize("text", ["[3]", '[3,"a"]', "[3,7,{}]", "[4]", "[4,7]", '[3,"a",{},1]'])
def test_a_result_that_is_none_is_never_answered(text: str) -> None:
    assert not refused(text).answerable


@pytest.mark.parametrize(
    ("text", "message_id"),
    [
        ('[1,"a","StartTransaction",{}]', "a"),
        ('[7,"a",{}]', "a"),
        ("[99]", "-1"),
        ('["7","a","Heartbeat",{}]', "a"),
        ("[null,null]", "-1"),
        ("[[2]]", "-1"),
        # A type that is cut for the message in the middle of a character.
        (json.dumps(["é" * 30, "a"], ensure_ascii=False), "a"),
    ],
)
def test_an_unknown_message_type_is_told_apart(text: str, message_id: str) -> None:
    error = refused(text)
    assert (error.message_id, error.unknown_type) == (message_id, True)
    assert error.reason.startswith("Unknown message type")


def test_64_levels_are_read_and_65_are_not() -> None:
    def nested(levels: int) -> str:
        return '[2,"a","DataTransfer",' + "[" * (levels - 1) + "]" * (levels - 1) + "]"

    assert isinstance(frames.parse(nested(64)), Call)
    assert "nested more than 64 deep" in refused(nested(65)).reason
    assert "nested more than 64 deep" in refused('[2,"a","DataTransfer",' + '{"a":' * 100_000).reason


def test_brackets_inside_strings_do_not_count_as_levels() -> None:
    text = json.dumps([2, "a", "DataTransfer", {"vendorId": "v", "data": '[{"\\' * 100}])
    assert isinstance(frames.parse(text), Call)


def test_half_a_character_does_not_cost_the_message() -> None:
    call = frames.parse('[2,"a","StopTransaction",{"idTag":"caf\\ud83d","data":"\\ud83d\\ude00\\u00e9\\\\ud800"}]')
    assert call == Call("a", "StopTransaction", {"idTag": "caf?", "data": "😀é\\ud800"})
    assert "not JSON" in refused('[2,"a","StopTransaction",{"idTag":"caf\\ud83d"').reason


def test_an_error_is_cut_to_255_characters_and_has_an_object_for_details() -> None:
    assert json.loads(frames.error("a", "GenericError", "x" * 1000)) == [4, "a", "GenericError", "x" * 255, {}]


@QUICK
@given(message_id=TEXT.filter(bool), action=TEXT, payload=JSON)
def test_a_call_survives_the_wire(message_id: str, action: str, payload: Any) -> None:
    assert frames.parse(frames.call(message_id, action, payload)) == Call(message_id, action, payload)


@QUICK
@given(message_id=TEXT, payload=JSON)
def test_a_result_survives_the_wire(message_id: str, payload: Any) -> None:
    assert frames.parse(frames.result(message_id, payload)) == CallResult(message_id, payload)


@QUICK
@given(message_id=TEXT, code=TEXT, description=TEXT, details=st.dictionaries(TEXT, JSON, max_size=3))
def test_an_error_survives_the_wire(message_id: str, code: str, description: str, details: dict[str, Any]) -> None:
    read = frames.parse(frames.error(message_id, code, description, details))
    assert read == CallError(message_id, code, description, details)


@QUICK
@given(JSON.map(json.dumps) | st.text(max_size=80) | st.lists(JSON, max_size=6).map(json.dumps))
def test_any_text_is_a_frame_or_a_frame_error(text: str) -> None:
    with contextlib.suppress(FrameError):
        assert isinstance(frames.parse(text), Call | CallResult | CallError)
