"""Chapter L: firmware that a local controller hands on to the stations behind it."""

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from stations.domain.addresses import without_secrets
from stations.domain.command import BadCommand, Command, need_number, need_text
from stations.domain.commands.firmware import ADDRESS

#: MD5, in hexadecimal.
CHECKSUM = re.compile(r"[0-9a-fA-F]{32}\Z")


def need_checksum(value: Any) -> None:
    if not isinstance(value, str) or not CHECKSUM.match(value):
        raise BadCommand("checksum must be the MD5 checksum of the file: 32 hexadecimal digits.")


@dataclass(frozen=True, slots=True)
class PublishFirmware(Command):
    """Fetch firmware and keep it for the stations behind (OCPP 2.0.1 L03).

    `firmware`: the id of an image of the library, whose one-time address and checksum are fixed for the sending; or a `location`
    with its `checksum`.
    """

    firmware: int | None = None
    location: str = ""
    checksum: str = ""
    retries: int | None = None
    retry_interval_s: int | None = None
    kind: ClassVar[str] = "publish_firmware"
    verb: ClassVar[str] = "firmware.change"

    def check(self) -> None:
        if (self.firmware is None) == (self.location == ""):
            raise BadCommand("publish_firmware needs either firmware, the id of an image of the library, or a location.")
        if self.firmware is not None:
            need_number("firmware", self.firmware, 1, 2**63 - 1)
        else:
            need_text("location", self.location, 512)
            if not ADDRESS.match(self.location):
                raise BadCommand("location must be an address, such as https://files.example.com/image.bin.")
            need_checksum(self.checksum)
        for name, number in (("retries", self.retries), ("retry_interval_s", self.retry_interval_s)):
            if number is not None:
                need_number(name, number, 0, 86_400)

    def fixed(self, facts: dict[str, Any]) -> Self:
        return replace(self, **facts.get("fixed", {}))

    def without_secrets(self) -> dict[str, Any]:
        return self.params() | {"location": without_secrets(self.location)}


@dataclass(frozen=True, slots=True)
class UnpublishFirmware(Command):
    """Hand firmware on no more (OCPP 2.0.1 L04): the file of this MD5 `checksum`."""

    checksum: str
    kind: ClassVar[str] = "unpublish_firmware"
    verb: ClassVar[str] = "firmware.change"

    def check(self) -> None:
        need_checksum(self.checksum)


ALL: tuple[type[Command], ...] = (PublishFirmware, UnpublishFirmware)
