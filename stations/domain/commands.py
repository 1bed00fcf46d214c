"""What we can ask of a station: one frozen dataclass each, in the words of OCPP 2.x, and what it can answer.

Parameters are plain values, so that a command is a row (`stations.models.Command`), a JSON body of the API and a page's form
alike. `kind` is its stable name in all three.
"""

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
    """One attribute of a variable as a station reported it. `value` None: it is write-only or was not given."""

    name: VariableName
    attribute: str = "Actual"
    value: str | None = None
    mutability: str = "ReadWrite"
    known: bool = True
    data_type: str = ""
    unit: str = ""
    values: str = ""


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
    #: Whether a station that is Pending may be asked (OCPP 2.0.1 B02.FR.02).
    while_pending: ClassVar[bool] = True
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

    def check(self) -> None:
        """Raise BadCommand if the parameters make no sense."""

    def params(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def without_secrets(self) -> dict[str, Any]:
        """The parameters as they may be kept once they were said."""
        return self.params()


def need_text(name: str, value: Any, longest: int) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise BadCommand("%(name)s must be a text of 1 to %(longest)s characters.", name=name, longest=longest)


def need_number(name: str, value: Any, lowest: int, highest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise BadCommand(
            "%(name)s must be a whole number from %(lowest)s to %(highest)s.", name=name, lowest=lowest, highest=highest
        )


def need_list(name: str, value: Any) -> None:
    if not isinstance(value, list):
        raise BadCommand("%(name)s must be a list.", name=name)


def need_one_of(name: str, value: Any, options: tuple[str, ...]) -> None:
    if value not in options:
        raise BadCommand("%(name)s must be one of %(options)s.", name=name, options=", ".join(options))


@dataclass(frozen=True, slots=True)
class RemoteStart(Command):
    """Start a transaction for a token (OCPP 2.0.1 F01-F02). `evse` None: the station chooses."""

    id_token: str
    evse: int | None = None
    id_token_type: str = "ISO14443"  # noqa: S105  (a kind of card)
    kind: ClassVar[str] = "remote_start"
    expires_s: ClassVar[int] = 45
    while_pending: ClassVar[bool] = False

    def check(self) -> None:
        need_text("id_token", self.id_token, 36)
        need_text("id_token_type", self.id_token_type, 20)
        if self.evse is not None:
            need_number("evse", self.evse, 1, 255)


@dataclass(frozen=True, slots=True)
class RemoteStop(Command):
    """Stop a transaction (OCPP 2.0.1 F03). `transaction` is the id it has in OCPP."""

    transaction: str
    kind: ClassVar[str] = "remote_stop"
    expires_s: ClassVar[int] = 45
    while_pending: ClassVar[bool] = False

    def check(self) -> None:
        if isinstance(self.transaction, int):
            raise BadCommand("transaction must be the OCPP transaction id as text.")
        need_text("transaction", self.transaction, 36)


@dataclass(frozen=True, slots=True)
class Reset(Command):
    """Restart (OCPP 2.0.1 B11-B12). `when`: "immediate" stops transactions, "idle" waits for them; `evse` for one EVSE only."""

    when: str = "idle"
    evse: int | None = None
    kind: ClassVar[str] = "reset"
    expires_s: ClassVar[int] = 3600

    def check(self) -> None:
        need_one_of("when", self.when, ("immediate", "idle"))
        if self.evse is not None:
            need_number("evse", self.evse, 1, 255)


@dataclass(frozen=True, slots=True)
class UnlockConnector(Command):
    """Unlock a connector (OCPP 2.0.1 F05)."""

    evse: int
    connector: int = 1
    kind: ClassVar[str] = "unlock_connector"
    expires_s: ClassVar[int] = 45

    def check(self) -> None:
        need_number("evse", self.evse, 1, 255)
        need_number("connector", self.connector, 1, 16)


@dataclass(frozen=True, slots=True)
class ChangeAvailability(Command):
    """Take out of service or back into it (OCPP 2.0.1 G03-G04). `evse` 0: the whole station; `connector` None: the whole EVSE."""

    operative: bool
    evse: int = 0
    connector: int | None = None
    kind: ClassVar[str] = "change_availability"

    def check(self) -> None:
        if not isinstance(self.operative, bool):
            raise BadCommand("operative must be true or false.")
        need_number("evse", self.evse, 0, 255)
        if self.connector is not None:
            need_number("connector", self.connector, 1, 16)


@dataclass(frozen=True, slots=True)
class GetVariables(Command):
    """Read settings (OCPP 2.0.1 B06, 1.6 GetConfiguration).

    `variables`: [{"component", "variable", "attribute"?, "evse"?, "connector"?, ...}]; of 1.6 {"variable"} alone. Empty: all,
    which only 1.6 can (2.0.1 has get_base_report for it).
    """

    variables: list[dict[str, Any]] = field(default_factory=list)
    kind: ClassVar[str] = "get_variables"

    def check(self) -> None:
        need_list("variables", self.variables)
        for one in self.variables:
            named_variable(one)


@dataclass(frozen=True, slots=True)
class SetVariables(Command):
    """Change settings (OCPP 2.0.1 B05, 1.6 ChangeConfiguration). As GetVariables, each with a "value"."""

    variables: list[dict[str, Any]]
    kind: ClassVar[str] = "set_variables"

    def check(self) -> None:
        need_list("variables", self.variables)
        if not self.variables:
            raise BadCommand("variables must name at least one variable and its value.")
        named = set()
        for one in self.variables:
            # Twice in one message is an error (OCPP 2.0.1 B05.FR.13).
            name = (named_variable(one), one.get("attribute") or "Actual")
            if name in named:
                raise BadCommand("%(name)s is named twice; each variable has one value.", name=one["variable"])
            named.add(name)
            if not isinstance(one.get("value"), str) or len(one["value"]) > 1000:
                raise BadCommand("%(name)s needs a value: a text of at most 1000 characters.", name=one["variable"])

    def without_secrets(self) -> dict[str, Any]:
        return {"variables": [one | {"value": "***"} if SECRET.search(one["variable"]) else one for one in self.variables]}


@dataclass(frozen=True, slots=True)
class GetBaseReport(Command):
    """Ask for a report of all settings (OCPP 2.0.1 B07)."""

    report: str = "FullInventory"
    kind: ClassVar[str] = "get_base_report"

    def check(self) -> None:
        need_one_of("report", self.report, ("ConfigurationInventory", "FullInventory", "SummaryInventory"))


@dataclass(frozen=True, slots=True)
class ClearCache(Command):
    """Forget the tokens that were authorised before (OCPP 2.0.1 C11)."""

    kind: ClassVar[str] = "clear_cache"


@dataclass(frozen=True, slots=True)
class TriggerMessage(Command):
    """Ask for a message the station would send by itself (OCPP 2.0.1 F06)."""

    message: str
    evse: int | None = None
    connector: int | None = None
    kind: ClassVar[str] = "trigger_message"
    expires_s: ClassVar[int] = 300

    def check(self) -> None:
        need_text("message", self.message, 50)
        if self.evse is not None:
            need_number("evse", self.evse, 1, 255)
        if self.connector is not None:
            need_number("connector", self.connector, 1, 16)


@dataclass(frozen=True, slots=True)
class SendVendorMessage(Command):
    """A message outside the standard (OCPP 2.0.1 P02)."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None
    kind: ClassVar[str] = "data_transfer"
    expires_s: ClassVar[int] = 3600

    def check(self) -> None:
        need_text("vendor_id", self.vendor_id, 255)
        for name, value in (("message_id", self.message_id), ("data", self.data)):
            if not isinstance(value, str | None):
                raise BadCommand(f"{name} must be a text.")


@dataclass(frozen=True, slots=True)
class GetLog(Command):
    """Send a log to an address (OCPP 2.0.1 N01): "diagnostics" or "security", from `since` to `until` (ISO 8601) if they are given.

    Without a `location` it is sent to us; `upload` is then the row that follows it.
    """

    log: str = "diagnostics"
    since: str | None = None
    until: str | None = None
    location: str = ""
    upload: int | None = None
    kind: ClassVar[str] = "get_log"
    expires_s: ClassVar[int] = 24 * 3600
    ours: ClassVar[frozenset[str]] = frozenset({"upload"})

    def check(self) -> None:
        need_one_of("log", self.log, ("diagnostics", "security"))
        moments = [_moment(name, text) for name, text in (("since", self.since), ("until", self.until)) if text is not None]
        if len(moments) == 2 and moments[0] >= moments[1]:
            raise BadCommand("since must be before until.")
        if not isinstance(self.location, str) or len(self.location) > 512:
            raise BadCommand("location must be an address of at most 512 characters.")
        if self.location and not LOCATION.match(self.location):
            raise BadCommand("location must be an address such as https://files.example.com/logs/ or one of ftp, ftps or sftp.")

    def without_secrets(self) -> dict[str, Any]:
        return self.params() | {"location": without_secrets(self.location)}


LOCATION = re.compile(r"(?:https?|s?ftps?)://[^\s#]+\Z", re.IGNORECASE)
#: A one-time address of ours; and a login before the host.
ONE_TIME = re.compile(r"(\\?/files\\?/(?:logs|firmware)\\?/)[0-9a-fA-F]{40}")
LOGIN = re.compile(r'(:\\?/\\?/)[^\s/"\\@]*@')


def without_secrets(text: str) -> str:
    """The same with what opens an address replaced."""
    return LOGIN.sub(r"\1***@", ONE_TIME.sub(r"\1***", text))


def _moment(name: str, text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise BadCommand("%(name)s must be a time such as 2026-11-21T04:00:00Z.", name=name) from None


def named_variable(one: Any) -> VariableName:
    """The variable that an entry of `variables` names. Raises BadCommand."""
    if not isinstance(one, dict):
        raise BadCommand('variables must be a list of objects such as {"component": ..., "variable": ...}.')
    need_text("variable", one.get("variable"), 50)
    texts = {name: one.get(name, "") for name in ("component", "component_instance", "variable_instance", "attribute")}
    for key, text in texts.items():
        if not isinstance(text, str) or len(text) > 50:
            raise BadCommand("%(name)s must be a text of at most 50 characters.", name=key)
    evse, connector = one.get("evse") or 0, one.get("connector") or 0
    need_number("evse", evse, 0, 255)
    need_number("connector", connector, 0, 16)
    return VariableName(
        texts["component"], one["variable"], texts["component_instance"], texts["variable_instance"], evse, connector
    )


COMMANDS: dict[str, type[Command]] = {
    command.kind: command
    for command in (
        RemoteStart,
        RemoteStop,
        Reset,
        UnlockConnector,
        ChangeAvailability,
        GetVariables,
        SetVariables,
        GetBaseReport,
        ClearCache,
        TriggerMessage,
        SendVendorMessage,
        GetLog,
    )
}
