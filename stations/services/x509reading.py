"""Certificates and requests for them, read: who they are for, how long they hold, and the hashes by which OCPP names them."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from stations.domain.certificates import CertificateHash, plain_serial
from stations.domain.commands import BadCommand

HASHES: dict[str, hashes.HashAlgorithm] = {"SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}
BLOCKS = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
#: The weakest keys that are signed, in bits (OCPP 2.0.1 A00).
RSA_BITS, EC_BITS = 2048, 224
LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Details:
    """What a person is shown of a certificate, and a row keeps."""

    subject: str
    issuer: str
    serial_number: str
    not_before: datetime
    not_after: datetime


def certificates(pem: str) -> list[x509.Certificate]:
    """Those of a PEM text, in its order. Raises BadCommand if it holds anything else, or none."""
    kinds = BLOCKS.findall(pem)
    if any("PRIVATE KEY" in kind for kind in kinds):
        raise BadCommand("This holds a private key, which nobody else should have. Give the certificate alone, and renew the key.")
    if not kinds or set(kinds) != {"CERTIFICATE"}:
        raise BadCommand("The certificate must be in PEM: from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.")
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
        for one in found:
            details(one)
            # Its hashes need the key, of which not every kind is known here.
            _bits(one.public_key())
    except (ValueError, UnicodeEncodeError, UnsupportedAlgorithm) as error:
        raise BadCommand("The certificate cannot be read: %(why)s. Take it from its issuer anew.", why=str(error)[:200]) from None
    return found


def root(pem: str, now: datetime) -> x509.Certificate:
    """The one certificate of a PEM text that can be trusted from now on. Raises BadCommand."""
    found = certificates(pem)
    if len(found) != 1:
        raise BadCommand("These are %(n)s certificates: install each by itself.", n=len(found))
    ended = found[0].not_valid_after_utc
    if ended <= now:
        raise BadCommand("This certificate ended on %(day)s: take the one that follows it.", day=f"{ended:%Y-%m-%d}")
    return found[0]


def signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether this issuer signed it, by name and by key."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def details(certificate: x509.Certificate) -> Details:
    return Details(
        subject=name_of(certificate.subject),
        issuer=name_of(certificate.issuer),
        serial_number=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def name_of(name: x509.Name) -> str:
    return name.rfc4514_string().replace("\x00", "")[:LONGEST_NAME]


def hash_of(certificate: x509.Certificate, algorithm: str, issuer: x509.Certificate | None = None) -> CertificateHash:
    """As OCPP names it (2.0.1 CertificateHashDataType). The key's hash is empty if its issuer is another one and not given."""
    key = issuer or (certificate if certificate.issuer == certificate.subject else None)
    return CertificateHash(
        algorithm,
        _digest(algorithm, certificate.issuer.public_bytes()),
        _digest(algorithm, _bits(key.public_key())) if key is not None else "",
        plain_serial(f"{certificate.serial_number:x}"),
    )


def _digest(algorithm: str, data: bytes) -> str:
    digest = hashes.Hash(HASHES[algorithm])
    digest.update(data)
    return digest.finalize().hex()


def _bits(key: Any) -> bytes:
    """The public key without what says which kind it is: the BIT STRING of RFC 5280, without its tag and length."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return bytes(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def is_of(certificate: x509.Certificate, named: CertificateHash) -> bool:
    """Whether a station's name for a certificate is that of this one."""
    ours = hash_of(certificate, named.algorithm).key()
    theirs = named.key()
    return ours[:2] == theirs[:2] and ours[3] == theirs[3] and ours[2] in ("", theirs[2])


# Requests


@dataclass(frozen=True, slots=True)
class RequestDetails:
    """What a request says. `problems`: why it should not be signed, in English."""

    subject: str = ""
    common_name: str = ""
    key: str = ""
    problems: tuple[str, ...] = ()


def request(csr: str) -> RequestDetails:
    """A request read (PKCS #10 in PEM), and its signature checked: that whoever asks has the key (OCPP 2.0.1 A02)."""
    try:
        found = x509.load_pem_x509_csr(csr.encode())
        subject, key = found.subject, found.public_key()
    except (ValueError, UnicodeEncodeError, UnsupportedAlgorithm) as error:
        return RequestDetails(problems=(f"It cannot be read: {str(error)[:150] or type(error).__name__}.",))
    problems = []
    try:
        signed = found.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        signed = False
    if not signed:
        problems.append("Its signature is not that of its key.")
    kind, bits, least = _strength(key)
    if bits is not None and bits < least:
        problems.append(f"Its key is too weak: {kind} of {bits} bits, where {least} are the least.")
    names = subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    common_name = str(names[0].value).replace("\x00", "")[:100] if names else ""
    if not common_name:
        problems.append("It names nobody: its subject has no common name.")
    return RequestDetails(name_of(subject), common_name, f"{kind} {bits or ''}".strip(), tuple(problems))


def _strength(key: Any) -> tuple[str, int | None, int]:
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size, RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", key.key_size, EC_BITS
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")[:20], None, 0


def answers(certificate: x509.Certificate, csr: str) -> bool:
    """Whether a certificate is for the key of a request."""
    try:
        wanted = x509.load_pem_x509_csr(csr.encode()).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return _bits(certificate.public_key()) == _bits(wanted)
