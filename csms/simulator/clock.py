"""What time it is for a station: the wall's clock when it lives, a clock moved by hand when a test leads it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class WallClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ScriptedClock:
    """Stands still until somebody sleeps on it, then jumps: an hour of charging takes no time.

    It starts three hours ago unless told otherwise, so that a script's messages look like those of a station that was
    offline, which is legal, and not like those of a station whose clock is fast.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC) - timedelta(hours=3)

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def wire_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, the most that OCPP allows."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
