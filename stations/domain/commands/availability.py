"""Chapter G: in and out of service."""

from dataclasses import dataclass
from typing import ClassVar

from stations.domain.command import BadCommand, Command, need_number


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


ALL: tuple[type[Command], ...] = (ChangeAvailability,)
