"""Chapters A and M: security events, and what stations ask about certificates."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from stations.domain.certificates import CertificateHash
from stations.domain.event import Event, Reply


@dataclass(frozen=True, slots=True)
class SecurityEventReported(Event):
    """Something happened that bears on the station's security (OCPP 2.0.1 A04). It may have happened long before it is told.

    `at` None: it does not say when.
    """

    kind: str
    at: datetime | None
    tech_info: str = ""


@dataclass(frozen=True, slots=True)
class CertificateRequestAnswered(Reply):
    """Whether a certificate will come. `reason`: OCPP's code for why not; `info`: the same in words."""

    accepted: bool
    reason: str = ""
    info: str = ""


@dataclass(frozen=True, slots=True)
class CertificateRequested(Event):
    """A station wants its new key certified (OCPP 2.0.1 A02, A03) for a `use`. `csr`: PKCS #10 in PEM."""

    csr: str
    use: str = "ChargingStationCertificate"
    reply: ClassVar[type[Reply]] = CertificateRequestAnswered


@dataclass(frozen=True, slots=True)
class ContractCertificateAnswered(Reply):
    """`exi_response`: for the vehicle, in Base64; empty where there is none."""

    accepted: bool
    exi_response: str = ""
    reason: str = ""
    info: str = ""


@dataclass(frozen=True, slots=True)
class ContractCertificateRequested(Event):
    """A vehicle wants its contract's certificate (OCPP 2.0.1 M01), or a new one (M02). `exi_request` is not for us to read."""

    action: str
    schema_version: str
    exi_request: str
    reply: ClassVar[type[Reply]] = ContractCertificateAnswered


@dataclass(frozen=True, slots=True)
class CertificateStatusAnswered(Reply):
    """`ocsp_result`: the responder's answer in Base64; None where there is none."""

    accepted: bool
    ocsp_result: str | None = None
    reason: str = ""
    info: str = ""


@dataclass(frozen=True, slots=True)
class CertificateStatusRequested(Event):
    """A station asks whether a certificate was revoked (OCPP 2.0.1 M06)."""

    hash: CertificateHash
    responder_url: str
    reply: ClassVar[type[Reply]] = CertificateStatusAnswered
