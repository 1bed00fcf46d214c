"""How the same is asked of many stations: of whom, how fast, and when to stop. Pure."""

from dataclasses import dataclass
from typing import Any

from stations.domain.commands import BadCommand

#: Stations that a list can name.
MOST_NAMED = 10_000
MOST_AT_ONCE = 500
LONGEST_JITTER_S = 600


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `at_once` stations are being asked at any time; each is asked at a random moment within `jitter_s` of its turn,
    so that they do not all restart, or come back, in the same second."""

    at_once: int = 50
    jitter_s: int = 2

    def check(self) -> None:
        _within("at_once", self.at_once, 1, MOST_AT_ONCE)
        _within("jitter_s", self.jitter_s, 0, LONGEST_JITTER_S)


@dataclass(frozen=True, slots=True)
class StopRule:
    """When a run holds by itself: more than so many percent of those that were asked and ended failed, once at least `after` ended;
    or more than so many failed. None: that part does not hold it. `count_offline`: those that were left out because they stayed
    offline count as failed, too."""

    failed_percent: int | None = None
    after: int = 10
    most_failed: int | None = None
    count_offline: bool = False

    def check(self) -> None:
        if self.failed_percent is not None:
            _within("failed_percent", self.failed_percent, 0, 100)
        _within("after", self.after, 1, 1_000_000)
        if self.most_failed is not None:
            _within("most_failed", self.most_failed, 0, 1_000_000)

    def broken(self, *, done: int, failed: int) -> dict[str, Any] | None:
        """Why it must hold: a word of our own with its numbers."""
        ended = done + failed
        if self.most_failed is not None and failed > self.most_failed:
            return {"code": "most_failed", "failed": failed, "allowed": self.most_failed}
        percent = self.failed_percent
        if percent is not None and ended >= self.after and failed * 100 > percent * ended:
            return {"code": "failed", "failed": failed, "ended": ended, "percent": percent}
        return None


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise BadCommand("%(name)s must be from %(least)s to %(most)s.", name=name, least=least, most=most)


@dataclass(frozen=True, slots=True)
class Said:
    """A command as stations of one protocol are asked for it."""

    kind: str
    params: dict[str, Any]
