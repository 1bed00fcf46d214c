"""Keeps the house in order: who imports whom, how big a module may be, where a version of OCPP may be named."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

ROOT: Path = settings.BASE_DIR
LONGEST = 400
#: A version of OCPP as code would name it, in a literal, an attribute or an import.
VERSION = re.compile(r"^(1\.6j?|2\.0\.1|2\.1)$|(?<![a-z0-9])(ocpp[-_]?|v)(1\.?6|2\.?0\.?1|2\.?1)", re.IGNORECASE)


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts]


def test_imports_run_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in modules("accounts", "stations", "billing", "csms", "tests")
    }
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_the_migrations_make_what_the_models_say(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True)  # exits when one is missing


def words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name and literal of the code with its line; not what stands in docstrings and comments."""
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in prose:
                yield node.lineno, text
            case ast.Attribute(attr=text) | ast.Name(id=text) | ast.alias(name=text):
                yield node.lineno, text
            case ast.arg(arg=text) | ast.keyword(arg=str(text)):
                yield node.lineno, text
            case ast.ImportFrom(module=str(text)):
                yield node.lineno, text


def versions_named(source: str) -> list[tuple[int, str]]:
    return [(line, text) for line, text in words(ast.parse(source)) if VERSION.search(text)]


@pytest.mark.parametrize(
    "path", modules("stations/services", "stations/domain", "billing"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_nothing_below_the_translators_knows_a_version_of_ocpp(path: Path) -> None:
    assert versions_named(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        'if version == "ocpp1.6": pass',
        'if version == "2.0.1": pass',
        "from csms.ocpp import v16",
        "check(v16=True)",
        "station.is_ocpp16",
        "x = V201",
        'f = "v2.1"',
    ],
)
def test_a_branch_on_a_version_would_be_found(source: str) -> None:
    assert versions_named(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""OCPP 1.6 section 5."""',
        "x = 16  # OCPP 1.6",
        "price = total_21",
        'assert tag, "1.6 starts carry a tag"',
        'name = "AMBER-01"',
    ],
)
def test_what_only_tells_of_a_version_is_left_alone(source: str) -> None:
    assert not versions_named(source)
