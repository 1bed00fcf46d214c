"""What answers on the port: stations at /ocpp/ and /files/, live pages at /live/, and Django for the rest of HTTP."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms.settings")
django = get_asgi_application()  # sets Django up, before anything below imports a model

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from csms.files import firmware, uploads  # noqa: E402
from csms.live import LiveConsumer  # noqa: E402
from csms.ocpp.consumer import OCPPConsumer  # noqa: E402
from csms.ocpp.http import PAGES, is_for_stations, is_ocpp, refuse_http, refuse_path  # noqa: E402

station = OCPPConsumer.as_asgi()
page = AllowedHostsOriginValidator(AuthMiddlewareStack(LiveConsumer.as_asgi()))


async def websocket(scope: Any, receive: Any, send: Any) -> None:
    """Channels' URLRouter would copy the scope, and a station's consumer reads from it what the server writes (csms.pong)."""
    if is_ocpp(scope["path"]):
        # A station sends no cookie and no origin: it shows its credentials at the handshake.
        await station(scope, receive, send)
    elif scope["path"] == PAGES:
        await page(scope, receive, send)
    else:
        await refuse_path(scope, send)


async def http(scope: Any, receive: Any, send: Any) -> None:
    """Stations fetch and send files with a token of their own: no session, no CSRF, no body that is spooled to the disk first."""
    if scope["path"].startswith(uploads.PREFIX):
        await uploads.take(scope, receive, send)
    elif scope["path"].startswith("/files/firmware/"):
        await firmware.serve(scope, receive, send)
    elif is_for_stations(scope):
        await refuse_http(scope, send)
    else:
        await django(scope, receive, send)


application = ProtocolTypeRouter({"http": http, "websocket": websocket})
