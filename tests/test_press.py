"""Many PDFs by one process: the same as one by one, and one that cannot be made costs the others nothing."""

from http import HTTPStatus
from pathlib import Path

import pytest

from csms import press, printer, printing
from tests.test_printing import PAGE


def one(made: press.Press, html: str = "") -> bytes:
    return made.pdf(html=html or PAGE.format(""), css="", identifier="1-R1")


def test_many_are_made_by_one_process_and_are_what_each_would_be_alone() -> None:
    with press.Press() as made:
        first = one(made)
        process = made.process
        assert one(made, PAGE.format("<p>Another</p>")) != first
        assert one(made) == first == printing.pdf(html=PAGE.format(""), css="", identifier="1-R1")
        assert made.process is process
    assert process is not None
    assert process.returncode is not None


def test_after_some_it_is_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printer, "MANY", 1)
    with press.Press() as made:
        one(made)
        process = made.process
        one(made)
        assert made.process is not process


def test_one_that_takes_too_long_is_ended_and_the_next_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    with press.Press() as made:
        with monkeypatch.context() as patch:
            patch.setattr(press, "PATIENCE_S", 0.01)
            with pytest.raises(printing.NoPdf, match="too busy") as told:
                one(made)
        assert told.value.status == HTTPStatus.SERVICE_UNAVAILABLE
        with pytest.raises(printing.NoPdf, match="too long"):
            one(made, "x" * printing.LONGEST_HTML)
        assert one(made).startswith(b"%PDF-")


def test_without_pango_none_can_be_made_and_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("libpango-1.0.so.0", "libgobject-2.0.so.0"):
        (tmp_path / name).write_text("none")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    with press.Press() as made, pytest.raises(printing.NoPdf, match="Pango is missing") as told:
        one(made)
    assert told.value.status == HTTPStatus.SERVICE_UNAVAILABLE
