"""The commands in tests/wire/<version>/out, played: what is asked, the CALLs it becomes, and what is made of the answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from csms.ocpp import registry, schemas
from csms.ocpp.translator import Unsayable
from tests.ocpp import wire
from tests.ocpp.test_golden import FOLDERS

#: The number of the command, which some CALLs carry.
NUMBER = 7
FILES = [(protocol, path) for protocol, folder in FOLDERS.items() for path in sorted((folder / "out").glob("*.json"))]


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(protocol, path.stem, case, id=f"{path.parent.parent.name}/{path.stem}: {case['name']}")
        for protocol, path in FILES
        for case in read(path)
        if kind in case
    ]


def read(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["cases"]
    return found


@pytest.mark.parametrize(("protocol", "action", "case"), cases("calls"))
def test_a_command_goes_as_it_is_written_down(protocol: str, action: str, case: dict[str, Any]) -> None:
    translator = registry.BY_ACTION[protocol][action]
    command = translator.command.of(case["command"])

    calls = translator.encode(command, NUMBER, case.get("limits", {}))

    assert calls == case["calls"]
    for call in calls:
        schemas.validator(protocol, action).validate(call)
    if len(calls) == 1:
        # A raw CALL of the API goes through the same command.
        assert translator.encode(translator.parse(calls[0]), NUMBER, {}) == calls
        assert translator.parse(calls[0]) == translator.command.of(case["command"] | case.get("parsed", {}))
    for answer in case["answers"]:
        schemas.validator(protocol, f"{action}Response").validate(answer["payload"])
        assert wire.as_json(translator.decode(command, calls[0], answer["payload"])) == answer["outcome"]


@pytest.mark.parametrize(("protocol", "action", "case"), cases("unsayable"))
def test_what_a_version_has_no_words_for_is_said_so(protocol: str, action: str, case: dict[str, Any]) -> None:
    translator = registry.BY_ACTION[protocol][action]
    with pytest.raises(Unsayable) as caught:
        translator.encode(translator.command.of(case["command"]), NUMBER, {})
    assert str(caught.value) == case["unsayable"]


@pytest.mark.parametrize("protocol", registry.PROTOCOLS)
def test_every_command_has_its_exchanges(protocol: str) -> None:
    assert {path.stem for of, path in FILES if of == protocol} == set(registry.BY_ACTION[protocol])
