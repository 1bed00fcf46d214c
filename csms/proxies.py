"""Who may speak for a client: only the proxies of CSMS_TRUSTED_PROXIES. What anybody else says of itself is not heard."""

import ipaddress
from collections.abc import Callable, Sequence

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

FORWARDED = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT", "HTTP_FORWARDED")


def is_trusted(address: str, trusted: Sequence[str]) -> bool:
    """Whether this peer may speak for its client: `trusted` holds addresses and networks."""
    try:
        peer = ipaddress.ip_address(address)
        # A socket for both kinds of addresses shows IPv4 as ::ffff:192.0.2.1.
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return any(peer in ipaddress.ip_network(network, strict=False) for network in trusted)
    except ValueError:
        return False


class BelieveTrustedProxies:
    """Takes the forwarding headers off requests that no trusted proxy sent, before anything looks at them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_trusted(request.META.get("REMOTE_ADDR", ""), settings.TRUSTED_PROXIES):
            for name in FORWARDED:
                request.META.pop(name, None)
        return self.get_response(request)
