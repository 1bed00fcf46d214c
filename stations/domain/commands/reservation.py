"""Chapter H: reservations."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from stations.domain.command import Command, need_number, need_one_of, need_text, need_time

#: OCPP 2.0.1 ConnectorEnumType.
CONNECTOR_TYPES = (
    *("cCCS1", "cCCS2", "cG105", "cTesla", "cType1", "cType2", "s309-1P-16A", "s309-1P-32A", "s309-3P-16A", "s309-3P-32A"),
    *("sBS1361", "sCEE-7-7", "sType2", "sType3", "Other1PhMax16A", "Other1PhOver16A", "Other3Ph", "Pan", "wInductive"),
    *("wResonant", "Undetermined", "Unknown"),
)
#: Numbers of reservations are int32.
HIGHEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ReserveNow(Command):
    """Keep a plug for an id token, or for any of its `group`, from now until `expires_at` (OCPP 2.0.1 H01, 1.6 5.13).

    `evse` None: the station keeps any, of that `connector_type` if one is named. `reservation` is the number it goes by; the one
    that has that number is replaced (H01). Left out, it gets one of its own, and the token's group is said with it.
    """

    id_token: str
    expires_at: str
    evse: int | None = None
    connector_type: str = ""
    id_token_type: str = "ISO14443"  # noqa: S105  (a kind of card)
    group: str = ""
    reservation: int | None = None
    kind: ClassVar[str] = "reserve_now"
    expires_s: ClassVar[int] = 45
    while_pending: ClassVar[bool] = False

    def check(self) -> None:
        need_text("id_token", self.id_token, 36)
        need_text("id_token_type", self.id_token_type, 20)
        need_time("expires_at", self.expires_at)
        if self.evse is not None:
            need_number("evse", self.evse, 1, 255)
        if self.connector_type:
            need_one_of("connector_type", self.connector_type, CONNECTOR_TYPES)
        if self.group != "":
            need_text("group", self.group, 36)
        if self.reservation is not None:
            need_number("reservation", self.reservation, 0, HIGHEST)

    def fixed(self, facts: dict[str, Any]) -> "ReserveNow":
        return replace(self, group=facts.get("group") or self.group)


@dataclass(frozen=True, slots=True)
class CancelReservation(Command):
    """Give up a reservation by its number (OCPP 2.0.1 H02, 1.6 5.2)."""

    reservation: int
    kind: ClassVar[str] = "cancel_reservation"
    expires_s: ClassVar[int] = 45
    while_pending: ClassVar[bool] = False

    def check(self) -> None:
        need_number("reservation", self.reservation, 0, HIGHEST)


ALL: tuple[type[Command], ...] = (ReserveNow, CancelReservation)
