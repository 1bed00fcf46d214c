"""Firmware for tests: an image whose file is stored, and updates as rows."""

import base64
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import Operator
from csms.files import images, tokens
from stations.models import Firmware, FirmwareUpdate, Station
from stations.services import firmware
from tests.database import tables

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def certificate(key: Key, *, name: str = "Maker", issuer: tuple[str, Key] | None = None) -> str:
    """In PEM; its own issuer, or of another's name and key."""
    by, by_key = issuer or (name, key)
    named, by_named = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, by))
    now = timezone.now()
    made = x509.CertificateBuilder().subject_name(named).issuer_name(by_named).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
    return made.sign(by_key, SHA256()).public_bytes(Encoding.PEM).decode().strip()


KEY = ec.generate_private_key(ec.SECP256R1())
PEM = certificate(KEY)


def signature_over(content: bytes) -> str:
    """By the one whose certificate PEM is, in Base64."""
    return base64.b64encode(KEY.sign(content, ec.ECDSA(SHA256()))).decode()


@tables
def made_image(
    operator: Operator,
    vendor: str = "Acme",
    version: str = "2.0",
    *,
    content: bytes = b"firmware" * 40,
    signed: bool = False,
    **fields: Any,
) -> Firmware:
    """An image in the library, with its file."""
    fields = {"name": f"image-{version}.bin"} | fields
    if signed:
        fields |= {"signature": signature_over(content), "signing_certificate": PEM}
    with images.stored([content], operator_id=operator.pk) as stored:
        return firmware.add_firmware(operator=operator, vendor=vendor, version=version, **stored, **fields)


@tables
def made_update(station: Station, image: Firmware | None, *, token: str = "", **fields: Any) -> FirmwareUpdate:
    """An update as a row: under way unless it has an end. `token`: that of its address."""
    now = timezone.now()
    _token, token_hash = tokens.make()
    fields = {
        "attempt": 1,
        "request_id": 1,
        "status": "sent",
        "status_at": now,
        "created_at": now,
        "due_at": now + timedelta(hours=1),
        "expires_at": now + timedelta(hours=1),
        "firmware_before": "1.0",
        "steps": [[now.isoformat(), "waiting", ""], [now.isoformat(), fields.get("status", "sent"), fields.get("detail", "")]],
        "token_hash": tokens.digest(token) if token else token_hash,
    } | fields
    with scopes_disabled():
        return FirmwareUpdate.objects.create(operator=station.operator, station=station, firmware=image, **fields)


@tables
def update_of(station: Station) -> FirmwareUpdate:
    """The newest update of a station, as it stands."""
    with scopes_disabled():
        return FirmwareUpdate.objects.select_related("firmware", "command").filter(station=station).order_by("-id")[0]
