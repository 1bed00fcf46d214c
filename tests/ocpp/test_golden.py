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


@pytest.mark.parametrize(("protocol", "version", "count"), [("ocpp1.6", v16, 39), ("ocpp2.0.1", v201, 64)])
def test_an_action_is_either_a_stations_or_ours(protocol: str, version: Any, count: int) -> None:
    named = [*(t.action for t in version.INCOMING), *(t.action for t in version.OUTGOING if t.action != "DataTransfer")]
    assert len(named) == len(set(named))
    assert set(named) <= schemas.actions(protocol)
    assert len(schemas.actions(protocol)) == count


NOT_UNDERSTOOD = [
    (protocol, action)
    for protocol, version in (("ocpp1.6", v16), ("ocpp2.0.1", v201))
    for action in sorted(schemas.actions(protocol) - {t.action for t in version.INCOMING})
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
