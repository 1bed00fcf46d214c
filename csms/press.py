"""Many PDFs, one after the other, by a process that stays: to begin one costs more than to make a receipt.

The process is begun with the first PDF and replaced after some, so that its memory does not grow; one that hangs is ended.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import IO

from csms import printer
from csms.printing import LARGEST_PDF, LONGEST_HTML, NoPdf, missing

#: Nobody waits at a page for it, and on a machine that is busy it comes last.
PATIENCE_S = 120
TOO_LONG = HTTPStatus.UNPROCESSABLE_ENTITY


class Press:
    """`pdf` makes the next one. To be closed, for which there is `with`."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the press)
        self.made = 0

    def __enter__(self) -> "Press":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._end()
        self.said.close()

    def pdf(self, *, html: str, css: str, identifier: str) -> bytes:
        """Raises NoPdf: with status 422 if it is this one that cannot be printed, with 503 if none can be now."""
        asked = json.dumps({"html": html, "css": css, "identifier": identifier}).encode()
        if len(asked) > LONGEST_HTML:
            raise NoPdf("This page is too long for a PDF.", TOO_LONG)
        if self.process is None or self.made >= printer.MANY:
            self._begin()
        self.made += 1
        try:
            found = self._ask(asked)
        except TimeoutError as error:
            self._end()
            raise NoPdf("Making a PDF took too long: the machine is too busy.", HTTPStatus.SERVICE_UNAVAILABLE) from error
        except OSError as error:
            raise self._died() from error
        if not found.startswith(b"%PDF-"):
            raise NoPdf("The PDF could not be made.", TOO_LONG)
        return found

    def _begin(self) -> None:
        self._end()
        self.said.seek(0)
        self.said.truncate()
        self.process = subprocess.Popen(  # noqa: S603  (ourselves)
            [sys.executable, "-I", str(Path(printer.__file__)), "--many"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            bufsize=0,
        )

    def _ask(self, asked: bytes) -> bytes:
        """Raises OSError where there is no answer, or none in time."""
        process = self.process
        assert process is not None
        assert process.stdin is not None
        until = time.monotonic() + PATIENCE_S
        view = memoryview(len(asked).to_bytes(printer.HEAD) + asked)
        while view:
            view = view[process.stdin.write(view) :]  # type: ignore[call-overload]
        size = int.from_bytes(self._read(printer.HEAD, until))
        if size > LARGEST_PDF:
            raise OSError("The PDF is too large.")
        return self._read(size, until)

    def _read(self, size: int, until: float) -> bytes:
        assert self.process is not None
        assert self.process.stdout is not None
        found = bytearray()
        while len(found) < size:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            if not (piece := os.read(self.process.stdout.fileno(), size - len(found))):
                raise OSError("The printer ended.")
            found += piece
        return bytes(found)

    def _died(self) -> NoPdf:
        """Why there was no answer. The next one is asked of another process."""
        process = self.process
        assert process is not None
        self._end()
        self.said.seek(0)
        words = self.said.read()
        if process.returncode == printer.MISSING:
            return missing(words)
        # By its bounds of time or memory, most likely: another page may well be printed.
        return NoPdf("The PDF could not be made: it took too much work or memory.", TOO_LONG)

    def _end(self) -> None:
        process, self.process, self.made = self.process, None, 0
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
