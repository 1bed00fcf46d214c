"""Chapter C: tokens."""

from dataclasses import dataclass
from typing import ClassVar

from stations.domain.command import Command


@dataclass(frozen=True, slots=True)
class ClearCache(Command):
    """Forget the tokens that were authorised before (OCPP 2.0.1 C11)."""

    kind: ClassVar[str] = "clear_cache"


ALL: tuple[type[Command], ...] = (ClearCache,)
