"""Memory that the web processes of one service share, a slot each: what they have counted, for whichever of them is asked.

The supervisor makes it as a file without a name and hands it down, so nothing of it outlives the service; it clears the slot of
a process that has ended. A process without a supervisor has a board to itself. One writes a slot, and readers check its sum:
there is no lock across processes. Slots are numbered, not named by pid, so that a restart begins the same series anew.
"""

import mmap
import struct
import tempfile
import time
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

SLOT = 256 * 1024
#: Length and checksum of what follows, and when it was written (the monotonic clock, which all processes of a machine share).
HEAD = struct.Struct("<IId")
TRIES = 5


class Said(NamedTuple):
    """What a process said, and how many seconds ago."""

    number: int
    ago_s: float
    text: bytes


class Board:
    def __init__(self, memory: mmap.mmap, number: int = 0) -> None:
        self.memory, self.number = memory, number

    def write(self, text: bytes) -> None:
        """Into our own slot. Raises ValueError if it does not fit."""
        if len(text) > SLOT - HEAD.size:
            raise ValueError(f"{len(text)} bytes of metrics do not fit into {SLOT}.")
        start = self.number * SLOT
        self.memory[start + HEAD.size : start + HEAD.size + len(text)] = text
        HEAD.pack_into(self.memory, start, len(text), zlib.crc32(text), time.monotonic())

    def clear(self, number: int) -> None:
        """The process has ended: what it said is no longer so."""
        HEAD.pack_into(self.memory, number * SLOT, 0, 0, 0.0)

    def read(self) -> Iterator[Said]:
        """What all processes said last."""
        for number in range(len(self.memory) // SLOT):
            if (said := self._read(number)) is not None:
                yield said

    def _read(self, number: int) -> Said | None:
        start = number * SLOT
        for _ in range(TRIES):
            length, checksum, at = HEAD.unpack_from(self.memory, start)
            text = self.memory[start + HEAD.size : start + HEAD.size + min(length, SLOT - HEAD.size)]
            if length == 0:
                return None
            if zlib.crc32(text) == checksum:
                return Said(number, time.monotonic() - at, text)
            time.sleep(0.001)  # it is being written
        return None


def create(count: int) -> tuple[IO[bytes], Board]:
    """A board for `count` processes, and the file to hand down to them."""
    file = tempfile.TemporaryFile(prefix="csms-")  # noqa: SIM115  (it lives as long as the supervisor)
    file.truncate(count * SLOT)
    return file, Board(mmap.mmap(file.fileno(), 0))


def attach(fd: int, number: int) -> None:
    """We are process `number` of a supervisor's."""
    global board
    board = Board(mmap.mmap(fd, 0), number)


board = Board(mmap.mmap(-1, SLOT))
