"""OCPP 2.0.1 security events (A04), certificates (M03 to M06) and what stations ask about them (A02, A03, M01, M02)."""

from typing import cast

from csms.ocpp import certificates, times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.certificates import LISTED, CertificateType
from stations.domain.commands import Outcome
from stations.domain.events import (
    CertificateRequestAnswered,
    CertificateRequested,
    CertificateStatusAnswered,
    CertificateStatusRequested,
    ContractCertificateAnswered,
    ContractCertificateRequested,
    Reply,
    SecurityEventReported,
)
from stations.domain.values import Note


class SecurityEventNotification(Incoming):
    action = "SecurityEventNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> SecurityEventReported:
        at = times.parse(payload["timestamp"], "timestamp", notes)
        return SecurityEventReported(payload["type"], at, payload.get("techInfo", ""))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


def _status(accepted: bool, negative: str, reason: str, info: str) -> Payload:
    answer: Payload = {"status": "Accepted" if accepted else negative}
    if reason:
        answer["statusInfo"] = {"reasonCode": reason[:20]} | ({"additionalInfo": info[:512]} if info else {})
    return answer


class SignCertificate(Incoming):
    action = "SignCertificate"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> CertificateRequested:
        # Without a type it is the station's own.
        return CertificateRequested(payload["csr"], payload.get("certificateType") or CertificateType.STATION.value)

    @staticmethod
    def encode(reply: Reply) -> Payload:
        answer = cast(CertificateRequestAnswered, reply)
        return _status(answer.accepted, "Rejected", answer.reason, answer.info)


class Get15118EVCertificate(Incoming):
    action = "Get15118EVCertificate"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> ContractCertificateRequested:
        return ContractCertificateRequested(payload["action"], payload["iso15118SchemaVersion"], payload["exiRequest"])

    @staticmethod
    def encode(reply: Reply) -> Payload:
        answer = cast(ContractCertificateAnswered, reply)
        return _status(answer.accepted, "Failed", answer.reason, answer.info) | {"exiResponse": answer.exi_response}


class GetCertificateStatus(Incoming):
    action = "GetCertificateStatus"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> CertificateStatusRequested:
        data = payload["ocspRequestData"]
        return CertificateStatusRequested(certificates.hash_of(data), data["responderURL"])

    @staticmethod
    def encode(reply: Reply) -> Payload:
        answer = cast(CertificateStatusAnswered, reply)
        told = _status(answer.accepted, "Failed", answer.reason, answer.info)
        return told | ({"ocspResult": answer.ocsp_result} if answer.ocsp_result is not None else {})


class InstallCertificate(Outgoing):
    action = "InstallCertificate"
    command = commands.InstallCertificate

    @staticmethod
    def encode(command: commands.InstallCertificate, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"certificateType": command.type, "certificate": command.certificate}]

    @staticmethod
    def parse(payload: Payload) -> commands.InstallCertificate:
        return commands.InstallCertificate(payload["certificateType"], payload["certificate"])

    @staticmethod
    def decode(command: commands.InstallCertificate, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"type": command.type, "certificate": command.certificate})


class DeleteCertificate(Outgoing):
    action = "DeleteCertificate"
    command = commands.DeleteCertificate

    @staticmethod
    def encode(command: commands.DeleteCertificate, number: int, limits: dict[str, int]) -> list[Payload]:
        return [certificates.deletion(command)]

    @staticmethod
    def parse(payload: Payload) -> commands.DeleteCertificate:
        return commands.DeleteCertificate(**certificates.fact_of(payload["certificateHashData"]))

    @staticmethod
    def decode(command: commands.DeleteCertificate, sent: Payload, answer: Payload) -> Outcome:
        return certificates.deleted(command, answer)


class GetInstalledCertificateIds(Outgoing):
    action = "GetInstalledCertificateIds"
    command = commands.GetInstalledCertificates

    @staticmethod
    def encode(command: commands.GetInstalledCertificates, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"certificateType": command.types} if command.types else {}]

    @staticmethod
    def parse(payload: Payload) -> commands.GetInstalledCertificates:
        return commands.GetInstalledCertificates(list(dict.fromkeys(payload.get("certificateType") or [])))

    @staticmethod
    def decode(command: commands.GetInstalledCertificates, sent: Payload, answer: Payload) -> Outcome:
        facts: Payload = {}
        for kind in command.types or LISTED:
            chains = [one for one in answer.get("certificateHashDataChain") or [] if one["certificateType"] == kind]
            ones = [
                certificates.fact_of(one["certificateHashData"])
                | {"children": [certificates.fact_of(child) for child in one.get("childCertificateHashData") or []]}
                for one in chains
            ]
            facts |= certificates.listed(kind, ones)
        return certificates.found(answer, facts)


class CertificateSigned(Outgoing):
    action = "CertificateSigned"
    command = commands.SendSignedCertificate

    @staticmethod
    def encode(command: commands.SendSignedCertificate, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"certificateChain": command.certificate_chain, "certificateType": command.type}]

    @staticmethod
    def parse(payload: Payload) -> commands.SendSignedCertificate:
        return commands.SendSignedCertificate(
            payload["certificateChain"], payload.get("certificateType") or CertificateType.STATION.value
        )

    @staticmethod
    def decode(command: commands.SendSignedCertificate, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"type": command.type, "certificate": command.certificate_chain})
