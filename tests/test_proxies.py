"""Only a trusted proxy may say that a request came over TLS."""

import pytest
from django.http import HttpRequest, HttpResponse
from pytest_django.fixtures import Settings

from csms.proxies import BelieveTrustedProxies


@pytest.mark.parametrize(("address", "believed"), [("10.0.0.7", True), ("192.0.2.1", False), ("", False)])
def test_only_a_trusted_proxy_is_believed(address: str, believed: bool, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": address, "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    heard = []

    def view(request: HttpRequest) -> HttpResponse:
        heard.append(request.is_secure())
        return HttpResponse()

    BelieveTrustedProxies(view)(request)
    assert heard == [believed]
    assert ("HTTP_X_FORWARDED_FOR" in request.META) is believed
