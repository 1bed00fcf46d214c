"""Chapter L: firmware."""

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from stations.domain.addresses import without_secrets
from stations.domain.command import BadCommand, Command, need_number, need_one_of, need_text, need_time

#: Where a station fetches from: any scheme it may know.
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+\Z", re.IGNORECASE)


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


ALL: tuple[type[Command], ...] = (UpdateFirmware,)
