"""Every case is tested once, or it is said why not."""

import re
from collections import Counter
from pathlib import Path

from tests.conformance.cases import listed, said


def test_every_case_has_one_test_or_a_reason_and_there_are_no_others() -> None:
    cases = {(one.version, one.case) for one in listed()}
    told = Counter((one.version, one.case) for one in said())
    assert {one for one, times in told.items() if times > 1} == set()
    assert told.keys() - cases == set()
    assert cases - told.keys() == set()


#: Requirements whose text is at hand; of others only the use case is known.
WRITTEN = {"N10.FR.02"}
NUMBERED = re.compile(r"\b[A-P]\d\d\.FR\.\d+")


def test_no_requirement_is_made_up() -> None:
    chapters = set(re.findall(r"\b[A-P]\d\d\b", " ".join(one.use_case for one in listed())))
    for one in said():
        if one.how == "tested" and one.version == "2.0.1":
            cited = re.findall(r"\b[A-P]\d\d(?:\.FR\.\d\d)?", one.why)
            assert set(cited) <= chapters | WRITTEN, one
            assert bool(cited) == bool(one.why) or "Part 4" in one.why, one


def test_the_source_cites_no_requirement_whose_text_is_not_at_hand() -> None:
    root = Path(__file__).parents[2]
    folders = ("accounts", "billing", "csms", "docs", "stations", "templates", "tests")
    files = [one for folder in folders for one in (root / folder).rglob("*") if one.suffix in {".py", ".md", ".html", ".json"}]
    assert len(files) > 100
    cited = {(str(one.relative_to(root)), name) for one in files for name in NUMBERED.findall(one.read_text())}
    assert {(where, name) for where, name in cited if name not in WRITTEN} == set()


def test_a_reason_says_something() -> None:
    for one in said():
        assert one.how == "tested" or len(one.why) > 20, one
