"""Chapters A and M: certificates."""

from dataclasses import dataclass, field
from typing import ClassVar

from stations.domain.certificates import ALGORITHMS, LISTED, ROOTS, SIGNED
from stations.domain.command import BadCommand, Command, need_list, need_number, need_one_of, need_text

#: Characters of a certificate and of a chain, at most (OCPP 2.0.1 InstallCertificateRequest, CertificateSignedRequest).
LONGEST, LONGEST_CHAIN = 5500, 10_000


@dataclass(frozen=True, slots=True)
class InstallCertificate(Command):
    """Trust a root certificate from now on (OCPP 2.0.1 M05, 1.6 security whitepaper M05). `certificate` in PEM."""

    type: str
    certificate: str
    kind: ClassVar[str] = "install_certificate"
    verb: ClassVar[str] = "stations.change"

    def check(self) -> None:
        need_one_of("type", self.type, ROOTS)
        need_text("certificate", self.certificate, LONGEST)


@dataclass(frozen=True, slots=True)
class DeleteCertificate(Command):
    """Forget a certificate (OCPP 2.0.1 M04), named by the hashes as the station told them.

    `type` is what it was for, where that is known: by it a station of 1.6 is asked in its words for vehicles' certificates.
    """

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str
    type: str = ""
    kind: ClassVar[str] = "delete_certificate"
    verb: ClassVar[str] = "stations.change"

    def check(self) -> None:
        need_one_of("hash_algorithm", self.hash_algorithm, ALGORITHMS)
        for name, value, longest in (
            ("issuer_name_hash", self.issuer_name_hash, 128),
            ("issuer_key_hash", self.issuer_key_hash, 128),
            ("serial_number", self.serial_number, 40),
        ):
            need_text(name, value, longest)
        if self.type != "":
            need_one_of("type", self.type, LISTED)


@dataclass(frozen=True, slots=True)
class GetInstalledCertificates(Command):
    """Tell which certificates are installed (OCPP 2.0.1 M03): those of these `types`, or without any of all."""

    types: list[str] = field(default_factory=list)
    kind: ClassVar[str] = "get_installed_certificates"

    def check(self) -> None:
        need_list("types", self.types)
        for one in self.types:
            need_one_of("types", one, LISTED)
        if len(set(self.types)) != len(self.types):
            raise BadCommand("types must name each type once.")


@dataclass(frozen=True, slots=True)
class SendSignedCertificate(Command):
    """Take the certificate that was asked for (OCPP 2.0.1 A02): the chain in PEM, the station's own first.

    `request`: the id of the station's request that it answers.
    """

    certificate_chain: str
    type: str = "ChargingStationCertificate"
    request: int | None = None
    kind: ClassVar[str] = "certificate_signed"
    verb: ClassVar[str] = "stations.change"

    def check(self) -> None:
        need_text("certificate_chain", self.certificate_chain, LONGEST_CHAIN)
        need_one_of("type", self.type, SIGNED)
        if self.request is not None:
            need_number("request", self.request, 1, 2**63 - 1)


ALL: tuple[type[Command], ...] = (InstallCertificate, DeleteCertificate, GetInstalledCertificates, SendSignedCertificate)
