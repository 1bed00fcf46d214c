"""Signatures of firmware: what was made over the file with the certificate passes, and what was not is told."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from django.core.exceptions import ValidationError

from stations.services import signatures
from tests.firmware import KEY, PEM, certificate, signature_over

FILE = b"firmware" * 40
PSS = padding.PSS(padding.MGF1(SHA256()), padding.PSS.MAX_LENGTH)


def check(signed: bytes, pem: str, file: bytes = FILE) -> None:
    signatures.check(signature=base64.b64encode(signed).decode(), certificate=pem, sha256=hashlib.sha256(file).hexdigest())


@pytest.mark.parametrize("kind", ["RSA-PSS", "PKCS 1", "ECDSA"])
def test_a_signature_belongs_to_its_file_and_its_certificate(kind: str) -> None:
    if kind == "ECDSA":
        signed, pem = KEY.sign(FILE, ec.ECDSA(SHA256())), PEM
    else:
        key = rsa.generate_private_key(65537, 2048)
        signed, pem = key.sign(FILE, PSS if kind == "RSA-PSS" else padding.PKCS1v15(), SHA256()), certificate(key)
    check(signed, pem)
    with pytest.raises(ValidationError, match="was not made over this file"):
        check(signed, pem, FILE + b"x")
    with pytest.raises(ValidationError, match="was not made over this file"):
        check(signed, certificate(ec.generate_private_key(ec.SECP256R1())))


def test_what_cannot_be_verified_here_is_left_to_the_station() -> None:
    check(bytes(64), PEM)  # EC-Schnorr: two bare numbers


def test_those_that_issued_the_certificate_follow_it() -> None:
    root = ec.generate_private_key(ec.SECP256R1())
    leaf, above = certificate(KEY, name="Signer", issuer=("Root", root)), certificate(root, name="Root")
    signed = base64.b64decode(signature_over(FILE))
    check(signed, f"{leaf}\n{above}")
    for chain in (f"{leaf}\n{PEM}", f"{above}\n{leaf}"):
        with pytest.raises(ValidationError, match="did not issue each other"):
            check(signed, chain)


@pytest.mark.parametrize("pem", ["MIIB", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"])
def test_a_certificate_that_is_none_is_refused(pem: str) -> None:
    with pytest.raises(ValidationError, match="must be in PEM"):
        check(b"signature", pem)
