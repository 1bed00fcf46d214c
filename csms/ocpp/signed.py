"""Signed messages (OCPP 2.0.1 Part 4 section 7): the action with a suffix, and a JSON Web Signature (RFC 7515) for its payload.

Who speaks is known from the socket, so a signature that is wrong, or cannot be checked, is told and the message heard all the same.
Signatures are kept with the message's entry in the log, to be checked again.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from csms.ocpp.masking import masked
from stations.domain.values import Note, Severity
from stations.services import signatures

SUFFIX = "-Signed"
#: Signatures of one message that are looked at.
MOST = 4
#: What a signature consists of (RFC 7515 7.2.1).
PARTS = ("protected", "header", "signature")
JSON = json.JSONDecoder()
Verify = Callable[[Any, bytes, bytes], None]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One of RFC 7518: which keys it is for, and how a signature is verified; raises InvalidSignature."""

    key: type
    verify: Verify


def _ecdsa(digest: hashes.HashAlgorithm, size: int) -> Verify:
    def verify(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> None:
        if len(signature) != 2 * size or (key.key_size + 7) // 8 != size:
            raise InvalidSignature
        numbers = (int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
        key.verify(encode_dss_signature(*numbers), data, ec.ECDSA(digest))

    return verify


def _rsa(digest: hashes.HashAlgorithm, *, pss: bool) -> Verify:
    kind = padding.PSS(padding.MGF1(digest), digest.digest_size) if pss else padding.PKCS1v15()

    def verify(key: rsa.RSAPublicKey, signature: bytes, data: bytes) -> None:
        key.verify(signature, data, kind, digest)

    return verify


DIGESTS: dict[str, tuple[hashes.HashAlgorithm, int]] = {
    "256": (hashes.SHA256(), 32),
    "384": (hashes.SHA384(), 48),
    "512": (hashes.SHA512(), 66),
}
ALGORITHMS: dict[str, Algorithm] = {
    "EdDSA": Algorithm(ed25519.Ed25519PublicKey, lambda key, signature, data: key.verify(signature, data)),
    **{f"ES{bits}": Algorithm(ec.EllipticCurvePublicKey, _ecdsa(*of)) for bits, of in DIGESTS.items()},
    **{f"RS{bits}": Algorithm(rsa.RSAPublicKey, _rsa(digest, pss=False)) for bits, (digest, _) in DIGESTS.items()},
    **{f"PS{bits}": Algorithm(rsa.RSAPublicKey, _rsa(digest, pss=True)) for bits, (digest, _) in DIGESTS.items()},
}


class Unreadable(Exception):
    """It cannot be told whether the signature is right. The message says why."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was signed, to the byte and as it is read, and its signatures: `protected`, `header` and `signature` of each."""

    text: str
    payload: dict[str, Any]
    made: list[dict[str, Any]]

    @property
    def kept(self) -> str | None:
        """The signatures, as the log keeps them. None where a secret was signed: without it they prove nothing, with them it could
        be guessed."""
        made = json.dumps(self.made)
        return made if masked(self.text) == self.text and masked(made) == made else None


def opened(payload: Any) -> Opened | None:
    """The payload that was signed, out of its JSON Web Signature; None if there is none."""
    if not isinstance(payload, dict) or "payload" not in payload:
        return None
    try:
        text = _decoded(payload["payload"])
        inner = orjson.loads(text)
    except (Unreadable, ValueError):
        return None
    if not isinstance(inner, dict):
        return None
    made = payload.get("signatures", [payload])
    few = made if isinstance(made, list) and len(made) <= MOST else []
    parts = [{name: one[name] for name in PARTS if name in one} for one in few if isinstance(one, dict)]
    return Opened(text.decode(), inner, parts)


def logged(frame: str, signatures: str) -> Opened:
    """The same again, from the frame and the signatures that the log keeps. Of a frame as `frames` writes it."""
    at = 2
    for _ in range(2 if frame.startswith("[2") else 1):
        at = JSON.raw_decode(frame, at + 1)[1]
    text = frame[at + 1 : -1]
    return Opened(text, orjson.loads(text), json.loads(signatures))


def checked(said: Opened, action: str, key: str) -> Note | None:
    """What is to be told of the signatures of a message; None: they are right, by the station's own key.

    `key`: that key, or its certificate, in PEM; empty: none is known, and one that came with the message is taken.
    """
    signed = base64.urlsafe_b64encode(said.text.encode()).decode().rstrip("=")
    try:
        own = _own(key) if key else None
        if not said.made:
            raise Unreadable("it has no signature")
        for one in said.made:
            if not _is_right(one, signed, own):
                whose = "the station's key" if own else "the certificate that came with it"
                return Note(
                    "signature_wrong", action, f"The signature was not made with {whose}, or over another text.", Severity.ERROR
                )
    except Unreadable as error:
        return Note("signature_unchecked", action, f"A signed message was read without checking its signature: {error}.")
    if own is None:
        return Note(
            "signature_unvouched", action, "The signature is right by the certificate that came with it, for which nobody vouches."
        )
    return None


def _is_right(one: dict[str, Any], signed: str, own: Any) -> bool:
    """One signature of a message (RFC 7515 5.2)."""
    if not isinstance(one.get("signature"), str):
        raise Unreadable("it has no signature")
    protected = one.get("protected", "")
    header = _header(protected) | (one["header"] if isinstance(one.get("header"), dict) else {}) | _header(protected)
    algorithm = ALGORITHMS.get(str(header.get("alg")))
    if algorithm is None or header.get("crit"):
        raise Unreadable(f"it is made by {str(header.get('alg'))[:20]}, which is not understood here")
    key = own or _of_chain(header.get("x5c"))
    if not isinstance(key, algorithm.key):
        return False
    try:
        algorithm.verify(key, _decoded(one["signature"]), f"{protected}.{signed}".encode())
    except InvalidSignature:
        return False
    return True


def _header(protected: Any) -> dict[str, Any]:
    if not protected:
        return {}
    try:
        header = orjson.loads(_decoded(protected))
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise Unreadable("its header cannot be read")
    return header


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str):
        raise Unreadable("a part of it is no text")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Unreadable("a part of it is no Base64") from None


def _own(pem: str) -> Any:
    try:
        return signatures.key_of(pem)
    except ValueError:
        raise Unreadable("the key of the station cannot be read") from None


def _of_chain(chain: Any) -> Any:
    """The key of the first certificate of an x5c header (RFC 7515 4.1.6), which is the one that signed."""
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        raise Unreadable("no key of the station is known")
    try:
        return x509.load_der_x509_certificate(base64.b64decode(chain[0])).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Unreadable("the certificate that came with it cannot be read") from None
