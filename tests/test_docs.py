"""What the documents say is so: links lead somewhere, commands and settings exist, tables match the code."""

import ast
import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import Role
from accounts.permissions import MAY
from csms.api.urls import router
from csms.ocpp import schemas, v16, v201
from csms.ocpp.mend import MENDERS
from csms.ocpp.quirks import REGISTRY
from csms.templatetags.words import REASONS, REMEDIES
from stations.domain.commands import COMMANDS

ROOT: Path = settings.BASE_DIR
#: What a checkout may hold beside what is under version control.
MADE = {"site", "staticfiles", "media", "node_modules", "__pycache__"}
OF_OURS = {".ci", ".gitignore", ".pre-commit-config.yaml"}
#: Where somebody's machine or a registry would show. In pieces, so that this file does not name them.
FOREIGN = re.compile(
    "|".join(["/wo" + "rk/", r"/tm" + r"p\b", "/ro" + "ot/", "/ho" + "me/", r"pypi\.o" + "rg", r"npm" + "js", r"deb\.deb" + "ian"])
)
#: Reasons for which nobody finds a line on the page.
NOT_RECORDED = {"too_many_attempts", "database_away", "restarting", "internal_error"}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def tracked() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(one for one in folders if one not in MADE and (one in OF_OURS or not one.startswith(".")))
        yield from (Path(folder, one) for one in sorted(names) if one in OF_OURS or not one.startswith("."))


def text_of(path: Path) -> str:
    """What a text file says; nothing of a picture."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


@cache
def files(suffix: str = "") -> dict[str, str]:
    """Path below the root to text."""
    return {str(path.relative_to(ROOT)): text for path in tracked() if path.name.endswith(suffix) and (text := text_of(path))}


def rows(document: str) -> Iterator[list[str]]:
    """The cells of every line of every table."""
    for line in (ROOT / document).read_text().splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_link_leads_to_a_file_or_a_heading() -> None:
    for path, text in files(".md").items():
        for target in LINK.findall(text):
            if target.startswith(("https://", "http://")):
                continue
            file, _, heading = target.partition("#")
            found = ((ROOT / path).parent / file).resolve() if file else ROOT / path
            assert found.exists(), f"{target} in {path} leads nowhere"
            if heading:
                headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)
                slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}
                assert heading in slugs, f"{target} in {path} leads nowhere"


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path, text in files(".md").items():
        for command in re.findall(r"(?:`|^    )(make [^`#\n]+)", text, re.MULTILINE):
            named = {word for word in re.sub(r'"[^"]*"', "", command).split()[1:] if re.fullmatch(r"[a-z-]+", word)}
            assert named <= targets, f"{command} in {path}"


def test_every_path_that_is_named_exists() -> None:
    pattern = re.compile(r"`((?:accounts|stations|billing|csms|tests|docs|templates|static|\.ci)/[\w./-]*)`")
    missing = {one: path for path, text in files(".md").items() for one in pattern.findall(text) if not (ROOT / one).exists()}
    # An API's path that looks like one of ours.
    assert set(missing) <= {"stations/"}


def test_every_setting_is_documented() -> None:
    calls = [node for node in ast.walk(ast.parse((ROOT / "csms/settings.py").read_text())) if isinstance(node, ast.Call)]
    read = {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "env"
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    checked = set(re.findall(r'"((?:CSMS_)?[A-Z]+(?:_[A-Z]+)+)"', (ROOT / "csms/checks.py").read_text()))
    documents = "".join((ROOT / one).read_text() for one in ("README.md", "docs/operations.md", "docs/index.md"))
    assert {"DATABASE_URL", "CSMS_TRUSTED_PROXIES"} <= read
    assert {setting for setting in read | checked if f"`{setting}`" not in documents and f"`{setting}=" not in documents} == set()


@pytest.mark.parametrize(("title", "protocol", "version"), [("1.6", "ocpp1.6", v16), ("2.0.1", "ocpp2.0.1", v201)])
def test_the_table_of_messages_is_that_of_the_code(title: str, protocol: str, version: Any) -> None:
    section = (ROOT / "docs/ocpp.md").read_text().split(f"## Messages of OCPP {title}\n")[1].split("\n## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]
    table = {row[0].strip("`"): row[1:] for row in lines}
    handled = {translator.action for translator in version.INCOMING}
    sent = {translator.action: translator.command.kind for translator in version.OUTGOING if translator.action not in handled}
    assert {action for action, row in table.items() if row[0] == "handled"} == handled
    assert {action: row[1].strip("`") for action, row in table.items() if row[0] == "sent"} == sent
    assert set(table) == handled | set(sent)
    assert list(table) == sorted(schemas.actions(protocol))


def test_the_table_of_commands_is_that_of_the_code() -> None:
    table = {row[0].strip("`"): [cell.strip("`") for cell in row[1:3]] for row in rows("docs/ocpp.md") if len(row) == 5}
    table.pop("command", None)
    table = {kind: row for kind, row in table.items() if set(kind) != {"-"}}
    versions = [{translator.command.kind: translator.action for translator in version.OUTGOING} for version in (v16, v201)]
    assert table == {kind: [sayings.get(kind, "") for sayings in versions] for kind in COMMANDS}


def test_the_table_of_roles_is_that_of_the_code() -> None:
    head, _, *table = rows("docs/roles.md")
    roles = head[2:]
    assert roles == Role.values
    told = {row[0].strip("`"): {role for role, cell in zip(roles, row[2:], strict=True) if cell == "yes"} for row in table}
    assert told == {verb: set(may) for verb, may in MAY.items()}
    assert {cell for row in table for cell in row[2:]} == {"yes", ""}


def made_in_code(pattern: str) -> set[str]:
    """What stands in our code where the pattern has its group."""
    code = [text for path, text in files(".py").items() if path.startswith(("csms/ocpp/", "stations/"))]
    return {found for text in code for found in re.findall(pattern, text)}


def test_the_table_of_adjustments_is_that_of_the_code() -> None:
    section = (ROOT / "docs/ocpp.md").read_text().split("## Quirks\n")[1].split("\n## ")[0]
    table = {row[0].strip("`"): row[1:] for row in ([cell.strip() for cell in line.strip("|").split("|")]
             for line in section.splitlines() if line.startswith("| `"))}  # fmt: skip
    assert {name: row[0].replace("`", "").replace("?", "").split(", ") for name, row in table.items()} == {
        name: [parameter.name for parameter in known.parameters] or [""] for name, known in REGISTRY.items()
    }
    assert all(row[1].startswith(str(REGISTRY[name].words)) for name, row in table.items())


def test_every_finding_is_explained() -> None:
    made = made_in_code(r'\bNote\(\s*"(\w+)"') | made_in_code(r'self\._note\(\s*"(\w+)"') | made_in_code(r'\bcode="([a-z_]+)"')
    made |= {f"mended_{kind}" for kind in MENDERS}
    explained = {code for row in rows("docs/ocpp.md") for code in re.findall(r"`(\w+)`", row[0])}
    assert made - explained == set()


def test_every_refusal_has_its_status() -> None:
    made = made_in_code(r'\bRefused\((\d+), "(\w+)"')
    table = {(row[0][:3], row[1].strip("`")) for row in rows("docs/ocpp.md") if len(row) == 3}
    assert {("401", "wrong_password"), ("404", "unknown_station")} <= made
    assert {one for one in made if one not in table} == set()


def test_the_reasons_for_turning_a_charger_away_are_explained_and_have_their_words() -> None:
    made = {(status, reason) for status, reason in made_in_code(r'\bRefused\((\d+), "(\w+)"') if reason not in NOT_RECORDED}
    table = {(row[1][:3], row[0].strip("`")) for row in rows("docs/onboarding.md") if len(row) == 4 and row[0].startswith("`")}
    assert table == made
    reasons = {reason for _, reason in made}
    assert set(REASONS) == reasons
    assert reasons - {"replaced"} == set(REMEDIES)


@pytest.mark.parametrize(("prefix", "view"), [(prefix, view) for prefix, view, _ in router.registry])
def test_every_path_of_the_api_is_described_as_it_is(prefix: str, view: Any) -> None:
    sections = (ROOT / "docs/api.md").read_text().split("\n### ")
    section = next(section for section in sections if section.startswith(f"`{prefix}/`"))
    example = json.loads(re.findall(r"```json\n(.+?)```", section, re.DOTALL)[0])
    example = example["results"][0] if "results" in example else example
    assert set(example) == set(view.serializer_class().fields)
    head = section.split("\n\n")[1]
    assert [one for one in view.filterset_class.base_filters if f"`{one}`" not in head] == []
    assert [one for one in view.orderings if f"`{one}`" not in head] == []


def test_no_file_names_somebodys_machine_or_a_registry() -> None:
    assert {path: found for path, text in files().items() if (found := FOREIGN.findall(text))} == {}


def test_every_document_that_is_named_exists() -> None:
    for path, text in files().items():
        for named in re.findall(r"\b([\w/-]+\.md)\b", text):
            assert any(document.endswith(named) for document in files(".md")), f"{path} names {named}"
