"""Which messages are handled together, which apart from the others, and which wait because somebody holds their station's rows.

One station must not hold up the others, be it that its messages fail, or that a page, a job or another process that has its rows
locked is slow, or frozen.
"""

from collections.abc import Iterable, Sequence

from csms.ocpp.exchange import Message

#: A failure weighs as much as so many messages that go well: those that fail every now and then are among many that do not.
FAILURE = 8
#: A station whose failures weigh more than one is handled apart from the others, until enough have gone well.
SUSPICIOUS = FAILURE + 1
#: Failures that are remembered at most.
MOST_FAILURES = 4


class Lanes:
    """`held`: messages that wait, each station's in their order. All of them are tried again in the next round."""

    def __init__(self) -> None:
        self.failures: dict[int, int] = {}
        self.held: list[Message] = []

    def sorted(self, inbound: Sequence[Message]) -> tuple[list[Message], list[Message]]:
        """Those that are handled together, and those that are handled one by one. What was held comes first."""
        inbound, self.held = [*self.held, *inbound], []
        apart = [one for one in inbound if self.failures.get(one.station_id, 0) >= SUSPICIOUS]
        return [one for one in inbound if self.failures.get(one.station_id, 0) < SUSPICIOUS], apart

    def holds(self, one: Message) -> bool:
        """Whether an earlier message of its station waits."""
        return any(held.station_id == one.station_id for held in self.held)

    def failed(self, one: Message) -> None:
        self.failures[one.station_id] = min(self.failures.get(one.station_id, 0) + FAILURE, MOST_FAILURES * FAILURE)

    def in_the_way(self, one: Message) -> None:
        """It waits for a lock, for which the others are not to wait."""
        self.held.append(one)
        self.failures[one.station_id] = max(self.failures.get(one.station_id, 0), SUSPICIOUS)

    def went_well(self, inbound: Iterable[Message]) -> None:
        for one in inbound:
            if one.station_id in self.failures:
                self.failures[one.station_id] -= 1
                if self.failures[one.station_id] <= 0:
                    del self.failures[one.station_id]
