"""PDFs of HTML, made by a process beside this one: it may take its second without holding up the stations, and no longer than that.

WeasyPrint needs Pango, a library of the system. Where that is missing the HTML is there all the same.
"""

import json
import subprocess
import sys
import threading
from http import HTTPStatus
from pathlib import Path

import structlog

from csms import printer

#: How long whoever asks waits for a turn, and for the PDF.
TURN_S, PATIENCE_S = 20, 40
#: PDFs that one of our processes makes at a time.
AT_ONCE = 2
LONGEST_HTML, LARGEST_PDF = 512 * 1024, 4 * 1024 * 1024

_turns = threading.BoundedSemaphore(AT_ONCE)
log = structlog.get_logger(__name__)


class NoPdf(Exception):
    """There is no PDF, and the message says why and what to do, for who runs the system. `status` is that of HTTP."""

    def __init__(self, message: str, status: HTTPStatus) -> None:
        super().__init__(message)
        self.status = status


def pdf(*, html: str, css: str, identifier: str) -> bytes:
    """The same HTML, CSS and identifier make the same PDF. Raises NoPdf."""
    asked = json.dumps({"html": html, "css": css, "identifier": identifier})
    if len(asked) > LONGEST_HTML:
        raise NoPdf("This page is too long for a PDF: print it in the browser.", HTTPStatus.UNPROCESSABLE_ENTITY)
    if not _turns.acquire(timeout=TURN_S):
        raise NoPdf("Too many PDFs are asked for at once: try again in a minute.", HTTPStatus.SERVICE_UNAVAILABLE)
    try:
        done = subprocess.run(  # noqa: S603  (ourselves)
            [sys.executable, "-I", str(Path(printer.__file__))],
            input=asked.encode(),
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoPdf("Making the PDF took too long: print the page in the browser.", HTTPStatus.SERVICE_UNAVAILABLE) from error
    finally:
        _turns.release()
    if done.returncode == printer.MISSING:
        raise missing(done.stderr)
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-") or len(done.stdout) > LARGEST_PDF:
        log.error("a PDF could not be made", code=done.returncode, error=done.stderr.decode(errors="replace")[-2000:])
        raise NoPdf("The PDF could not be made: print the page in the browser.", HTTPStatus.SERVICE_UNAVAILABLE)
    return done.stdout


def missing(said: bytes) -> NoPdf:
    """A library is not there, which the process has said."""
    why = _last(said)
    log.error("PDFs cannot be made: install Pango (Debian, Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0)", reason=why)
    return NoPdf(
        "PDFs cannot be made here, because the library Pango is missing. Whoever runs the system installs it (Debian, Ubuntu: "
        f"apt install libpango-1.0-0 libpangoft2-1.0-0). Meanwhile print the page in the browser. ({why})",
        HTTPStatus.SERVICE_UNAVAILABLE,
    )


def _last(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""
