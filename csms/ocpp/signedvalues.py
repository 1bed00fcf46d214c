"""What meters signed, as messages carry it (SignedMeterValueType of OCPP 2.0.1; the same in a value of 1.6).

The data is kept as it was sent, to the byte: a signature over anything else is none. What it says is read elsewhere, later.
"""

import base64
import binascii
from typing import Any

import orjson

from stations.domain.values import Note, Severity, Signed

#: The longest that is kept: what OCPP 2.1 allows; 2.0.1 says 2500, 1.6 nothing.
LONGEST = 32_768
LONGEST_KEY, LONGEST_WORD = 2500, 50
#: Under this vendor's name of ours the whole of data waits that is longer than the schema of 2.0.1 allows.
WHOLE = "signedMeterData beyond 2500 characters"


def read(one: dict[str, Any], subject: str, notes: list[Note]) -> Signed | None:
    """The fields of a SignedMeterValueType, of which a station may leave out all but the data. None: nothing that can be kept."""
    data = one.get("signedMeterData")
    custom = one.get("customData")
    if isinstance(custom, dict) and custom.get("vendorId") == WHOLE:
        data = custom.get("signedMeterData", data)
    if not isinstance(data, str) or not data.strip():
        return None
    if len(data) > LONGEST:
        detail = f"What the meter signed has {len(data)} characters, more than the {LONGEST} that are kept."
        notes.append(Note("signed_too_long", f"{subject}.signedMeterData", detail, Severity.WARNING))
        return None
    method, encoding, key = (str(one.get(name) or "") for name in ("signingMethod", "encodingMethod", "publicKey"))
    # A key that was cut is none.
    return Signed(data, method[:LONGEST_WORD], encoding[:LONGEST_WORD], key if len(key) <= LONGEST_KEY else "")


def unwrap(value: str, subject: str, notes: list[Note]) -> Signed | None:
    """A value of the format SignedData: bare, or the fields of a SignedMeterValueType as JSON, perhaps in Base64."""
    fields = _object(value) or _object(_decoded(value)) if len(value) <= 2 * LONGEST else None
    if fields is not None and "signedMeterData" in fields:
        return read(fields, subject, notes)
    return read({"signedMeterData": value}, subject, notes)


def _object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _decoded(text: str) -> str:
    """What Base64 of JSON says; empty if it is none."""
    if not text.lstrip().startswith("ey"):  # "{" and a quote, in Base64
        return ""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
