"""Chapter F: what a person at a desk does to a charger far away."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from stations.domain.chargingprofiles import TX, Profile
from stations.domain.command import BadCommand, Command, need_number, need_text


@dataclass(frozen=True, slots=True)
class RemoteStart(Command):
    """Start a transaction for a token (OCPP 2.0.1 F01-F02). `evse` None: the station chooses. `charging_profile`: a TxProfile for
    it, as set_charging_profile has it, without a transaction (K05). `group` may use what is reserved for it (H03); left out, the
    token's own is said.
    """

    id_token: str
    evse: int | None = None
    id_token_type: str = "ISO14443"  # noqa: S105  (a kind of card)
    charging_profile: dict[str, Any] | None = None
    group: str = ""
    kind: ClassVar[str] = "remote_start"
    expires_s: ClassVar[int] = 45
    while_pending: ClassVar[bool] = False

    def check(self) -> None:
        need_text("id_token", self.id_token, 36)
        need_text("id_token_type", self.id_token_type, 20)
        if self.evse is not None:
            need_number("evse", self.evse, 1, 255)
        if self.group != "":
            need_text("group", self.group, 36)
        if self.charging_profile is not None:
            profile = Profile.of(self.charging_profile)
            # It is for the transaction that is to begin, which has no id yet (OCPP 2.0.1 K05, 1.6 5.11).
            if profile.purpose != TX or profile.transaction is not None:
                raise BadCommand("charging_profile must be a TxProfile without a transaction: the session has yet to begin.")

    def fixed(self, facts: dict[str, Any]) -> Self:
        profile = (facts.get("fixed") or {}).get("profile")
        return replace(self, charging_profile=profile or self.charging_profile, group=facts.get("group") or self.group)


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
class TriggerMessage(Command):
    """Ask for a message the station would send by itself (OCPP 2.0.1 F06).

    `extended`: by the security extension's own message, where a version has two; fixed for the sending.
    """

    message: str
    evse: int | None = None
    connector: int | None = None
    extended: bool = False
    kind: ClassVar[str] = "trigger_message"
    expires_s: ClassVar[int] = 300
    ours: ClassVar[frozenset[str]] = frozenset({"extended"})

    def check(self) -> None:
        need_text("message", self.message, 50)
        if self.evse is not None:
            need_number("evse", self.evse, 1, 255)
        if self.connector is not None:
            need_number("connector", self.connector, 1, 16)
        if not isinstance(self.extended, bool):
            raise BadCommand("extended must be true or false.")

    def fixed(self, facts: dict[str, Any]) -> Self:
        return replace(self, **facts.get("fixed", {}))


ALL: tuple[type[Command], ...] = (
    RemoteStart,
    RemoteStop,
    UnlockConnector,
    TriggerMessage,
)
