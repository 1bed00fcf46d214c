"""What a translator is: one small pure class for each message of each version. No ORM, no clock, no settings."""

from typing import Any, ClassVar

from stations.domain.events import Event, Reply
from stations.domain.values import Note

Payload = dict[str, Any]


class Incoming:
    """A CALL from a station. `transactional` ones are never refused: what cannot be understood is stored for repair."""

    action: ClassVar[str]
    transactional: ClassVar[bool] = False

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> Event:
        """The event a clean payload tells. Oddities are added to `notes`."""
        raise NotImplementedError

    @staticmethod
    def encode(reply: Reply) -> Payload:
        """The answer's payload: strictly valid, whatever the station sent."""
        raise NotImplementedError

    @staticmethod
    def salvage(transaction_id: str) -> Payload:
        """The smallest valid answer to a transactional message that could not be handled."""
        return {}
