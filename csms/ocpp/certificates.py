"""What messages about certificates share, in every version: hash data, and outcomes that are no refusals."""

from typing import Any

from csms.ocpp.translator import Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.certificates import CertificateHash
from stations.domain.commands import Outcome, Verdict
from stations.services.certificates import LISTED


def hash_of(data: Payload) -> CertificateHash:
    return CertificateHash(data["hashAlgorithm"], data["issuerNameHash"], data["issuerKeyHash"], data["serialNumber"])


def fact_of(data: Payload) -> dict[str, Any]:
    """A hash among the facts of an answer."""
    return {
        "hash_algorithm": data["hashAlgorithm"],
        "issuer_name_hash": data["issuerNameHash"],
        "issuer_key_hash": data["issuerKeyHash"],
        "serial_number": data["serialNumber"],
    }


def listed(kind: str, ones: list[dict[str, Any]]) -> dict[str, Any]:
    """The fact that of this type a station has these, and no others."""
    return {f"{LISTED}{kind}": ones}


def deletion(command: commands.DeleteCertificate) -> Payload:
    named = {
        "hashAlgorithm": command.hash_algorithm,
        "issuerNameHash": command.issuer_name_hash,
        "issuerKeyHash": command.issuer_key_hash,
        "serialNumber": command.serial_number,
    }
    return {"certificateHashData": named}


def deleted(command: commands.DeleteCertificate, answer: Payload) -> Outcome:
    """Gone it is also if it was not there (OCPP 2.0.1 M04)."""
    facts = fact_of(deletion(command)["certificateHashData"]) | {"gone": answer["status"] in ("Accepted", "NotFound")}
    return outcome(answer, facts=facts)


def found(answer: Payload, facts: dict[str, Any]) -> Outcome:
    """That there is none is an answer, not a refusal (OCPP 2.0.1 M03)."""
    told = outcome(answer, facts=facts)
    return Outcome(Verdict.ACCEPTED, told.reason, facts=facts)
