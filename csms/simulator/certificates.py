"""The certificates of a simulated station: the roots it trusts, its own, and its requests for a new one, with a key of its own."""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation

#: More it does not hold (CertificateEntries).
ENTRIES = 20
OWN = ("ChargingStationCertificate", "V2GCertificate")
ALGORITHM = "SHA256"


@dataclass(slots=True)
class Keystore:
    """`trusted`: type and PEM of what was installed; `own`: the chain by what it is for."""

    name: str
    trusted: list[tuple[str, str]] = field(default_factory=list)
    own: dict[str, str] = field(default_factory=dict)
    key: ec.EllipticCurvePrivateKey | None = None

    def install(self, kind: str, pem: str) -> str:
        """Accepted, Rejected (it is no certificate) or Failed (there is no room)."""
        if not _read(pem):
            return "Rejected"
        if len(self.trusted) >= ENTRIES:
            return "Failed"
        if (kind, pem) not in self.trusted:
            self.trusted.append((kind, pem))
        return "Accepted"

    def delete(self, named: dict[str, Any]) -> str:
        """Accepted or NotFound. `named` as the package has CertificateHashData, in snake case."""
        wanted = {name: str(text).lower() for name, text in named.items()}
        for entry in self.trusted:
            if {name: text.lower() for name, text in hash_data(entry[1], str(named["hash_algorithm"])).items()} == wanted:
                self.trusted.remove(entry)
                return "Accepted"
        return "NotFound"

    def listed(self, kinds: list[str] | None) -> list[tuple[str, dict[str, str]]]:
        """Type and hash data of those of these types, or of all."""
        return [(kind, hash_data(pem)) for kind, pem in self.trusted if kinds is None or kind in kinds]

    def request(self) -> str:
        """A request for a certificate of a new key (PKCS #10 in PEM)."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)])
        request = x509.CertificateSigningRequestBuilder(subject).sign(self.key, hashes.SHA256())
        return request.public_bytes(Encoding.PEM).decode()

    def take(self, chain: str, kind: str) -> str:
        """Accepted, if the chain begins with a certificate of the key that was asked for; else Rejected."""
        found = _read(chain)
        if not found or self.key is None or _bits(found[0].public_key()) != _bits(self.key.public_key()):
            return "Rejected"
        self.own[kind] = chain
        return "Accepted"


_keystores: "WeakKeyDictionary[SimulatedStation, Keystore]" = WeakKeyDictionary()


def of(station: "SimulatedStation") -> Keystore:
    """The station's, as long as it lives. It calls itself by its serial number."""
    return _keystores.setdefault(station, Keystore(station.identity[:25]))


def hash_data(pem: str, algorithm: str = ALGORITHM) -> dict[str, str]:
    """CertificateHashData in the package's snake case."""
    certificate = _read(pem)[0]

    def digest(data: bytes) -> str:
        return hashlib.new(algorithm.lower(), data).hexdigest()

    return {
        "hash_algorithm": algorithm,
        "issuer_name_hash": digest(certificate.issuer.public_bytes()),
        "issuer_key_hash": digest(_bits(certificate.public_key())),
        "serial_number": f"{certificate.serial_number:x}",
    }


def _read(pem: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return []


def _bits(key: Any) -> bytes:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.PKCS1))
