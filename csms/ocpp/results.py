"""What a round of the batch thread hands to the event loop."""

from dataclasses import dataclass, field
from typing import Any

from csms.ocpp.doors import Verdict
from csms.ocpp.errands import Errand
from csms.ocpp.exchange import Message


@dataclass(slots=True)
class Results:
    """What came of one round. An answer of None: the socket was replaced by a newer one and must be closed."""

    answers: list[tuple[Message, str | None]] = field(default_factory=list)
    verdicts: list[tuple[Any, Verdict | None]] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
