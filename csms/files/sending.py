"""A file on its way out, a piece at a time: memory does not grow with the file, and the event loop waits for no disk."""

import asyncio
from collections.abc import AsyncGenerator

from csms.files import storage


async def pieces(path: str, first: int = 0, length: int | None = None) -> AsyncGenerator[bytes]:
    """The bytes of a file from `first`, at most `length` of them."""
    found = storage.pieces(path, first, length)
    try:
        while piece := await asyncio.to_thread(next, found, b""):
            yield piece
    finally:
        found.close()  # type: ignore[attr-defined]  # a generator, whose file is open
