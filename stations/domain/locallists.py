"""How a list of tokens is cut into messages that a station can take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: Entries that go into one message where a station does not say how many it takes.
USUAL_ITEMS = 50
#: The JSON of a message around its entries, and of an entry around its texts: what the wordiest version needs.
AROUND, ENTRY, INFO, EXPIRY, GROUP = 160, 60, 40, 50, 60


@dataclass(frozen=True, slots=True)
class Limits:
    """What a station takes: entries and bytes a message, entries altogether. None: it does not say."""

    items: int | None = None
    size: int | None = None
    most: int | None = None


def weight(entry: dict[str, Any]) -> int:
    """How many bytes an entry takes in a message, at most."""
    size = ENTRY + len(entry["id_token"].encode()) + len(entry.get("type", ""))
    if not entry.get("remove"):
        size += INFO
    if entry.get("expires_at"):
        size += EXPIRY
    if entry.get("group"):
        size += GROUP + len(entry["group"].encode())
    return size


def chunks(entries: Sequence[dict[str, Any]], limits: Limits) -> list[int]:
    """How many of the entries, in their order, go into each message (OCPP 2.0.1 D01, ItemsPerMessage and BytesPerMessage; 1.6
    SendLocalListMaxLength). At least one message, and at least one entry in each of several.
    """
    items = max(1, limits.items or USUAL_ITEMS)
    sizes: list[int] = [0]
    filled = AROUND
    for entry in entries:
        heavy = weight(entry)
        if sizes[-1] and (sizes[-1] >= items or (limits.size and filled + heavy > limits.size)):
            sizes.append(0)
            filled = AROUND
        sizes[-1] += 1
        filled += heavy
    return sizes
