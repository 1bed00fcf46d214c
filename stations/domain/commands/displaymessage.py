"""Chapter O: what a station shows."""

from dataclasses import dataclass
from typing import Any, ClassVar

from stations.domain.command import BadCommand, Command, moment_of, need_list, need_number, need_one_of, need_text, need_time
from stations.domain.values import MessageFormat, MessagePriority, MessageState

#: Ids are int32, as all of OCPP's integers.
HIGHEST_ID = 2**31 - 1
#: Ids that one message may name.
MOST_IDS = 100
LONGEST = 512
PRIORITIES, STATES, FORMATS = (tuple(kind) for kind in (MessagePriority, MessageState, MessageFormat))


def need_language(value: Any) -> None:
    if value is not None and (not isinstance(value, str) or not value.strip() or len(value) > 8):
        raise BadCommand("language must be a tag of at most 8 characters such as en or pt-BR (RFC 5646).")


@dataclass(frozen=True, slots=True)
class SetDisplayMessage(Command):
    """Show a text on the charger's display (OCPP 2.0.1 O01, O02, O06).

    `number` is the message's id at the station: of one that is there, the message takes its place; left out, it is a new one.
    `priority`: AlwaysFront, InFront or NormalCycle; `state`: only while the station is Charging, Faulted, Idle or Unavailable;
    `start` and `end`: from when until when (ISO 8601); `transaction`: only during this one; `component`, its `component_instance`,
    `evse`, `connector`: on this display.
    """

    content: str
    priority: str = MessagePriority.NORMAL_CYCLE
    number: int | None = None
    format: str = MessageFormat.UTF8
    language: str | None = None
    state: str | None = None
    start: str | None = None
    end: str | None = None
    transaction: str | None = None
    component: str | None = None
    evse: int | None = None
    component_instance: str | None = None
    connector: int | None = None
    kind: ClassVar[str] = "set_display_message"
    expires_s: ClassVar[int] = 24 * 3600

    def check(self) -> None:
        need_text("content", self.content, LONGEST)
        need_one_of("priority", self.priority, PRIORITIES)
        need_one_of("format", self.format, FORMATS)
        need_language(self.language)
        if self.number is not None:
            need_number("number", self.number, 0, HIGHEST_ID)
        if self.state is not None:
            need_one_of("state", self.state, STATES)
        if self.transaction is not None:
            need_text("transaction", self.transaction, 36)
        for name, text in (("component", self.component), ("component_instance", self.component_instance)):
            if text is not None:
                need_text(name, text, 50)
        for name, number in (("evse", self.evse), ("connector", self.connector)):
            if number is not None:
                need_number(name, number, 1, 255)
        for name, said in (("evse", self.evse), ("component_instance", self.component_instance)):
            if said is not None and self.component is None:
                raise BadCommand("%(name)s says which display it is; name its component too, such as Display.", name=name)
        if self.connector is not None and self.evse is None:
            raise BadCommand("connector needs an evse.")
        for name, at in (("start", self.start), ("end", self.end)):
            if at is not None:
                need_time(name, at)
        if self.start is not None and self.end is not None and moment_of("start", self.start) >= moment_of("end", self.end):
            raise BadCommand("start must be before end.")


@dataclass(frozen=True, slots=True)
class GetDisplayMessages(Command):
    """Read what the station is to show (OCPP 2.0.1 O03, O04): all, or those of these `numbers`, `priority` and `state`."""

    numbers: list[int] | None = None
    priority: str | None = None
    state: str | None = None
    kind: ClassVar[str] = "get_display_messages"
    expires_s: ClassVar[int] = 24 * 3600

    def check(self) -> None:
        if self.numbers is not None:
            need_list("numbers", self.numbers)
            if not 1 <= len(self.numbers) <= MOST_IDS:
                raise BadCommand("numbers must name 1 to %(most)s messages; leave it out for all.", most=MOST_IDS)
            for one in self.numbers:
                need_number("numbers", one, 0, HIGHEST_ID)
        if self.priority is not None:
            need_one_of("priority", self.priority, PRIORITIES)
        if self.state is not None:
            need_one_of("state", self.state, STATES)


@dataclass(frozen=True, slots=True)
class ClearDisplayMessage(Command):
    """Show a message no longer (OCPP 2.0.1 O05)."""

    number: int
    kind: ClassVar[str] = "clear_display_message"
    expires_s: ClassVar[int] = 24 * 3600

    def check(self) -> None:
        need_number("number", self.number, 0, HIGHEST_ID)


ALL: tuple[type[Command], ...] = (SetDisplayMessage, GetDisplayMessages, ClearDisplayMessage)
