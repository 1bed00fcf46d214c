"""What a knocking station says of itself, read from the HTTP request. Pure; who may come in is `stations.services.connections`."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from csms.ocpp.registry import PROTOCOLS
from csms.proxies import is_trusted
from csms.server.common import is_key
from stations.services.connections import Knock

PREFIX = "/ocpp/"
#: Of what a station said, so much is shown to an operator: headers, and characters of a name and of a value. Of a header that may
#: stand for a login only that it was there.
HEADERS, NAME_LENGTH, VALUE_LENGTH = 30, 40, 200
SECRET = re.compile(r"authorization|cookie|token|secret|password|api-?key", re.IGNORECASE)
MASK = "***"


def identity_of(raw_path: str) -> str:
    """The identity in an undecoded path: decoded once, without doubled or trailing slashes (open-ocpp#198).

    In the paths of other systems (/steve/websocket/CentralSystemService/ID) it is the last part.
    """
    rest = raw_path.split("?", 1)[0]
    at = f"{rest}/".find(PREFIX)
    rest = rest.strip("/").rpartition("/")[2] if at < 0 else rest[at + len(PREFIX) :]
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


def shown(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """What an operator may see of the headers: a bounded part, without what stands for a login. Of several the first."""
    found: dict[str, str] = {}
    for raw, value in headers:
        name = raw.decode("latin-1").lower()[:NAME_LENGTH]
        if len(found) >= HEADERS or name in found:
            continue
        text = value.decode("latin-1")
        if name == "authorization":
            text = f"{text.partition(' ')[0][:20]} {MASK}" if " " in text else MASK
        elif SECRET.search(name):
            text = MASK
        found[name] = text[:VALUE_LENGTH]
    return found


def faults_of(scope: Mapping[str, Any]) -> list[str]:
    """What is wrong with an HTTP request that was meant to be a WebSocket handshake (RFC 6455, 4.1). Empty: it was not meant so.

    Charger firmware omits the header Connection (lbbrhzn/ocpp#1984), and so do proxies that were not told to pass it on.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
    if not headers.keys() & {"sec-websocket-key", "sec-websocket-version"} and headers.get("upgrade", "").lower() != "websocket":
        return []
    faults = [] if scope["method"] == "GET" else [f"the method is {scope['method'][:20]}, not GET"]
    if "upgrade" not in [token.strip() for token in headers.get("connection", "").lower().split(",")]:
        faults.append('the header "Connection: Upgrade" is missing, or a proxy took it away')
    if not is_key(headers.get("sec-websocket-key", "")):
        faults.append("Sec-WebSocket-Key is missing, or is not 16 bytes in base64")
    if (version := headers.get("sec-websocket-version", "").strip()) != "13":
        faults.append(f"Sec-WebSocket-Version is {version[:20] or 'missing'}, not 13")
    return faults or ["its headers contradict each other"]


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
        headers=shown(scope["headers"]),
    )
