"""Meters that sign what they show at the begin and the end of a session, as a record of OCMF each, with a key of their own."""

import base64
import json
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CURVES: dict[str, type[ec.EllipticCurve]] = {
    "secp192r1": ec.SECP192R1,
    "secp256k1": ec.SECP256K1,
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "brainpoolP256r1": ec.BrainpoolP256R1,
    "brainpoolP384r1": ec.BrainpoolP384R1,
}
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


class SigningMeter:
    """The meter of one connector. Its key follows from its serial, so that it has the same after a restart; known to everybody, as
    simulated meters may be.
    """

    def __init__(self, serial: str, curve: str = "secp256r1") -> None:
        self.serial, self.curve = serial, curve
        secret = int.from_bytes(sha256(f"simulated meter {serial}".encode()).digest()[:20])
        self.key = ec.derive_private_key(secret, CURVES[curve]())
        self.page = 0

    @property
    def algorithm(self) -> str:
        return f"ECDSA-{self.curve}-SHA256"

    @property
    def public_key(self) -> str:
        """DER in hex, as it is printed on meters."""
        info = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.DER, info).hex().upper()

    def record(self, at: datetime, reason: str, register_wh: int, tag: str, place: str) -> str:
        """`reason` is B or E."""
        self.page = max(self.page + 1, int((at - _SINCE).total_seconds()))
        said = {
            **{"FV": "1.0", "GI": "Simulated", "GS": self.serial, "PG": f"T{self.page}", "MV": "Simulated", "MM": "SIM-METER"},
            **{"MS": self.serial, "MF": "1.0.0", "IS": True, "IL": "TRUSTED", "IF": ["RFID_PLAIN"], "IT": "ISO14443", "ID": tag},
            **{"CT": "CBIDC", "CI": place},
        }
        moment = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S},{at.microsecond // 1000:03}+0000 S"
        # The value keeps its decimals, as numbers of JSON would not.
        value = f"{register_wh // 1000}.{register_wh % 1000:03}"
        reading = f'{{"TM":"{moment}","TX":"{reason}","RV":{value},"RI":"1-b:1.8.0","RU":"kWh","EF":"","ST":"G"}}'
        payload = f'{json.dumps(said, separators=(",", ":"))[:-1]},"RD":[{reading}]}}'
        signature = self.key.sign(payload.encode(), ec.ECDSA(hashes.SHA256())).hex().upper()
        return f'OCMF|{payload}|{{"SA":"{self.algorithm}","SD":"{signature}"}}'

    def value(self, at: datetime, reason: str, register_wh: int, tag: str, place: str) -> dict[str, str]:
        """The same as OCPP carries it (SignedMeterValueType); the key comes with the begin alone."""
        text = self.record(at, reason, register_wh, tag, place)
        key = base64.b64encode(f"oca:base16:asn1:{self.public_key}".encode()).decode() if reason == "B" else ""
        data = base64.b64encode(text.encode()).decode()
        return {"signedMeterData": data, "signingMethod": self.algorithm, "encodingMethod": "OCMF", "publicKey": key}


class Signer:
    """The meters of a station."""

    def __init__(self, identity: str, curve: str = "secp256r1") -> None:
        self.identity, self.curve = identity, curve
        self.meters: dict[int, SigningMeter] = {}

    def meter(self, connector: int) -> SigningMeter:
        return self.meters.setdefault(connector, SigningMeter(f"SIM-{self.identity}-{connector}", self.curve))

    def value(self, connector: int, at: datetime, context: str, register_wh: int, tag: str) -> dict[str, str] | None:
        """What the meter signs in this context; None: nothing."""
        reason = {"Transaction.Begin": "B", "Transaction.End": "E"}.get(context)
        if reason is None:
            return None
        return self.meter(connector).value(at, reason, register_wh, tag, f"{self.identity} {connector}")
