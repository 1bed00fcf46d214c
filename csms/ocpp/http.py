"""A plain HTTP request at an OCPP address."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from csms.ocpp.gateway import gateway
from csms.ocpp.handshake import knock_of
from stations.services.connections import Refused

NOT_WEBSOCKET = Refused(426, "not_a_websocket", "A plain HTTP request came where a WebSocket handshake was due.")


async def refuse_plain_http(request: HttpRequest, identity: str = "") -> HttpResponse:
    """426 Upgrade Required, and a refusal the operator can read."""
    scope: Any = request.scope if hasattr(request, "scope") else None
    if scope is not None:
        gateway.turned_away(knock_of(scope, settings.TRUSTED_PROXIES), NOT_WEBSOCKET)
    response = HttpResponse("An OCPP station connects here by WebSocket.\n", status=426, content_type="text/plain; charset=utf-8")
    response["Upgrade"] = "websocket"
    response["Connection"] = "Upgrade"
    return response
