"""What we can ask of a station: one frozen dataclass each, in the words of OCPP 2.x, and what it can answer.

Parameters are plain values, so that a command is a row (`stations.models.Command`), a JSON body of the API and a page's form
alike. `kind` is its stable name in all three.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from stations.domain.addresses import LOCATION, without_secrets
from stations.domain.command import (
    SECRET,
    BadCommand,
    Command,
    Outcome,
    VariableName,
    VariableReport,
    Verdict,
    moment_of,
    need_list,
    need_number,
    need_one_of,
    need_text,
    need_time,
)

__all__ = [
    "COMMANDS",
    "SECRET",
    "BadCommand",
    "ChangeAvailability",
    "ClearCache",
    "Command",
    "GetBaseReport",
    "GetLog",
    "GetTransactionStatus",
    "GetVariables",
    "Outcome",
    "RemoteStart",
    "RemoteStop",
    "Reset",
    "SendVendorMessage",
    "SetVariables",
    "TriggerMessage",
    "UnlockConnector",
    "UpdateFirmware",
    "VariableName",
    "VariableReport",
    "Verdict",
    "named_variable",
]

#: Where a station fetches from: any scheme it may know.
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+\Z", re.IGNORECASE)


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
    verb: ClassVar[str] = "logs.fetch"
    expires_s: ClassVar[int] = 24 * 3600
    ours: ClassVar[frozenset[str]] = frozenset({"upload"})

    def check(self) -> None:
        need_one_of("log", self.log, ("diagnostics", "security"))
        moments = [moment_of(name, text) for name, text in (("since", self.since), ("until", self.until)) if text is not None]
        if len(moments) == 2 and moments[0] >= moments[1]:
            raise BadCommand("since must be before until.")
        if not isinstance(self.location, str) or len(self.location) > 512:
            raise BadCommand("location must be an address of at most 512 characters.")
        if self.location and not LOCATION.match(self.location):
            raise BadCommand("location must be an address such as https://files.example.com/logs/ or one of ftp, ftps or sftp.")

    def without_secrets(self) -> dict[str, Any]:
        return self.params() | {"location": without_secrets(self.location)}


@dataclass(frozen=True, slots=True)
class GetTransactionStatus(Command):
    """Ask whether a transaction goes on and whether messages wait that we have not got (OCPP 2.0.1 E14), of this or of any.

    `transaction` is the id it has in OCPP; `row` the transaction that waits for the answer.
    """

    transaction: str | None = None
    row: int | None = None
    kind: ClassVar[str] = "get_transaction_status"
    while_pending: ClassVar[bool] = False
    ours: ClassVar[frozenset[str]] = frozenset({"row"})

    def check(self) -> None:
        if self.transaction is not None:
            need_text("transaction", self.transaction, 36)


@dataclass(frozen=True, slots=True)
class UpdateFirmware(Command):
    """Fetch firmware and install it (OCPP 2.0.1 L01-L02, 1.6 5.19 and the security whitepaper 5.15).

    `firmware`: the id of an image of the library, whose one-time address and signature are fixed for the sending; or `location`,
    any address. `retrieve_at`, `install_at`: RFC 3339 times, None for now. `signed`: "yes" sends the signature, "no" does not,
    "auto" does if there is one and the station is known to read it.
    """

    firmware: int | None = None
    location: str = ""
    retrieve_at: str | None = None
    install_at: str | None = None
    retries: int | None = None
    retry_interval_s: int | None = None
    signed: str = "auto"
    signature: str = ""
    signing_certificate: str = ""
    kind: ClassVar[str] = "update_firmware"
    verb: ClassVar[str] = "firmware.change"

    def check(self) -> None:
        if (self.firmware is None) == (self.location == ""):
            raise BadCommand("update_firmware needs either firmware, the id of an image of the library, or a location.")
        if self.firmware is not None:
            need_number("firmware", self.firmware, 1, 2**63 - 1)
        else:
            need_text("location", self.location, 512)
            if not ADDRESS.match(self.location):
                raise BadCommand("location must be an address, such as https://files.example.com/image.bin.")
        for name, at in (("retrieve_at", self.retrieve_at), ("install_at", self.install_at)):
            if at is not None:
                need_time(name, at)
        for name, number in (("retries", self.retries), ("retry_interval_s", self.retry_interval_s)):
            if number is not None:
                need_number(name, number, 0, 86_400)
        need_one_of("signed", self.signed, ("auto", "yes", "no"))
        for name, text, longest in (("signature", self.signature, 800), ("signing_certificate", self.signing_certificate, 5500)):
            if text != "":
                need_text(name, text, longest)
        if self.signed == "yes" and self.firmware is None and not (self.signature and self.signing_certificate):
            raise BadCommand("A signed update needs a signature and a signing_certificate.")

    def fixed(self, facts: dict[str, Any]) -> Self:
        return replace(self, **facts.get("fixed", {}))

    def without_secrets(self) -> dict[str, Any]:
        return self.params() | {"location": without_secrets(self.location)}


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
        GetTransactionStatus,
        UpdateFirmware,
    )
}
