"""What every event is, and every answer to one. The package has the events themselves."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Reply:
    """Base of all replies."""


@dataclass(frozen=True, slots=True)
class Done(Reply):
    """Heard; nothing to say."""


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""

    reply: ClassVar[type[Reply]] = Done
