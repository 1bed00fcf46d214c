"""Energy out of the registers a meter told, where start and stop alone make none. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

#: A moment and the register (Wh) at it.
Point = tuple[datetime, Decimal]


@dataclass(frozen=True, slots=True)
class Recount:
    """What a series of registers says. Energies in Wh; `resets`: how often the register began anew.

    `span_wh` is the last register less the first, None where that is less than nothing; `rises_wh` the sum of what it rose by.
    """

    first: Point
    last: Point
    span_wh: Decimal | None
    rises_wh: Decimal
    resets: int


def recount(points: Sequence[Point]) -> Recount | None:
    """None: fewer than two registers are known, which make no energy. Points in the order of their time.

    A register that falls and later is back where it was dropped out in between (lbbrhzn/ocpp#374): what it said meanwhile counts
    for nothing. One that never comes back began anew: what it rose by from there on is added, what was lost in the fall is not
    known and not guessed at.
    """
    if len(points) < 2:
        return None
    rises, resets = Decimal(0), 0
    floor = points[0][1]
    for (_, register), highest in zip(points[1:], _highest_from(points)[1:], strict=True):
        if register >= floor:
            rises += register - floor
            floor = register
        elif highest < floor:
            resets += 1
            floor = register
    span = points[-1][1] - points[0][1]
    return Recount(points[0], points[-1], span if span >= 0 else None, rises, resets)


def _highest_from(points: Sequence[Point]) -> list[Decimal]:
    """For each point the highest register from it on."""
    highest: list[Decimal] = []
    for _, register in reversed(points):
        highest.append(max(register, highest[-1]) if highest else register)
    return highest[::-1]
