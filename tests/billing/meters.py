"""Meters of tests: what they sign, in any way one likes, right or wrong."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from csms.simulator.signing import CURVES

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def moment(at: datetime, clock: str = "S") -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S},000+0000 {clock}"


def reading(reason: str = "B", kwh: str = "1.000", at: datetime = AT, clock: str = "S", **more: Any) -> dict[str, Any]:
    """`kwh` is written as it is, with its decimals."""
    return {"TM": moment(at, clock), "TX": reason, "RV": kwh, "RI": "1-b:1.8.0", "RU": "kWh", "EF": "", "ST": "G"} | more


class Meter:
    """Signs what it is given."""

    def __init__(self, curve: str = "secp256r1", serial: str = "SN-1") -> None:
        self.curve, self.serial = curve, serial
        self.key = ec.generate_private_key(CURVES[curve]())
        self.page = 0

    @property
    def der(self) -> bytes:
        info = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.DER, info)

    @property
    def pem(self) -> str:
        info = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, info).decode()

    @property
    def point(self) -> bytes:
        form = serialization.PublicFormat.UncompressedPoint
        return self.key.public_key().public_bytes(serialization.Encoding.X962, form)

    def payload(self, *readings: dict[str, Any], **more: Any) -> str:
        self.page += 1
        said = {
            "FV": "1.0",
            "GI": "TEST",
            "GS": self.serial,
            "PG": f"T{self.page}",
            "MS": self.serial,
            "IS": True,
            "IT": "ISO14443",
        }
        text = json.dumps(said | {"ID": "CARD"} | more | {"RD": list(readings or [reading()])})
        for one in readings or [reading()]:
            if isinstance(one.get("RV"), str):
                text = text.replace(f'"RV": "{one["RV"]}"', f'"RV": {one["RV"]}')
        return text

    def sign(self, payload: str, *, encoding: str = "hex", **more: Any) -> str:
        raw = self.key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
        said = {"SA": f"ECDSA-{self.curve}-SHA256", "SD": raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()}
        if encoding != "hex":
            said["SE"] = encoding
        return f"OCMF|{payload}|{json.dumps({name: value for name, value in (said | more).items() if value is not None})}"

    def record(self, *readings: dict[str, Any], **more: Any) -> str:
        return self.sign(self.payload(*readings, **more))

    def begin(self, kwh: str = "1.000", at: datetime = AT, **more: Any) -> str:
        return self.record(reading("B", kwh, at), **more)

    def end(self, kwh: str = "2.000", at: datetime = AT, **more: Any) -> str:
        return self.record(reading("E", kwh, at), **more)

    def value(self, record: str, *, key: bool = True) -> dict[str, str]:
        """As OCPP 2.0.1 carries it."""
        data = base64.b64encode(record.encode()).decode()
        public = base64.b64encode(self.der).decode() if key else ""
        return {
            "signedMeterData": data,
            "signingMethod": f"ECDSA-{self.curve}-SHA256",
            "encodingMethod": "OCMF",
            "publicKey": public,
        }
