"""What a simulated station shows its drivers: messages of the CSMS, prices and costs. It tells of them in its log."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

#: What its display can do (DisplayMessageCtrlr).
PRIORITIES = ("AlwaysFront", "InFront", "NormalCycle")
STATES = ("Charging", "Faulted", "Idle", "Unavailable")
FORMATS = ("ASCII", "UTF8")
#: How many messages it keeps, and how many go into one message of its own.
MOST, PAGE = 20, 5
#: Texts and costs that it remembers.
REMEMBERED = 100


def moment(text: str | None) -> datetime | None:
    at = datetime.fromisoformat(text) if text else None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


@dataclass(slots=True)
class Display:
    """`messages` by id, as they came (snake case); `costs`: transaction and amount, the newest last; `texts`: prices."""

    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    costs: list[tuple[str, float]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    #: By transaction the states of a connector at which a reading is to be sent (1.6).
    triggers: dict[str, list[str]] = field(default_factory=dict)

    def take(self, message: dict[str, Any], *, running: set[str], now: datetime) -> str:
        """The status of the answer to SetDisplayMessage (O01, O02, O06)."""
        self.tidy(running=running, now=now)
        if message["priority"] not in PRIORITIES:
            return "NotSupportedPriority"
        if message["message"]["format"] not in FORMATS:
            return "NotSupportedMessageFormat"
        if message.get("state") and message["state"] not in STATES:
            return "NotSupportedState"
        if message.get("transaction_id") and message["transaction_id"] not in running:
            return "UnknownTransaction"
        if message["id"] not in self.messages and len(self.messages) >= MOST:
            return "Rejected"
        self.messages[message["id"]] = message
        return "Accepted"

    def clear(self, number: int) -> str:
        return "Accepted" if self.messages.pop(number, None) else "Unknown"

    def wanted(
        self, numbers: list[int] | None, priority: str | None, state: str | None, *, running: set[str], now: datetime
    ) -> list[dict[str, Any]]:
        """The messages that GetDisplayMessages asks for (O03, O04)."""
        self.tidy(running=running, now=now)
        return [
            one
            for number, one in sorted(self.messages.items())
            if (not numbers or number in numbers) and priority in (None, one["priority"]) and state in (None, one.get("state"))
        ]

    def tidy(self, *, running: set[str], now: datetime) -> None:
        """What is over by its time, or with its transaction, goes (O01, O02)."""
        for number, one in list(self.messages.items()):
            end = moment(one.get("end_date_time"))
            ended = one.get("transaction_id") and one["transaction_id"] not in running
            if ended or (end is not None and end <= now):
                del self.messages[number]

    def cost(self, transaction: object, amount: float) -> None:
        self.costs = [*self.costs, (str(transaction), amount)][-REMEMBERED:]

    def text(self, text: str) -> None:
        self.texts = [*self.texts, text][-REMEMBERED:]
