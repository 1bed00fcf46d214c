"""Which cases there are, and what is said of each: tested here, for later, or not for us."""

import csv
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

HERE = Path(__file__).parent
#: Version to the folder of its cases.
FOLDERS = {"1.6": "v16", "2.0.1": "v201"}

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of cases.tsv."""

    version: str
    case: str
    title: str


@dataclass(frozen=True, slots=True)
class Said:
    """`how`: "tested", "later" or "not applicable". `why`: the requirement that the test holds to, empty where its steps are
    inferred from the case's title; else the reason."""

    version: str
    case: str
    how: str
    why: str
    where: str


#: All that was said, as the modules of cases are imported. The same test imported twice is said once.
SAID: dict[tuple[str, str, str], Said] = {}


def listed() -> list[Listed]:
    """The cases of the Open Charge Alliance's test plans for a CSMS, by id and title."""
    with (HERE / "cases.tsv").open() as file:
        return [Listed(row["version"], row["case"], row["title"]) for row in csv.DictReader(file, delimiter="\t")]


def case(version: str, name: str, *, requirement: str = "", inferred: bool = False) -> Callable[[F], F]:
    """This test is that case. `requirement`: where it is written what is asserted; else the steps are `inferred`."""
    if bool(requirement) == inferred:
        raise ValueError(f"{name} holds to a requirement, or its steps are inferred: say one of them.")

    def marked(test: F) -> F:
        test.case = (version, name)  # type: ignore[attr-defined]  # read back in conftest.py
        _say(Said(version, name, "tested", requirement, f"{test.__module__.rpartition('.')[2]}.{test.__name__}"))
        return test

    return marked


def later(version: str, name: str, why: str) -> None:
    """It needs what is not there yet: TLS of our own, a CA, an ISO 15118 back end."""
    _say(Said(version, name, "later", why, ""))


def not_applicable(version: str, name: str, why: str) -> None:
    """It cannot apply to this CSMS."""
    _say(Said(version, name, "not applicable", why, ""))


def _say(said: Said) -> None:
    SAID[said.version, said.case, said.where or said.how] = said


def said() -> list[Said]:
    """What all modules of cases say."""
    for folder in FOLDERS.values():
        for path in sorted((HERE / folder).glob("test_*.py")):
            importlib.import_module(f"tests.conformance.{folder}.{path.stem}")
    return list(SAID.values())
