"""What every command is: parameters that are checked, a kind, and an outcome. `commands.py` has the commands themselves."""

import re
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Self


class Verdict(StrEnum):
    """What a station made of a command. `SCHEDULED` is an acceptance whose effect comes later."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class VariableName:
    """A variable of the device model. A 1.6 configuration key is a variable of the component "" (OCPP 2.0.1 Part 1, 4)."""

    component: str
    variable: str
    component_instance: str = ""
    variable_instance: str = ""
    evse: int = 0
    connector: int = 0


@dataclass(frozen=True, slots=True)
class VariableReport:
    """One attribute of a variable as a station reported it. `value` None: it is write-only or was not given.

    `mutability` "" and traits that are "" or None were not told. `persistent`: it survives a restart; `constant`: it never changes.
    """

    name: VariableName
    attribute: str = "Actual"
    value: str | None = None
    mutability: str = "ReadWrite"
    known: bool = True
    data_type: str = ""
    unit: str = ""
    values: str = ""
    persistent: bool | None = None
    constant: bool | None = None
    lowest: float | None = None
    highest: float | None = None
    monitorable: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A station's answer to a command, read.

    `reason` is the station's own word ("Occupied"); `reports` are variables it told of; `facts` is what later effects need,
    such as {"transaction_id": ...}.
    """

    verdict: Verdict
    reason: str = ""
    reports: tuple[VariableReport, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


#: Settings whose value is never kept or shown.
SECRET = re.compile(r"password|authorization_?key|passphrase", re.IGNORECASE)


class BadCommand(ValueError):
    """The parameters make no sense. The text says which and why; apart from its values, so that a page can translate it."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text % values if values else text)
        self.text = text
        self.values = values


@dataclass(frozen=True, slots=True)
class Command:
    """Base of all commands. `expires_s`: how long it may wait for an offline station, in seconds, unless its sender says so."""

    kind: ClassVar[str]
    expires_s: ClassVar[int] = 7 * 24 * 3600
    #: Whether a station that is Pending may be asked (OCPP 2.0.1 B02).
    while_pending: ClassVar[bool] = True
    #: What whoever asks must be allowed (accounts.permissions).
    verb: ClassVar[str] = "commands.send"
    #: Parameters that nobody outside may say.
    ours: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def of(cls, params: dict[str, Any]) -> Self:
        """The command of a JSON body. Raises BadCommand for what is missing, unknown or of the wrong type."""
        known = {f.name: f for f in fields(cls)}
        if unknown := params.keys() - known.keys():
            raise BadCommand(
                "%(kind)s has no parameter %(unknown)s; it has %(known)s.",
                kind=cls.kind,
                unknown=", ".join(sorted(unknown)),
                known=", ".join(known) or "none",
            )
        try:
            command = cls(**params)
        except TypeError as error:
            missing = [name for name in known if f"'{name}'" in str(error)]
            raise BadCommand("%(kind)s needs %(missing)s.", kind=cls.kind, missing=", ".join(missing)) from None
        command.check()
        return command

    @classmethod
    def kept(cls, params: dict[str, Any]) -> Self:
        """The command of a row, unchecked: nobody checks what the system asks by itself, and every row must come to its end."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in params.items() if name in known})

    def check(self) -> None:
        """Raise BadCommand if the parameters make no sense."""

    def params(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def without_secrets(self) -> dict[str, Any]:
        """The parameters as they may be kept once they were said."""
        return self.params()

    def fixed(self, facts: dict[str, Any]) -> Self:
        """The command with what its row's facts add for its sending."""
        return self


def need_text(name: str, value: Any, longest: int) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise BadCommand("%(name)s must be a text of 1 to %(longest)s characters.", name=name, longest=longest)


def need_number(name: str, value: Any, lowest: int, highest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise BadCommand(
            "%(name)s must be a whole number from %(lowest)s to %(highest)s.", name=name, lowest=lowest, highest=highest
        )


def need_time(name: str, value: Any) -> None:
    try:
        at = datetime.fromisoformat(value)
        zoned = at.tzinfo is not None and at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        zoned = False
    if not zoned:
        raise BadCommand("%(name)s must be a time with its zone, such as 2030-01-31T02:00:00Z.", name=name)


def moment_of(name: str, text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise BadCommand("%(name)s must be a time such as 2026-11-21T04:00:00Z.", name=name) from None


def need_list(name: str, value: Any) -> None:
    if not isinstance(value, list):
        raise BadCommand("%(name)s must be a list.", name=name)


def need_one_of(name: str, value: Any, options: tuple[str, ...]) -> None:
    if value not in options:
        raise BadCommand("%(name)s must be one of %(options)s.", name=name, options=", ".join(options))
