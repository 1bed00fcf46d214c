"""Certificates, requests and an authority for tests: real ones, made on the spot."""

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from stations.models import CertificateRequest
from stations.services import x509reading

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def made(subject: str, key: Key, issuer: str, issuer_key: Key, *, days: float = 365, public: object = None) -> x509.Certificate:
    """A certificate that ends in so many days."""
    ends = datetime.now(UTC) + timedelta(days=days)
    builder = x509.CertificateBuilder(named(issuer), named(subject), public or key.public_key(), x509.random_serial_number() >> 32)  # type: ignore[arg-type]
    builder = builder.not_valid_before(ends - timedelta(days=3650)).not_valid_after(ends)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(*certificates: x509.Certificate) -> str:
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def root(name: str = "Amber Root", *, days: float = 365) -> str:
    """A root in PEM, of a key of its own."""
    key = new_key()
    return pem(made(name, key, name, key, days=days))


def csr(common_name: str = "SN-1", key: Key | None = None) -> str:
    request = x509.CertificateSigningRequestBuilder(named(common_name)).sign(key or new_key(), hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


@cache
def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = new_key()
    return key, made("Amber CA", key, "Amber CA", key)


def signed(request: str, *, days: float = 90) -> str:
    """The chain that an authority makes of a request."""
    key, ca = authority()
    asked = x509.load_pem_x509_csr(request.encode())
    name = str(asked.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
    return pem(made(name, key, "Amber CA", key, days=days, public=asked.public_key()), ca)


def signer(request: CertificateRequest) -> str:
    """As `stations.ports.sign` has it."""
    return signed(request.csr)


def hash_data(certificate: str, algorithm: str = "SHA256", *, upper: bool = False) -> dict[str, str]:
    """What a station calls a certificate, as it says it on the wire."""
    found = x509reading.hash_of(x509.load_pem_x509_certificates(certificate.encode())[0], algorithm)
    said = {
        "hashAlgorithm": algorithm,
        "issuerNameHash": found.issuer_name_hash,
        "issuerKeyHash": found.issuer_key_hash,
        "serialNumber": found.serial_number,
    }
    return {name: text.upper() if upper else text for name, text in said.items()}
