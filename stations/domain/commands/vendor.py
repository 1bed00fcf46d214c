"""Chapter P: outside the standard."""

from dataclasses import dataclass
from typing import ClassVar

from stations.domain.command import BadCommand, Command, need_text


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


ALL: tuple[type[Command], ...] = (SendVendorMessage,)
