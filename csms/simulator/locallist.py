"""The list of cards that a simulated station keeps, and what it makes of a card while the CSMS cannot be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from csms.simulator.configuration import Configuration


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of a card. `status` None: it is to be taken off."""

    tag: str
    status: str | None = None
    expires_at: str | None = None

    @property
    def key(self) -> str:
        return self.tag.upper()

    def accepts(self, now: datetime) -> bool:
        return self.status == "Accepted" and (self.expires_at is None or datetime.fromisoformat(self.expires_at) > now)


@dataclass(slots=True)
class LocalList:
    """`version` 0: there is none. It outlives a restart."""

    configuration: Configuration
    version: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)

    def take(self, version: int, update: str, entries: Sequence[Entry]) -> str:
        """Accepted, Failed or VersionMismatch (1.6, 7.47; 2.0.1, D01)."""
        if not self.configuration.flag("LocalAuthListEnabled") or len(entries) > self.configuration.number(
            "SendLocalListMaxLength"
        ):
            return "Failed"
        if update == "Differential" and version <= self.version:
            return "VersionMismatch"
        kept = {} if update == "Full" else dict(self.entries)
        for entry in entries:
            if entry.status is None:
                kept.pop(entry.key, None)
            else:
                kept[entry.key] = entry
        if len(kept) > self.configuration.number("LocalAuthListMaxLength"):
            return "Failed"
        self.version, self.entries = version, kept
        return "Accepted"

    def lets_charge(self, tag: str, now: datetime) -> bool:
        """Without the CSMS: what the list says of a card, and of one it does not know AllowOfflineTxForUnknownId."""
        known = self.entries.get(tag.upper()) if self.configuration.flag("LocalAuthorizeOffline") else None
        return self.configuration.flag("AllowOfflineTxForUnknownId") if known is None else known.accepts(now)
