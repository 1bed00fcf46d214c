"""What a knocking station says of itself, read from the HTTP request. Pure; who may come in is `stations.services.connections`."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from csms.ocpp.registry import PROTOCOLS
from csms.proxies import is_trusted
from stations.services.connections import Knock

PREFIX = "/ocpp/"
#: Headers worth showing to an operator; credentials never are.
SHOWN = (
    "host",
    "user-agent",
    "origin",
    "upgrade",
    "connection",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "x-forwarded-for",
)


def identity_of(raw_path: str) -> str:
    """The identity in an undecoded path: decoded once, without doubled or trailing slashes (open-ocpp#198)."""
    rest = raw_path.split("?", 1)[0]
    rest = rest[rest.find(PREFIX) + len(PREFIX) :] if PREFIX in rest else rest
    # By way of bytes, since some stations encode their letters as UTF-8 but not as percents.
    return unquote_to_bytes(rest.strip("/").encode("latin-1", "replace")).decode(errors="replace")


def protocol_of(offered: Iterable[str]) -> str:
    """The sub-protocol to speak: the station's first that we speak, since it lists by preference. "" if there is none."""
    return next((name for name in offered if name in PROTOCOLS), "")


def credentials_of(header: bytes | None) -> tuple[bytes, bytes] | None:
    """User and password of an HTTP Basic header, as bytes: passwords of 1.6 may be any bytes. None if there are none."""
    if header is None or header[:6].lower() != b"basic ":
        return None
    try:
        decoded = base64.b64decode(header[6:].strip(), validate=True)
    except binascii.Error:
        return None
    user, colon, password = decoded.partition(b":")
    return (user, password) if colon else None


def _proxys_word(scope: Mapping[str, Any], header: bytes) -> str:
    """The last value of the last header of this name: what the proxy added. All others may be the client's invention."""
    every = [value for name, value in scope["headers"] if name == header]
    return str(every[-1].decode("latin-1").split(",")[-1].strip()) if every else ""


def knock_of(scope: Mapping[str, Any], trusted: Sequence[str]) -> Knock:
    """The knock of an ASGI scope (websocket or http)."""
    headers = {name.decode("latin-1"): value for name, value in reversed(scope["headers"])}
    address = str((scope.get("client") or ("",))[0])
    secure = scope.get("scheme") in ("wss", "https")
    if is_trusted(address, trusted):
        address = _proxys_word(scope, b"x-forwarded-for")[:100] or address
        secure = _proxys_word(scope, b"x-forwarded-proto").lower() in ("https", "wss")
    raw_path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    offered = [name.strip()[:40] for name in scope.get("subprotocols", [])][:20]
    return Knock(
        identity=identity_of(raw_path),
        credentials=credentials_of(headers.get("authorization")),
        protocol=(protocol := protocol_of(offered)),
        any_password_form=protocol in ("", "ocpp1.6"),
        offered=tuple(offered),
        address=address,
        secure=secure,
        path=raw_path[:300],
        headers={name: headers[name].decode("latin-1")[:200] for name in SHOWN if name in headers},
    )
