"""OCPP 1.6 security extension: security events, certificates and the requests for them.

It knows two types of roots. Those of vehicles are spoken of in DataTransfer, in the words of 2.0.1 (see `conventions`).
"""

from csms.ocpp import certificates
from csms.ocpp.translator import Incoming, Outgoing, Payload, Unsayable
from csms.ocpp.v16 import conventions
from csms.ocpp.v201 import security as v201
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.certificates import CertificateType
from stations.domain.commands import Outcome
from stations.domain.events import CertificateRequested, Reply
from stations.domain.values import Note

#: By the type of 2.0.1.
TYPES = {
    CertificateType.CSMS_ROOT.value: "CentralSystemRootCertificate",
    CertificateType.MANUFACTURER_ROOT.value: "ManufacturerRootCertificate",
}
MEANT = {said: kind for kind, said in TYPES.items()}


class SecurityEventNotification(v201.SecurityEventNotification):
    """Word for word that of 2.0.1."""


class SignCertificate(Incoming):
    action = "SignCertificate"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> CertificateRequested:
        return CertificateRequested(payload["csr"])

    @staticmethod
    def encode(reply: Reply) -> Payload:
        # Without a word why: this version has none.
        return {"status": v201.SignCertificate.encode(reply)["status"]}


class InstallCertificate(Outgoing):
    action = "InstallCertificate"
    command = commands.InstallCertificate

    @classmethod
    def choose(cls, command: commands.InstallCertificate) -> type[Outgoing]:
        return cls if command.type in TYPES else conventions.PncInstallCertificate

    @staticmethod
    def encode(command: commands.InstallCertificate, number: int, limits: dict[str, int]) -> list[Payload]:
        if command.type not in TYPES:
            raise Unsayable(f"OCPP 1.6 says {command.type} in DataTransfer only.")
        return [{"certificateType": TYPES[command.type], "certificate": command.certificate}]

    @staticmethod
    def parse(payload: Payload) -> commands.InstallCertificate:
        return commands.InstallCertificate(MEANT[payload["certificateType"]], payload["certificate"])

    @staticmethod
    def decode(command: commands.InstallCertificate, sent: Payload, answer: Payload) -> Outcome:
        return v201.InstallCertificate.decode(command, sent, answer)


class DeleteCertificate(Outgoing):
    action = "DeleteCertificate"
    command = commands.DeleteCertificate

    @classmethod
    def choose(cls, command: commands.DeleteCertificate) -> type[Outgoing]:
        return cls if command.type in ("", *TYPES) else conventions.PncDeleteCertificate

    @staticmethod
    def encode(command: commands.DeleteCertificate, number: int, limits: dict[str, int]) -> list[Payload]:
        return [certificates.deletion(command)]

    @staticmethod
    def parse(payload: Payload) -> commands.DeleteCertificate:
        return v201.DeleteCertificate.parse(payload)

    @staticmethod
    def decode(command: commands.DeleteCertificate, sent: Payload, answer: Payload) -> Outcome:
        return certificates.deleted(command, answer)


class GetInstalledCertificateIds(Outgoing):
    """One type at a time; without any named, both that the extension knows."""

    action = "GetInstalledCertificateIds"
    command = commands.GetInstalledCertificates

    @classmethod
    def choose(cls, command: commands.GetInstalledCertificates) -> type[Outgoing]:
        of_vehicles = command.types and not set(command.types) & TYPES.keys()
        return conventions.PncGetInstalledCertificateIds if of_vehicles else cls

    @staticmethod
    def encode(command: commands.GetInstalledCertificates, number: int, limits: dict[str, int]) -> list[Payload]:
        wanted = command.types or list(TYPES)
        if set(wanted) - TYPES.keys():
            raise Unsayable(
                f"OCPP 1.6 asks for {' and '.join(TYPES)} in one way and for the others in another: ask in two commands."
            )
        return [{"certificateType": TYPES[kind]} for kind in wanted]

    @staticmethod
    def parse(payload: Payload) -> commands.GetInstalledCertificates:
        return commands.GetInstalledCertificates([MEANT[payload["certificateType"]]])

    @staticmethod
    def decode(command: commands.GetInstalledCertificates, sent: Payload, answer: Payload) -> Outcome:
        ones = [certificates.fact_of(one) | {"children": []} for one in answer.get("certificateHashData") or []]
        return certificates.found(answer, certificates.listed(MEANT[sent["certificateType"]], ones))


class CertificateSigned(Outgoing):
    action = "CertificateSigned"
    command = commands.SendSignedCertificate

    @classmethod
    def choose(cls, command: commands.SendSignedCertificate) -> type[Outgoing]:
        return cls if command.type == CertificateType.STATION else conventions.PncCertificateSigned

    @staticmethod
    def encode(command: commands.SendSignedCertificate, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"certificateChain": command.certificate_chain}]

    @staticmethod
    def parse(payload: Payload) -> commands.SendSignedCertificate:
        return commands.SendSignedCertificate(payload["certificateChain"])

    @staticmethod
    def decode(command: commands.SendSignedCertificate, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"type": command.type, "certificate": command.certificate_chain})
