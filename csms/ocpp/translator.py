"""What a translator is: one small pure class for each message of each version. No ORM, no clock, no settings."""

from typing import Any, ClassVar

from stations.domain.commands import Command, Outcome
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


class Outgoing:
    """A command to a station, as one or more CALLs of one action."""

    action: ClassVar[str]
    command: ClassVar[type[Command]]
    #: Another translator of the same command, whose place this one takes for some of its parameters.
    instead_of: "ClassVar[type[Outgoing] | None]" = None
    #: Said within a DataTransfer, by agreement: a raw DataTransfer is not this command.
    tunnelled: ClassVar[bool] = False
    #: Each of its CALLs builds on those before: after one that was refused no other is sent.
    in_steps: ClassVar[bool] = False

    @classmethod
    def choose(cls, command: Any) -> "type[Outgoing]":
        """The translator for these parameters, where a version has more than one action for a command."""
        return cls

    @classmethod
    def reading(cls, payload: Payload) -> "type[Outgoing]":
        """The translator by which a raw CALL of this action is read, where an action has several commands within."""
        return cls

    @staticmethod
    def encode(command: Any, number: int, limits: dict[str, int]) -> list[Payload]:
        """The payloads to send, one after the other. `number` is a positive int32 of our own, unique to the command, for
        messages that carry a request id. Raises Unsayable if the version cannot say it.
        """
        raise NotImplementedError

    @staticmethod
    def parse(payload: Payload) -> Command:
        """The command that a raw CALL of this action is."""
        raise NotImplementedError

    @staticmethod
    def decode(command: Any, sent: Payload, answer: Payload) -> Outcome:
        """What the station made of one of the CALLs."""
        raise NotImplementedError


class Unsayable(Exception):
    """The station's OCPP version has no words for this command. The message says what it lacks."""
