"""PDFs: made by a process that fetches nothing and ends in time, and a sentence where it cannot."""

import http.server
import re
import threading
import zlib
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from csms import printer, printing

PAGE = (
    '<!doctype html><html lang="de"><head><title>Beleg 1</title></head><body><h1>Beleg</h1><p>Übergröße 5,75 €</p>{}</body></html>'
)


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A server that notes what it is asked for."""
    paths: list[str] = []

    class Noting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Noting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()


def inner(pdf: bytes) -> bytes:
    """The PDF with its streams unpacked."""
    found = [pdf]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


def test_a_pdf_is_tagged_titled_and_says_its_language() -> None:
    made = printing.pdf(html=PAGE.format(""), css="", identifier="1-R1")
    text = inner(made)
    assert made.startswith(b"%PDF-1.7")
    assert b"/StructTreeRoot" in text
    assert b"/Lang (de)" in text
    assert b"pdfuaid" in text
    assert b"/EmbeddedFile" not in text
    assert b"/FontFile" in text


def test_the_same_page_makes_the_same_pdf() -> None:
    first, second = (printing.pdf(html=PAGE.format(""), css="p { color: red }", identifier="1-R1") for _ in range(2))
    assert first == second


def test_nothing_is_fetched(asked: tuple[str, list[str]], tmp_path: Path) -> None:
    url, paths = asked
    secret = tmp_path / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>SECRET</text></svg>')
    parts = f'<img src="{url}/a.png"><img src="file://{secret}"><link rel="stylesheet" href="{url}/b.css">'
    parts += f'<a rel="attachment" href="{url}/c">x</a>'
    css = f'@import url("{url}/d.css"); p {{ background: url({url}/e.png) }} @font-face {{ font-family: x; src: url({url}/f.ttf) }}'
    made = printing.pdf(html=PAGE.format(parts), css=css, identifier="1")
    assert paths == []
    assert b"SECRET" not in inner(made)


def test_without_pango_it_says_what_is_missing_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the loader of the system finds first is no library.
    for name in ("libpango-1.0.so.0", "libgobject-2.0.so.0"):
        (tmp_path / name).write_text("none")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    with pytest.raises(printing.NoPdf, match=r"Pango is missing.*apt install libpango.*print the page in the browser") as told:
        printing.pdf(html=PAGE.format(""), css="", identifier="1")
    assert told.value.status == HTTPStatus.SERVICE_UNAVAILABLE


def test_a_page_that_is_too_long_is_refused() -> None:
    with pytest.raises(printing.NoPdf, match="too long"):
        printing.pdf(html="x" * printing.LONGEST_HTML, css="", identifier="1")


def test_whoever_comes_when_all_turns_are_taken_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(printing, "TURN_S", 0.01)
    with printing._turns, pytest.raises(printing.NoPdf, match="Too many"):
        printing.pdf(html=PAGE.format(""), css="", identifier="1")


def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "PATIENCE_S", 0.01)
    with pytest.raises(printing.NoPdf, match="took too long"):
        printing.pdf(html=PAGE.format(""), css="", identifier="1")
    assert printing._turns.acquire(blocking=False)
    printing._turns.release()


def test_the_bounds_are_those_of_the_process() -> None:
    assert printer.CPU_S < printing.PATIENCE_S
