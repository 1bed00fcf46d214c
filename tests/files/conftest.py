"""Logs that are awaited, and what comes to their addresses."""

import http.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from django_scopes import scope, scopes_disabled

from csms.files import storage
from stations.models import LogUpload, Station
from stations.services import diagnostics
from tests.database import tables
from tests.network import Network
from tests.servers import Server


@dataclass
class Awaited:
    """A log that a station was asked for. `path` is that of its one-time address."""

    upload: LogUpload
    path: str

    @property
    @tables
    def now(self) -> LogUpload:
        with scopes_disabled():
            return LogUpload.objects.get(pk=self.upload.pk)

    @property
    def content(self) -> bytes:
        return b"".join(storage.pieces(self.now.path))


@pytest.fixture
def awaited(network: Network) -> Callable[..., Awaited]:
    @tables
    def ask(station: Station | None = None, **options: Any) -> Awaited:
        station = station or network.station(accepted=True)
        with scope(operator=station.operator):
            upload = diagnostics.request_log(station=station, **options)
        assert upload.command is not None
        return Awaited(upload, urlsplit(upload.command.params["location"]).path)

    return ask


def send(
    server: Server, method: str, path: str, body: bytes | Iterable[bytes] = b"", **headers: str
) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of the answer. An iterable is sent in chunks."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = line.getresponse()
        return answer.status, answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        line.close()
