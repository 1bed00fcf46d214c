"""What OCPP calls certificates by, and how it names one without sending it: hashes of its issuer, and its number (2.0.1 M03)."""

from dataclasses import dataclass
from enum import StrEnum

ALGORITHMS = ("SHA256", "SHA384", "SHA512")


class CertificateType(StrEnum):
    """What a certificate at a station is for. The first four are roots it trusts; the chain is its own for vehicles, and so are
    the last two, which it asked for (OCPP 2.0.1 GetCertificateIdUseEnumType, CertificateSigningUseEnumType)."""

    CSMS_ROOT = "CSMSRootCertificate"
    MANUFACTURER_ROOT = "ManufacturerRootCertificate"
    V2G_ROOT = "V2GRootCertificate"
    MO_ROOT = "MORootCertificate"
    V2G_CHAIN = "V2GCertificateChain"
    STATION = "ChargingStationCertificate"
    V2G = "V2GCertificate"


#: Those that can be installed, listed and signed.
ROOTS = tuple(one.value for one in list(CertificateType)[:4])
LISTED = tuple(one.value for one in list(CertificateType)[:5])
SIGNED = (CertificateType.STATION.value, CertificateType.V2G.value)


@dataclass(frozen=True, slots=True)
class CertificateHash:
    """A certificate as a station names it. Two names are compared without case, and numbers without leading zeros."""

    algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str

    def key(self) -> tuple[str, str, str, str]:
        return (self.algorithm, self.issuer_name_hash.lower(), self.issuer_key_hash.lower(), plain_serial(self.serial_number))


@dataclass(frozen=True, slots=True)
class ListedCertificate:
    """One that a station says it has. `children`: those of its chain, beneath it (OCPP 2.0.1 CertificateHashDataChainType)."""

    type: str
    hash: CertificateHash
    children: tuple[CertificateHash, ...] = ()


def plain_serial(serial_number: str) -> str:
    """Hexadecimal, without leading zeros (OCPP 2.0.1 edition 3), in lower case."""
    return serial_number.strip().lower().lstrip("0") or "0"
