"""docs/conformance.md: what is proven, case by case, and which actions of OCPP are spoken.

`make conformance` plays all cases and writes it; the results stand nowhere else. `python -m tests.conformance.page --keep` keeps
them, and writes anew what else has changed: another action is spoken, or a case is worded otherwise.
"""

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/conformance.md"
ROW = re.compile(r"^\| `(TC_\w+)` \|.*\| (passed|failed|not played) \|[^|]*\|$")
Results = Mapping[tuple[str, str], str]

HEAD = """# Conformance

The Open Charge Alliance certifies a CSMS by test cases, whose ids and titles are public. `tests/conformance` has a test for each of
those for OCPP 1.6 and 2.0.1: it plays the charger over a real socket against the real server, and reads through the REST API what
was made of it. This is no certificate: the steps of the cases are ours. Where it is known what OCPP says about them, the last
column names the chapter, use case or requirement that the test holds to; *inferred*: the steps follow from the case's title.

To keep the suite honest, a bare server that accepts everything and stores nothing is played against it, too: it must fail at least
nine cases in ten (`tests/conformance/test_bare.py`).

This page is made by `make conformance`, which plays all cases.
"""
CASES = """
## Cases of OCPP {title}

| case | title | use case | result | requirement, or why not |
|---|---|---|---|---|
"""
ACTIONS = """## Actions of OCPP {title}

{count} actions; {handled} are handled when a charger sends them, {sent} can be sent (through the API by the name of the command, or
through its raw door by their own).

| action | when a charger sends it | when we do |
|---|---|---|
"""


def made(results: Results) -> str:
    """The page, with these results."""
    # What these import needs settings, which the program below makes ready first.
    from csms.ocpp import v16, v201
    from tests.conformance.cases import listed, said

    told = {(one.version, one.case): one for one in said()}
    cases = listed()
    counts = {how: sum(one.how == how for one in told.values()) for how in ("tested", "later", "not applicable")}
    passed = sum(results.get(key) == "passed" for key, one in told.items() if one.how == "tested")
    text = [HEAD, f"\n{len(cases)} cases: {passed} passed of {counts['tested']} tested, "]
    text.append(f"{counts['later']} for later, {counts['not applicable']} that cannot apply here.\n")
    for version, module in (("1.6", v16), ("2.0.1", v201)):
        text.append(CASES.format(title=version))
        for one in cases:
            if one.version != version:
                continue
            said_of = told.get((version, one.case))
            if said_of is None:
                result, why = "missing", ""
            elif said_of.how == "tested":
                result, why = results.get((version, one.case), "not played"), said_of.why or "inferred"
            else:
                result, why = said_of.how, said_of.why
            text.append(f"| `{one.case}` | {one.title} | {one.use_case} | {result} | {why} |\n".replace("|  |", "| |"))
        text.append("\n" + _actions(version, module))
    return "".join(text)


def _actions(version: str, module: ModuleType) -> str:
    from csms.ocpp import schemas

    handled = {translator.action for translator in module.INCOMING}
    sent = {translator.action: translator.command.kind for translator in module.OUTGOING if not translator.tunnelled}
    actions = sorted(schemas.actions(f"ocpp{version}"))
    head = ACTIONS.format(title=version, count=len(actions), handled=len(handled), sent=len(sent))
    kinds = {name: f"`{sent[name]}`" if name in sent else "" for name in actions}
    lines = (f"| `{name}` | {'handled' if name in handled else ''} | {kinds[name]} |\n".replace("|  |", "| |") for name in actions)
    return head + "".join(lines).replace("|  |", "| |")


def results_of(page: str) -> dict[tuple[str, str], str]:
    """The results a page tells of."""
    found: dict[tuple[str, str], str] = {}
    version = ""
    for line in page.splitlines():
        if line.startswith("## "):
            version = line.rpartition(" ")[2]
        elif match := ROW.match(line):
            found[version, match[1]] = match[2]
    return found


def played(report: Path) -> dict[tuple[str, str], str]:
    """The results of a run, from its JUnit report."""
    found = {}
    for one in xml.parse(report).iter("testcase"):  # noqa: S314  (our own)
        for item in one.iter("property"):
            if item.get("name") == "case":
                version, _, name = (item.get("value") or "").partition(" ")
                bad = one.find("failure") is not None or one.find("error") is not None
                found[version, name] = "failed" if bad else "not played" if one.find("skipped") is not None else "passed"
    return found


def main() -> int:
    if "--keep" in sys.argv[1:]:
        PAGE.write_text(made(results_of(PAGE.read_text())))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        here = Path(__file__).parent
        done = subprocess.run(
            [sys.executable, "-m", "csms.local", "test", "-n", "2", "-q", f"--junitxml={report}", here / "v16", here / "v201"],
            cwd=ROOT,
            check=False,
        )
        results = played(report)
    PAGE.write_text(made(results))
    return done.returncode


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms.settings")
    os.environ.setdefault("CSMS_MODE", "test")

    django.setup()
    sys.exit(main())
