"""What came for a station's socket and is none: plain HTTP at an OCPP address, a handshake that is broken, another path.

Answered here and not by Django, which would turn away whoever dials a name that ALLOWED_HOSTS has not, without a word to the
operator.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings

from csms.ocpp.gateway import gateway
from csms.ocpp.handshake import PREFIX, faults_of, knock_of
from stations.services.connections import Refused

NOT_WEBSOCKET = Refused(426, "not_a_websocket", "A plain HTTP request came where a WebSocket handshake was due.")
TLS_HERE = Refused(400, "tls_here", "It spoke TLS (wss://) to a port that speaks none, and so could not say who it is.")
#: What a browser's pages open, and nobody else.
PAGES = "/live/"

Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def is_ocpp(path: str) -> bool:
    """Whether stations dial it. A doubled slash is no matter."""
    return f"/{path.lstrip('/')}/".startswith(PREFIX)


def is_for_stations(scope: Scope) -> bool:
    """Whether an HTTP request was meant to be a station's handshake."""
    if is_ocpp(scope["path"]):
        return True
    return scope["path"] != PAGES and any(name == b"sec-websocket-key" for name, _ in scope["headers"])


async def refuse_http(scope: Scope, send: Send) -> None:
    """426 Upgrade Required, and a refusal the operator can read."""
    knock = knock_of(scope, settings.TRUSTED_PROXIES)
    if "csms.tls" in scope.get("extensions", {}):
        refused = TLS_HERE
    elif not is_ocpp(scope["path"]):
        refused = wrong_path(knock.path)
    elif faults := faults_of(scope):
        refused = Refused(426, "bad_handshake", "The WebSocket handshake is broken: " + "; ".join(faults) + ".")
    else:
        refused = NOT_WEBSOCKET
    gateway.turned_away(knock, refused)
    headers = [
        *((b"content-type", b"text/plain; charset=utf-8"), (b"upgrade", b"websocket"), (b"sec-websocket-version", b"13")),
        *((b"connection", b"close"), (b"content-length", b"%d" % len(NO_PAGE))),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else NO_PAGE})


NO_PAGE = b"An OCPP station connects by WebSocket, at /ocpp/<identity>.\n"


async def refuse_path(scope: Scope, send: Send) -> None:
    """A socket was asked for at an address that has none."""
    knock = knock_of(scope, settings.TRUSTED_PROXIES)
    gateway.turned_away(knock, wrong_path(knock.path))
    await send({"type": "websocket.http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "websocket.http.response.body", "body": b"No websocket here. Stations dial /ocpp/<identity>.\n"})


def wrong_path(path: str) -> Refused:
    return Refused(404, "wrong_path", f"It dialled {path[:200]}; here the address ends in /ocpp/<identity>.")
