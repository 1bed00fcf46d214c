"""OCPP 2.0.1 SetNetworkProfile (B09)."""

from typing import Any

from csms.ocpp.translator import Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome

#: Ours to OCPP's.
APN = {
    "apn": "apn",
    "user": "apnUserName",
    "password": "apnPassword",
    "pin": "simPin",
    "preferred_network": "preferredNetwork",
    "only_preferred": "useOnlyPreferredNetwork",
    "authentication": "apnAuthentication",
}


class SetNetworkProfile(Outgoing):
    action = "SetNetworkProfile"
    command = commands.SetNetworkProfile

    @staticmethod
    def encode(command: commands.SetNetworkProfile, number: int, limits: dict[str, int]) -> list[Payload]:
        data: Payload = {
            "ocppVersion": command.ocpp_version,
            "ocppTransport": command.transport,
            "ocppCsmsUrl": command.url,
            "messageTimeout": command.message_timeout_s,
            "securityProfile": command.security_profile,
            "ocppInterface": command.interface,
        }
        if command.apn is not None:
            apn = {APN[name]: value for name, value in command.apn.items()}
            data["apn"] = apn | ({"simPin": int(apn["simPin"])} if "simPin" in apn else {})
        if command.vpn is not None:
            data["vpn"] = dict(command.vpn)
        return [{"configurationSlot": command.slot, "connectionData": data}]

    @staticmethod
    def parse(payload: Payload) -> commands.SetNetworkProfile:
        data = payload["connectionData"]
        return commands.SetNetworkProfile(
            slot=payload["configurationSlot"],
            url=data["ocppCsmsUrl"],
            security_profile=data["securityProfile"],
            interface=data["ocppInterface"],
            message_timeout_s=data["messageTimeout"],
            ocpp_version=data["ocppVersion"],
            transport=data["ocppTransport"],
            apn=_apn(data["apn"]) if "apn" in data else None,
            vpn={name: value for name, value in data["vpn"].items() if name != "customData"} if "vpn" in data else None,
        )

    @staticmethod
    def decode(command: commands.SetNetworkProfile, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)


def _apn(data: dict[str, Any]) -> dict[str, Any]:
    ours = {ours: data[theirs] for ours, theirs in APN.items() if theirs in data}
    return ours | ({"pin": str(ours["pin"])} if "pin" in ours else {})
