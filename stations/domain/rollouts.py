"""How a roll-out is cut into waves and when a site lets it work: pure, in counts and local times."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from stations.domain.commands import BadCommand

WAVE = re.compile(r"([1-9][0-9]{0,5})( ?%)?\Z")
MOST_WAVES = 20
#: Models, versions, sites or stations that a selection can name.
MOST_NAMED = 1000
KNOWN = "models, versions, sites, stations, offline"
#: One, a tenth, half, all.
USUAL_WAVES = ("1", "10%", "50%", "100%")


def waves_of(words: Sequence[str]) -> list[str]:
    """Waves as they are kept: each up to how many stations (or what share of them) a roll-out goes before it waits and judges.

    Raises BadCommand for what is no number, does not grow, or is too much.
    """
    kept: list[str] = []
    for word in words:
        found = WAVE.match(word.strip())
        if found is None or (found[2] and int(found[1]) > 100):
            raise BadCommand("A wave is a number of chargers such as 1, or a share such as 10%%, not “%(word)s”.", word=word[:20])
        kept.append(f"{found[1]}%" if found[2] else found[1])
    if not 0 < len(kept) <= MOST_WAVES:
        raise BadCommand("From 1 to %(most)s waves make a roll-out.", most=MOST_WAVES)
    for kind in ("%", ""):
        numbers = [int(one.removesuffix("%")) for one in kept if one.endswith("%") == bool(kind)]
        if numbers != sorted(set(numbers)):
            raise BadCommand("Each wave goes further than the one before: write 1, 10%%, 50%%, 100%%.")
    return kept


def sizes(waves: Sequence[str], total: int) -> list[int]:
    """How many stations each wave adds. The last one takes whoever is left; a wave that would add nobody is left out."""
    found, so_far = [], 0
    for wave in waves:
        upto = -(-total * int(wave[:-1]) // 100) if wave.endswith("%") else int(wave)
        upto = min(upto, total)
        if upto > so_far:
            found.append(upto - so_far)
            so_far = upto
    if so_far < total:
        found.append(total - so_far)
    return found


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stations are meant: of these models, versions, sites (keys) and identities; what is empty narrows nothing.

    `offline`: also those that cannot be heard now; they get it when they are back.
    """

    models: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    sites: tuple[int, ...] = ()
    stations: tuple[str, ...] = ()
    offline: bool = False

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self:
        """As JSON has it. Raises BadCommand for what it cannot mean."""
        if unknown := given.keys() - cls.__slots__:
            raise BadCommand("A selection has no %(unknown)s; it has %(known)s.", unknown=", ".join(sorted(unknown)), known=KNOWN)
        values: dict[str, Any] = {"offline": given.get("offline", False)}
        if not isinstance(values["offline"], bool):
            raise BadCommand("%(name)s must be true or false.", name="offline")
        for name, kind in (("models", str), ("versions", str), ("sites", int), ("stations", str)):
            found = given.get(name) or []
            if not isinstance(found, list | tuple) or len(found) > MOST_NAMED or any(type(one) is not kind for one in found):
                raise BadCommand("%(name)s must be a list of at most %(most)s.", name=name, most=MOST_NAMED)
            values[name] = tuple(dict.fromkeys(one.replace("\x00", "")[:100] if isinstance(one, str) else one for one in found))
        return cls(**values)

    def kept(self) -> dict[str, Any]:
        """As JSON has it, without what narrows nothing."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class Window:
    """When updates may begin, by the clock of the station's site. `days`: of its beginnings, Monday is 0; none means every day.

    It may pass midnight. Without times it is always open on its days.
    """

    start: time | None = None
    end: time | None = None
    days: tuple[int, ...] = ()

    def is_open(self, now: datetime, zone: ZoneInfo) -> bool:
        local = now.astimezone(zone)
        today, yesterday = local.weekday(), (local.weekday() - 1) % 7
        at = local.time().replace(tzinfo=None)
        if self.start is None or self.end is None:
            return self._has(today)
        if self.start < self.end:
            return self._has(today) and self.start <= at < self.end
        return (self._has(today) and at >= self.start) or (self._has(yesterday) and at < self.end)

    def opens_at(self, now: datetime, zone: ZoneInfo) -> datetime:
        """When it is open next: now if it is."""
        if self.is_open(now, zone):
            return now
        local = now.astimezone(zone)
        for ahead in range(9):
            day = local.date() + timedelta(days=ahead)
            begins = datetime.combine(day, self.start or time.min, zone).astimezone(UTC)
            if begins > now and self._has(day.weekday()):
                return begins
        raise AssertionError("a window has at least one day")

    def _has(self, day: int) -> bool:
        return not self.days or day in self.days


@dataclass(frozen=True, slots=True)
class StopRule:
    """When a roll-out holds by itself: more than so many percent failed, once at least `after` ended; more than so many lost."""

    failed_percent: int = 20
    after: int = 5
    lost: int = 2

    def broken(self, *, done: int, failed: int, lost: int, final: bool = False) -> tuple[str, dict[str, int]] | None:
        """Why it must hold: a word of our own with its numbers. `lost` are among `failed`. `final`: a wave is over, if small."""
        if lost > self.lost:
            return "lost", {"lost": lost, "allowed": self.lost}
        ended = done + failed
        if failed and (final or ended >= self.after) and failed * 100 > self.failed_percent * ended:
            return "failed", {"failed": failed, "ended": ended, "percent": self.failed_percent}
        return None
