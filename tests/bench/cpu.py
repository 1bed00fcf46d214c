"""What processes use of the machine, from /proc: seconds of CPU, and memory."""

import os
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def used(pids: Iterable[int], *, dead_children: bool = False) -> float:
    """What these processes used so far, in user and kernel; a process that is gone counts nothing."""
    return sum(_used(pid, dead_children) for pid in pids)


def used_by_postgres(postmaster: int) -> float:
    """All processes of a PostgreSQL server: what backends used that have ended is in the postmaster's account."""
    return used([postmaster], dead_children=True) + used(children(postmaster))


def children(pid: int) -> list[int]:
    return [int(text) for task in _tasks(pid) for text in (task / "children").read_text().split()]


def parent(pid: int) -> int:
    return int(_fields(pid)[1])


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def _used(pid: int, dead_children: bool) -> float:
    try:
        fields = _fields(pid)
    except FileNotFoundError:
        return 0.0
    return sum(int(text) for text in fields[11 : 15 if dead_children else 13]) / TICKS


def _fields(pid: int) -> list[str]:
    """The fields of stat behind the name, which may hold blanks: state is the first, the parent the second."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def resident_kb(pid: int) -> int:
    """What a process holds of the machine's memory, in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])
