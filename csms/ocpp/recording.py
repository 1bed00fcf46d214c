"""A recorded message log: NDJSON as the log's page and the API give it, one exchange a line, read in the order of its time.

The page's file begins with the newest, files of several chargers may be joined, and a call of ours stands where it was sent but
took effect when its answer came. So a first pass checks every line and notes where it lies and when it counts, which takes
some fifty bytes a line; the exchanges themselves are never all in memory.
"""

import mmap
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import orjson

from csms.ocpp import registry
from csms.ocpp.errands import command_of
from stations.models.station import IDENTITY

IDENTITY_PATTERN = re.compile(IDENTITY.regex)
#: Lines that are wrong are told up to so many.
MOST_ERRORS = 20
LONGEST_HANDLING_US = 3600 * 10**6


@dataclass(frozen=True, slots=True)
class Line:
    """An exchange. `text` is the CALL's frame (or what came instead of one), `answer` what was answered, as JSON."""

    number: int
    station: str
    incoming: bool
    protocol: str
    message_id: str
    text: str
    answer: Any
    received_at: datetime
    handling_us: int

    @property
    def counts_at(self) -> datetime:
        """When it changed something: a station's call when it came, ours when it was answered."""
        return self.received_at if self.incoming else self.received_at + timedelta(microseconds=self.handling_us)

    @property
    def command(self) -> int | None:
        """The command whose call of ours this is."""
        return None if self.incoming else command_of(self.message_id)


class Unreadable(Exception):
    """Lines of the file are no exchanges: (number, reason) of the first of them."""

    def __init__(self, errors: list[tuple[int, str]], count: int) -> None:
        super().__init__(f"{count} lines of the file are no exchanges of a message log.")
        self.errors, self.count = errors, count


def parse(number: int, text: bytes) -> Line:
    """Raises ValueError with the reason."""
    try:
        row = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"It is not JSON: {error}.") from None
    if not isinstance(row, dict):
        raise ValueError("It is not an object of JSON.")
    if missing := [name for name in ("station", "direction", "protocol", "received_at", "call") if name not in row]:
        raise ValueError(f"It has no {', '.join(missing)}.")
    if row["direction"] not in ("in", "out"):
        raise ValueError(f'"direction" is "in" or "out", not {row["direction"]!r:.40}.')
    if row["protocol"] not in registry.PROTOCOLS:
        raise ValueError(f'"protocol" is one of {", ".join(registry.PROTOCOLS)}, not {row["protocol"]!r:.40}.')
    if not isinstance(row["station"], str) or not IDENTITY_PATTERN.match(row["station"]):
        raise ValueError(f'"station" is no identity: {row["station"]!r:.60}.')
    try:
        at = datetime.fromisoformat(row["received_at"])
    except (TypeError, ValueError):
        raise ValueError(f'"received_at" is no time: {row["received_at"]!r:.40}.') from None
    handling_us = row["handling_us"] if "handling_us" in row else row.get("handling_ms", 0)
    if isinstance(handling_us, bool) or not isinstance(handling_us, int | float):
        raise ValueError("The time it took to handle is no number.")
    if "handling_us" not in row:
        handling_us *= 1000
    call = row["call"]
    return Line(
        number=number,
        station=row["station"],
        incoming=row["direction"] == "in",
        protocol=row["protocol"],
        message_id=str(row.get("message_id", ""))[:36],
        text=call if isinstance(call, str) else "" if call is None else orjson.dumps(call).decode(),
        answer=row.get("answer"),
        received_at=(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC),
        handling_us=max(0, min(round(handling_us), LONGEST_HANDLING_US)),
    )


class Recording:
    """`calls` says how many calls of a command the file has, by charger and command."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.calls: Counter[tuple[str, int]] = Counter()
        self.months: set[tuple[int, int]] = set()
        self._numbers, self._begins, self._times = array("L"), array("Q"), array("q")
        self._order: Any = range(0)

    def __enter__(self) -> Self:
        self._file = self.path.open("rb")
        # An empty file cannot be mapped.
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if self.path.stat().st_size else None
        try:
            self._look_through()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._map is not None:
            self._map.close()
        self._file.close()

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[Line]:
        assert self._map is not None or not len(self)
        for place in self._order:
            yield parse(self._numbers[place], self._text(self._begins[place]))

    def _text(self, begin: int) -> bytes:
        assert self._map is not None
        end = self._map.find(b"\n", begin)
        return self._map[begin:] if end < 0 else self._map[begin:end]

    def _look_through(self) -> None:
        errors: list[tuple[int, str]] = []
        wrong = begin = number = 0
        size = len(self._map) if self._map is not None else 0
        while begin < size:
            text, number = self._text(begin), number + 1
            if text.strip():
                try:
                    self._note(parse(number, text), begin)
                except ValueError as error:
                    wrong += 1
                    errors = [*errors, (number, str(error))][:MOST_ERRORS]
            begin += len(text) + 1
        if wrong:
            raise Unreadable(errors, wrong)
        times = self._times
        # The newest stand first, as on the page: then also those of one and the same moment.
        self._order = range(len(times) - 1, -1, -1) if len(times) and times[0] > times[-1] else range(len(times))
        if any(times[one] > times[other] for one, other in zip(self._order, self._order[1:], strict=False)):
            self._order = sorted(self._order, key=times.__getitem__)

    def _note(self, line: Line, begin: int) -> None:
        at = line.counts_at
        self._numbers.append(line.number)
        self._begins.append(begin)
        self._times.append(round(at.timestamp() * 1e6))
        self.months.add((at.year, at.month))
        if (command := line.command) is not None:
            self.calls[line.station, command] += 1
