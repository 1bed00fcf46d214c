"""The exchanges in tests/wire, played: what a station says, the event it becomes, the reply, and what the station hears."""

import json
from pathlib import Path
from typing import Any

import pytest

from csms.ocpp import registry, schemas, v16, v201
from stations import services
from stations.domain import events
from stations.domain.values import Note
from tests.ocpp import wire

FOLDERS = {
    protocol: Path(__file__).parent.parent / "wire" / folder for protocol, folder in (("ocpp1.6", "v16"), ("ocpp2.0.1", "v201"))
}
CASES = [
    pytest.param(protocol, path.stem, case, id=f"{path.parent.name}/{path.stem}: {case['name']}")
    for protocol, folder in FOLDERS.items()
    for path in sorted(folder.glob("*.json"))
    for case in json.loads(path.read_text())["cases"]
]


@pytest.mark.parametrize(("protocol", "action", "case"), CASES)
def test_an_exchange_goes_as_it_is_written_down(protocol: str, action: str, case: dict[str, Any]) -> None:
    translator = registry.incoming(protocol, action)
    reply = wire.from_json(getattr(events, case["reply"]["type"]), case["reply"])
    notes: list[Note] = []

    schemas.validator(protocol, action).validate(case["call"])
    event = translator.decode(case["call"], notes)

    assert wire.as_json(event) == case["event"]
    assert [note.code for note in notes] == case.get("notes", [])
    assert type(reply) is event.reply
    assert translator.encode(reply) == case["answer"]
    schemas.validator(protocol, f"{action}Response").validate(case["answer"])


@pytest.mark.parametrize("protocol", registry.PROTOCOLS)
def test_every_message_that_is_understood_has_its_exchanges(protocol: str) -> None:
    written = {path.stem: len(json.loads(path.read_text())["cases"]) for path in FOLDERS[protocol].glob("*.json")}
    assert set(written) == set(registry.INCOMING[protocol])
    assert min(written.values()) >= 2


def test_every_action_of_1_6_is_understood_declared_unsupported_or_ours_to_send() -> None:
    understood = [translator.action for translator in v16.INCOMING]
    named = [*understood, *v16.UNSUPPORTED, *v16.NOT_SENT_YET, *(t.action for t in v16.OUTGOING if t.action != "DataTransfer")]
    assert len(named) == len(set(named)) == 39
    assert set(named) == schemas.actions("ocpp1.6")


def test_every_action_of_2_0_1_is_understood_declared_unsupported_or_ours_to_send() -> None:
    understood = [translator.action for translator in v201.INCOMING]
    named = [*understood, *v201.UNSUPPORTED, *v201.NOT_SENT_YET, *(t.action for t in v201.OUTGOING if t.action != "DataTransfer")]
    assert len(named) == len(set(named)) == 64
    assert set(named) == schemas.actions("ocpp2.0.1")


NOT_UNDERSTOOD = [
    (protocol, action)
    for protocol, version in (("ocpp1.6", v16), ("ocpp2.0.1", v201))
    for action in sorted([*version.UNSUPPORTED, *version.NOT_SENT_YET, *(t.action for t in version.OUTGOING)])
    if action != "DataTransfer"
]


@pytest.mark.parametrize(("protocol", "action"), NOT_UNDERSTOOD)
def test_what_is_not_understood_is_refused_as_not_supported(protocol: str, action: str) -> None:
    with pytest.raises(registry.UnsupportedAction, match=f"{action} is not supported here: .+"):
        registry.incoming(protocol, action)


@pytest.mark.parametrize("action", ["MakeCoffee", "heartbeat", "", "HeartbeatResponse", "../v201/schemas/Heartbeat"])
def test_an_action_that_does_not_exist_is_refused_as_unknown(action: str) -> None:
    with pytest.raises(registry.UnknownAction, match="has no action"):
        registry.incoming("ocpp1.6", action)


def test_every_event_has_exactly_one_rule() -> None:
    every = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)}
    assert set(services.RULES) == every - {events.Event}


def test_two_translators_of_one_action_cannot_be_registered() -> None:
    with pytest.raises(ValueError, match="Two translators for Heartbeat"):
        registry._table((v16.availability.Heartbeat, v16.availability.Heartbeat), lambda t: t.action)


@pytest.mark.parametrize("translator", [t for t in v16.INCOMING if t.transactional], ids=lambda t: t.action)
def test_the_smallest_answer_to_a_transaction_message_is_valid(translator: Any) -> None:
    schemas.validator("ocpp1.6", f"{translator.action}Response").validate(translator.salvage("7"))
