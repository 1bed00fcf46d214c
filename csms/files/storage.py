"""Files below CSMS_FILES_DIR, under names that we made: nothing a station or a person says becomes part of a path.

A file is written beside its name and moved there when it is whole, so that a name always stands for a whole file.
"""

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

PIECE_BYTES = 256 * 1024
#: folder/operator/month/name, as `new_path` makes them.
PATH = re.compile(r"[a-z]+/\d+/\d{4}-\d{2}/[0-9a-f]{32}\Z")


class TooLarge(Exception):
    """More than the limit came."""


def new_path(folder: str, operator_id: int) -> str:
    """Where a new file shall lie: what its row keeps. `folder` is a word of ours: "logs", "firmware"."""
    return f"{folder}/{operator_id}/{timezone.now():%Y-%m}/{secrets.token_hex(16)}"


def place(path: str) -> Path:
    """The file that a row names. ValueError for what `new_path` did not make, which is the only way out of the folder."""
    if not PATH.match(path):
        raise ValueError(f"No path of ours: {path!r}")
    return Path(settings.FILES_DIR) / path


class Writer:
    """Writes one file in pieces, counting and hashing them: `write` each, then `finish`, or `abandon` at any time.

    Blocking: a coroutine calls it in a thread. Two that write the same file do not meet; whoever finishes last, stays.
    Raises TooLarge, and OSError where the disk is full or the folder may not be written.
    """

    def __init__(self, path: str, *, limit: int) -> None:
        self.target = place(path)
        self.limit = limit
        self.size = 0
        self.hash = hashlib.sha256()
        self.target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        self.partial = self.target.with_name(f"{self.target.name}.{secrets.token_hex(4)}.part")
        self.file = self.partial.open("xb", buffering=0)

    def write(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self.limit:
            raise TooLarge
        self.hash.update(piece)
        view = memoryview(piece)
        while view:
            view = view[self.file.write(view) :]

    @property
    def sha256(self) -> str:
        return self.hash.hexdigest()

    def finish(self) -> None:
        """The file is whole: on the disk first, then under its name."""
        os.fsync(self.file.fileno())
        self.file.close()
        self.partial.replace(self.target)

    def abandon(self) -> None:
        """What was written is thrown away; nothing happens after `finish`."""
        self.file.close()
        self.partial.unlink(missing_ok=True)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: Any) -> None:
        self.abandon()


def size(path: str) -> int | None:
    """Bytes of a file; None if it is not there."""
    try:
        return place(path).stat().st_size
    except FileNotFoundError:
        return None


def pieces(path: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """The bytes of a file from `start`, at most `length` of them, a piece at a time. FileNotFoundError at the first piece."""
    with place(path).open("rb", buffering=0) as file:
        file.seek(start)
        while piece := file.read(PIECE_BYTES if length is None else min(PIECE_BYTES, length)):
            if length is not None:
                length -= len(piece)
            yield piece


def older(folder: str, before: datetime) -> Iterator[str]:
    """The paths of a folder at which a file, or what a broken writer left of one, was last written before this."""
    root = Path(settings.FILES_DIR)
    for found in (root / folder).glob("*/*/*"):
        path = str(found.relative_to(root)).split(".")[0]
        with contextlib.suppress(FileNotFoundError):
            if PATH.match(path) and found.stat().st_mtime < before.timestamp():
                yield path


def delete(paths: Iterable[str]) -> None:
    """Delete files and what broken writers left of them. Called after the rows are gone; what is gone already is no error."""
    for path in paths:
        target = place(path)
        target.unlink(missing_ok=True)
        for partial in target.parent.glob(f"{target.name}.*.part"):
            partial.unlink(missing_ok=True)
