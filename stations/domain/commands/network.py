"""Chapter B: how a station reaches us."""

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from stations.domain.command import BadCommand, Command, need_number, need_one_of, need_text

URL = re.compile(r"wss?://[^\s#@]+\Z", re.IGNORECASE)
VERSION = re.compile(r"OCPP\d\d\Z")
INTERFACES = (*(f"Wired{n}" for n in range(4)), *(f"Wireless{n}" for n in range(4)))
#: What may be said of a mobile network and of a VPN, and how long it may be (OCPP 2.0.1 APNType, VPNType).
APN = {"apn": 512, "user": 20, "password": 20, "pin": 8, "preferred_network": 6, "authentication": 4}
VPN = {"server": 512, "user": 20, "group": 20, "password": 20, "key": 255, "type": 5}
#: What is never kept longer than until it was said.
SECRETS = {"apn": ("password", "pin"), "vpn": ("password", "key")}
#: A sealed secret is longer than the secret.
SEALED = "sealed:"


@dataclass(frozen=True, slots=True)
class SetNetworkProfile(Command):
    """Store a way to a management system in a slot of the station (OCPP 2.0.1 B09). It is not used until the station is told so.

    `url` is without the station's identity. `apn`: {"apn", "authentication" (CHAP, NONE, PAP, AUTO), "user", "password", "pin",
    "preferred_network", "only_preferred"};
    `vpn`: {"server", "user", "password", "key", "type" (IKEv2, IPSec, L2TP or PPTP), "group"}.
    """

    slot: int
    url: str
    security_profile: int
    interface: str = "Wired0"
    message_timeout_s: int = 30
    ocpp_version: str = "OCPP20"
    transport: str = "JSON"
    apn: dict[str, Any] | None = None
    vpn: dict[str, Any] | None = None
    kind: ClassVar[str] = "set_network_profile"
    verb: ClassVar[str] = "stations.change"

    def check(self) -> None:
        need_number("slot", self.slot, 0, 2**31 - 1)
        if not isinstance(self.url, str) or len(self.url) > 512 or not URL.match(self.url):
            raise BadCommand(
                "url must be an address such as wss://csms.example.com/ocpp, without a login, of at most 512 characters."
            )
        need_number("security_profile", self.security_profile, 0, 3)
        if self.security_profile >= 2 and not self.url.lower().startswith("wss://"):
            raise BadCommand("url must begin with wss:// for security profile 2 or 3, which are encrypted.")
        need_one_of("interface", self.interface, INTERFACES)
        need_number("message_timeout_s", self.message_timeout_s, 1, 3600)
        if not isinstance(self.ocpp_version, str) or not VERSION.match(self.ocpp_version):
            raise BadCommand("ocpp_version must be OCPP and two digits, such as OCPP20.")
        need_one_of("transport", self.transport, ("JSON", "SOAP"))
        _check_part("apn", self.apn, APN, ("apn", "authentication"))
        _check_part("vpn", self.vpn, VPN, ("server", "user", "password", "key", "type"))
        if self.apn is not None:
            need_one_of("apn.authentication", self.apn["authentication"], ("CHAP", "NONE", "PAP", "AUTO"))
            pin = self.apn.get("pin", "0")
            if pin != "***" and not pin.startswith(SEALED) and not (pin.isascii() and pin.isdigit()):
                raise BadCommand("apn.pin must be digits, as a text.")
        if self.vpn is not None:
            need_one_of("vpn.type", self.vpn["type"], ("IKEv2", "IPSec", "L2TP", "PPTP"))

    def secrets(self) -> bool:
        """Whether there is anything in it that is not for everybody."""
        return any((getattr(self, part) or {}).get(name) for part, names in SECRETS.items() for name in names)

    def with_secrets(self, change: Any) -> "SetNetworkProfile":
        """The same with every secret changed."""
        parts = {
            part: held | {name: change(held[name]) for name in names if held.get(name)}
            for part, names in SECRETS.items()
            if (held := getattr(self, part)) is not None
        }
        return replace(self, **parts)

    def without_secrets(self) -> dict[str, Any]:
        return self.with_secrets(lambda secret: "***").params()


def _check_part(part: str, value: Any, known: dict[str, int], needed: tuple[str, ...]) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        raise BadCommand("%(name)s must be an object.", name=part)
    more = {"only_preferred"} if part == "apn" else set()
    if unknown := value.keys() - known.keys() - more:
        raise BadCommand("%(part)s has no %(unknown)s.", part=part, unknown=", ".join(sorted(map(str, unknown))))
    if missing := [name for name in needed if name not in value]:
        raise BadCommand("%(part)s needs %(missing)s.", part=part, missing=", ".join(missing))
    for name, longest in known.items():
        if name in value:
            secret = name in SECRETS[part]
            sealed = secret and isinstance(value[name], str) and (value[name].startswith(SEALED) or value[name] == "***")
            need_text(f"{part}.{name}", value[name], 1000 if sealed else longest)
    if not isinstance(value.get("only_preferred", False), bool):
        raise BadCommand("apn.only_preferred must be true or false.")


ALL: tuple[type[Command], ...] = (SetNetworkProfile,)
