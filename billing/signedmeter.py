"""What a meter signed, read and verified: the Open Charge Metering Format (OCMF 1.0 to 1.2, SAFE e.V.). Pure.

The signature is ECDSA over the bytes of the payload section, exactly as they came. Whatever is signed comes from outside and is
bounded and doubted; nothing of it is rewritten. Our own code on `cryptography`, since the library for OCMF that there is does not
know brainpoolP384r1, keys in PEM or bare points, and takes what should be refused: Base64 with rubbish in it, a name twice, NaN.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: The longest data that is looked at, and how many readings of one record.
LONGEST, MOST_READINGS = 100_000, 500
LONGEST_KEY = 4000
#: In bytes: a point of the smallest curve, both coordinates.
SHORTEST_KEY = 48
DEFAULT_ALGORITHM = "ECDSA-secp256r1-SHA256"
#: As OCMF names the curves (table 22), and as others do.
CURVES: dict[str, type[ec.EllipticCurve]] = {
    "secp192r1": ec.SECP192R1,
    "secp256k1": ec.SECP256K1,
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
    "brainpoolp256r1": ec.BrainpoolP256R1,
    "brainpool256r1": ec.BrainpoolP256R1,
    "brainpoolp384r1": ec.BrainpoolP384R1,
    "brainpool384r1": ec.BrainpoolP384R1,
}
HASHES: dict[str, type[hashes.HashAlgorithm]] = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}
HEX = re.compile(r"(?:[0-9a-fA-F]{2})+\Z")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\Z")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?(Z|[+-]\d\d:?\d\d)(?:\s+([A-Z]))?\Z")
#: OBIS codes of energy that was given back: group C is 2, or C0 to C3.
EXPORT = re.compile(r"[:-](?:0?2|C[0-3])\.0?8\.", re.IGNORECASE)
UNITS_WH = {"wh": Decimal(1), "kwh": Decimal(1000)}
#: Reasons for a reading (TX): the transaction begins, or ends.
BEGIN, END = "B", ("E", "L", "R", "A", "P")
#: No register is beyond this, in Wh.
LARGEST_WH = Decimal(10) ** 12


class Verdict(StrEnum):
    """What is known of a signature."""

    VERIFIED = "verified"
    WRONG = "wrong"
    #: It is right by the key that came with it, which is another than the meter's known one.
    OTHER_KEY = "other_key"
    KEY_UNKNOWN = "key_unknown"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"


class Unreadable(ValueError):
    """This is no OCMF, or none that can be understood: the message says why."""


class BadKey(ValueError):
    """This is no public key that can be used. `code`: why, one of form, cut, kind, bare, point, curve."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Key:
    """`der`: as SubjectPublicKeyInfo, by which it is compared and kept."""

    curve: str
    der: bytes
    public: ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class Register:
    """A reading in a record. `clock` is U, I, S or R (table 19); `value` is as signed, in `unit`."""

    at: datetime | None
    clock: str
    reason: str
    value: Decimal | None
    unit: str
    obis: str
    errors: str
    state: str

    @property
    def energy_wh(self) -> Decimal | None:
        """Energy taken, if it is a register of that."""
        factor = UNITS_WH.get(self.unit.lower())
        if self.value is None or factor is None or EXPORT.search(f":{self.obis}"):
            return None
        energy = self.value * factor
        return energy if abs(energy) < LARGEST_WH else None

    @property
    def step_wh(self) -> Decimal:
        """What its last decimal counts."""
        exponent = self.value.as_tuple().exponent if self.value is not None else 0
        step = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
        return step * UNITS_WH.get(self.unit.lower(), Decimal(1))


@dataclass(frozen=True, slots=True)
class Record:
    """A record of OCMF. `text`: the whole of it in plain, as transparency software wants it; `payload` what is signed."""

    text: str
    payload: str
    algorithm: str
    signature: bytes
    key: str
    pagination: str
    meter: str
    identified: bool
    id_type: str
    id: str
    readings: tuple[Register, ...]


# Reading


def plain(data: str) -> str:
    """The text of a record that came plain, in hex or in Base64. Raises Unreadable."""
    if len(data) > LONGEST:
        raise Unreadable(f"It has {len(data)} characters, which is more than anything that is signed.")
    text = data.strip()
    if not text.startswith("OCMF"):
        raw = _bytes(text)
        if raw is None:
            raise Unreadable("It is no OCMF: it neither begins with OCMF, nor is it hex or Base64.")
        try:
            text = raw.decode().strip()
        except UnicodeDecodeError:
            text = ""
    if not text.startswith("OCMF|"):
        raise Unreadable("It is no OCMF: a record begins with OCMF and a bar.")
    return text


def _bytes(text: str) -> bytes | None:
    """What hex or Base64 stands for, whitespace apart; None if it is neither."""
    compact = "".join(text.split())
    if HEX.match(compact):
        return bytes.fromhex(compact)
    if not BASE64.match(compact):
        return None
    body = compact.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except binascii.Error:
        return None


def read(data: str) -> Record:
    """A record with what it says. Raises Unreadable."""
    text = plain(data)
    sections = text.split("|")
    if len(sections) not in (3, 4):
        raise Unreadable("It is cut off, or has too many parts: a record is OCMF, what is signed and the signature.")
    payload, said = _object(sections[1], "what is signed"), _object(sections[2], "the signature")
    encoding = _text(said, "SE") or "hex"
    if (_text(said, "SM") or "application/x-der").lower() != "application/x-der":
        raise Unreadable("Its signature is in another form than DER.")
    raw = _bytes(_text(said, "SD", 2000))
    if raw is None or (encoding.lower() == "hex" and not HEX.match("".join(_text(said, "SD", 2000).split()))):
        raise Unreadable(f"Its signature cannot be read as {encoding[:20]}.")
    return Record(
        text=text,
        payload=sections[1],
        algorithm=_text(said, "SA") or DEFAULT_ALGORITHM,
        signature=raw,
        key=sections[3].strip() if len(sections) == 4 else "",
        pagination=_text(payload, "PG"),
        meter=_text(payload, "MS") or _text(payload, "GS"),
        identified=payload.get("IS") in (True, "true"),
        id_type=_text(payload, "IT"),
        id=_text(payload, "ID"),
        readings=_readings(payload.get("RD")),
    )


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _object(section: str, what: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("a name stands in it twice")
        return dict(pairs)

    try:
        found = json.loads(section, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=once)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise Unreadable(f"The part with {what} is no JSON: {str(error)[:100]}.") from None
    if not isinstance(found, dict):
        raise Unreadable(f"The part with {what} is no JSON object.")
    return found


def _text(values: dict[str, Any], name: str, most: int = 250) -> str:
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    # Escapes of JSON may say what no table holds.
    return str(value)[:most].replace("\x00", "").encode("utf-8", "replace").decode()


def _readings(listed: Any) -> tuple[Register, ...]:
    """What a reading leaves out is as in the one before it (OCMF, Readings)."""
    if not isinstance(listed, list) or not listed or len(listed) > MOST_READINGS:
        raise Unreadable("It has no readings, or too many.")
    found: list[Register] = []
    last: dict[str, Any] = {}
    for one in listed:
        if not isinstance(one, dict):
            raise Unreadable("One of its readings is no JSON object.")
        last = {name: value for name, value in last.items() if name not in ("RV", "CL")} | one
        at, clock = _moment(_text(last, "TM"))
        found.append(
            Register(
                at=at,
                clock=clock,
                reason=_text(last, "TX").strip(),
                value=_number(last.get("RV")),
                unit=_text(last, "RU"),
                obis=_text(last, "RI"),
                errors=_text(last, "EF"),
                state=_text(last, "ST"),
            )
        )
    return tuple(found)


def _moment(text: str) -> tuple[datetime | None, str]:
    parts = MOMENT.match(text.strip())
    if parts is None:
        return None, ""
    day, fraction, zone, clock = parts.groups()
    try:
        at = datetime.fromisoformat(f"{day}.{(fraction or '0').ljust(6, '0')}{'+00:00' if zone == 'Z' else zone}")
    except ValueError:
        return None, ""
    return at, clock or "U"


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 15 and len(number.as_tuple().digits) < 30 else None


# Keys


def read_key(text: str, curve: str = "") -> Key:
    """A public key as it is sent, printed or in a file: PEM; DER or a bare point in hex or Base64; or as OCPP wraps it
    (oca:base16:asn1:...). A bare point needs its `curve`. Raises BadKey.
    """
    if len(text) > LONGEST_KEY:
        raise BadKey("form")
    for _ in range(3):
        text = text.strip()
        if text.startswith("-----BEGIN"):
            return _loaded(text.encode(), pem=True)
        if text.startswith("oca:"):
            text = text.rpartition(":")[2]
        raw = _bytes(text.removeprefix("0x").replace(":", ""))
        if not raw or len(raw) < SHORTEST_KEY:
            raise BadKey("form")
        inner = raw.decode("ascii", "replace")
        if not inner.startswith(("oca:", "-----BEGIN")) and not (len(inner) > 90 and HEX.match(inner)):
            return _loaded(raw) if raw[0] == 0x30 else _point(raw, curve)
        text = inner
    raise BadKey("form")


def _loaded(raw: bytes, *, pem: bool = False) -> Key:
    try:
        public = serialization.load_pem_public_key(raw) if pem else serialization.load_der_public_key(raw)
    except UnsupportedAlgorithm:
        raise BadKey("curve") from None
    except (ValueError, TypeError):
        raise BadKey("cut") from None
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise BadKey("kind")
    return _key(public)


def _point(raw: bytes, curve: str) -> Key:
    kind = CURVES.get(curve.lower())
    if kind is None:
        raise BadKey("curve" if curve else "bare")
    size = (kind().key_size + 7) // 8
    try:
        return _key(ec.EllipticCurvePublicKey.from_encoded_point(kind(), b"\x04" + raw if len(raw) == 2 * size else raw))
    except ValueError:
        raise BadKey("point") from None


def _key(public: ec.EllipticCurvePublicKey) -> Key:
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Key(public.curve.name, der, public)


# Verifying


def curve_of(record: Record) -> str:
    """The curve that its signature names."""
    parts = record.algorithm.split("-")
    return parts[1] if len(parts) == 3 else ""


def check(record: Record, key: Key) -> tuple[Verdict, str]:
    """Whether the key signed the record: verified, wrong or unsupported, and why, in English; empty if it is verified."""
    kind, _, rest = record.algorithm.partition("-")
    name, _, digest = rest.rpartition("-")
    curve, made = CURVES.get(name.lower()), HASHES.get(digest.lower())
    if kind != "ECDSA" or curve is None or made is None:
        return Verdict.UNSUPPORTED, f"It is signed by {record.algorithm[:60]}, with which this system cannot calculate."
    if curve.name != key.curve:
        return Verdict.WRONG, f"It is signed with a key of the curve {name}; the meter's key is of {key.curve}."
    try:
        key.public.verify(record.signature, record.payload.encode(), ec.ECDSA(made()))
    except InvalidSignature:
        return Verdict.WRONG, "The signature was made with another key, or over another text: something was changed since."
    except (ValueError, UnsupportedAlgorithm) as error:
        return Verdict.UNSUPPORTED, f"The signature cannot be checked: {str(error)[:100]}."
    return Verdict.VERIFIED, ""
