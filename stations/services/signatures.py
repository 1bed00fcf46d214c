"""Whether a firmware's signature was made over its file with the certificate that comes with it (OCPP 2.0.1 L01).

Stations verify it too, against the maker's root, which only they have. Looking here spares a wave of stations that all refuse it.
"""

import base64
import binascii
from contextlib import suppress
from functools import lru_cache
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

HASH = Prehashed(SHA256())


def check(*, signature: str, certificate: str, sha256: str) -> None:
    """Raise ValidationError, at "signature" or "signing_certificate", if they do not belong together and to the file of this hash.

    `signature` in Base64; `certificate` in PEM, the one that signed first and those that issued it after it. Both empty: fine.
    """
    if bool(signature) != bool(certificate):
        missing = "signing_certificate" if signature else "signature"
        raise ValidationError({missing: _("A signature is of use only together with the certificate it was made with.")})
    if not signature:
        return
    try:
        signed = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise ValidationError({"signature": _("The signature must be written in Base64, as the vendor gave it.")}) from None
    chain = _read(certificate)
    try:
        _compare(chain, signed, bytes.fromhex(sha256))
    except UnsupportedAlgorithm:
        # What cannot be told here is left to the station.
        return


def _compare(chain: list[x509.Certificate], signed: bytes, digest: bytes) -> None:
    try:
        for one, issuer in pairwise(chain):
            one.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError):
        text = _("These certificates did not issue each other: put the one that signed first, then the one that issued it.")
        raise ValidationError({"signing_certificate": text}) from None
    if not _made_over(digest, signed, chain[0]):
        text = _("The signature was not made over this file with this certificate: take all three from one release of the maker.")
        raise ValidationError({"signature": text})


def _read(certificate: str) -> list[x509.Certificate]:
    whole = certificate.startswith("-----BEGIN CERTIFICATE-----") and certificate.endswith("-----END CERTIFICATE-----")
    try:
        chain = x509.load_pem_x509_certificates(certificate.encode()) if whole else []
        for one in chain:
            with suppress(UnsupportedAlgorithm):
                one.public_key()
    except ValueError:
        chain = []
    if not chain:
        text = _("The certificate must be in PEM: from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.")
        raise ValidationError({"signing_certificate": text})
    return chain


def _made_over(digest: bytes, signed: bytes, certificate: x509.Certificate) -> bool:
    """False only if it surely was not."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.AUTO)
        return _verifies(key, signed, digest, pss) or _verifies(key, signed, digest, padding.PKCS1v15())
    if isinstance(key, ec.EllipticCurvePublicKey) and not _bare(signed, key):
        try:
            key.verify(signed, digest, ec.ECDSA(HASH))
        except InvalidSignature:
            return False
    return True


def _bare(signed: bytes, key: ec.EllipticCurvePublicKey) -> bool:
    """Two numbers without ASN.1 around them: the specification's EC-Schnorr, which nothing here can verify."""
    return len(signed) == 2 * ((key.key_size + 7) // 8)


def _verifies(key: rsa.RSAPublicKey, signed: bytes, digest: bytes, kind: padding.AsymmetricPadding) -> bool:
    try:
        key.verify(signed, digest, kind, HASH)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=1000)
def key_of(pem: str) -> Any:
    """The public key of a PEM, which may be that of a certificate. Raises ValueError."""
    data = pem.strip().encode()
    try:
        if data.startswith(b"-----BEGIN CERTIFICATE-----"):
            return x509.load_pem_x509_certificate(data).public_key()
        return serialization.load_pem_public_key(data)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from None
