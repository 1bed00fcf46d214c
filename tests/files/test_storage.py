"""Files lie below one folder, whole or not at all."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from csms.files import storage, tokens


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.FILES_DIR = str(tmp_path)
    return tmp_path


def test_a_file_is_there_when_it_is_whole_and_not_before(folder: Path) -> None:
    path = storage.new_path("logs", 7)
    with storage.Writer(path, limit=10) as writer:
        writer.write(b"01234")
        assert storage.size(path) is None
        writer.write(b"56789")
        writer.finish()
    assert storage.size(path) == 10
    assert b"".join(storage.pieces(path)) == b"0123456789"
    assert b"".join(storage.pieces(path, 3, 4)) == b"3456"
    assert writer.sha256 == "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
    assert [one.name for one in folder.rglob("*") if one.is_file()] == [Path(path).name]


def test_nothing_is_left_of_one_that_broke_or_was_too_large(folder: Path) -> None:
    path = storage.new_path("logs", 7)
    with pytest.raises(storage.TooLarge), storage.Writer(path, limit=10) as writer:
        writer.write(b"x" * 11)
    with storage.Writer(path, limit=10) as writer:
        writer.write(b"x")
    assert not [one for one in folder.rglob("*") if one.is_file()]


def test_two_writers_of_one_file_do_not_meet() -> None:
    path = storage.new_path("logs", 7)
    with storage.Writer(path, limit=10) as one, storage.Writer(path, limit=10) as other:
        one.write(b"one")
        other.write(b"other")
        one.finish()
        other.finish()
    assert b"".join(storage.pieces(path)) == b"other"


@pytest.mark.parametrize("path", ["../secret", "logs/7/2026-11/../../x", "/etc/passwd", "logs/7/2026-11/" + "g" * 32, ""])
def test_no_path_leads_outside(path: str) -> None:
    with pytest.raises(ValueError, match="No path of ours"):
        storage.place(path)


def test_files_and_what_broken_writers_left_are_found_by_age_and_deleted(folder: Path) -> None:
    path = storage.new_path("logs", 7)
    writer = storage.Writer(path, limit=10)
    writer.file.close()  # as if it were killed
    assert list(storage.older("logs", datetime.now(UTC) + timedelta(minutes=1))) == [path]
    assert list(storage.older("logs", datetime.now(UTC) - timedelta(minutes=1))) == []
    storage.delete([path, path])
    assert list(storage.older("logs", datetime.now(UTC) + timedelta(minutes=1))) == []


def test_a_token_is_found_by_its_hash_alone_whatever_its_case() -> None:
    token, kept = tokens.make()
    assert tokens.check(token) == tokens.check(token.upper()) == kept
    assert token not in kept
    assert tokens.make()[0] != token


@pytest.mark.parametrize("token", ["", "short", "z" * 40, "0" * 41, "0" * 39 + "\n", "../" * 13 + "0"])
def test_what_is_no_token_of_ours_is_not_looked_for(token: str) -> None:
    assert tokens.check(token) is None
