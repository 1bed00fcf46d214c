"""Firmware as stations fetch it, from both servers."""

import hashlib
import http.client
import os
import socket
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.files import tokens
from csms.files.firmware import TALLY_BYTES
from stations.models import Firmware, FirmwareUpdate, Station
from stations.services import firmware
from tests.firmware import made_image, made_update, update_of
from tests.network import Network
from tests.servers import Server, until

CONTENT = os.urandom(1024) * 600
#: The second kind of server in test-long only.
BOTH = pytest.mark.parametrize("server", ["uvicorn", pytest.param("daphne", marks=pytest.mark.long)], indirect=True)


class Fetch:
    """What a station gets for one request."""

    def __init__(self, server: Server, path: str, method: str = "GET", **headers: str) -> None:
        connection = http.client.HTTPConnection(urlsplit(server.http).netloc, timeout=30)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()
        connection.close()


@pytest.fixture
def station(network: Network) -> Station:
    return network.station(accepted=True, vendor="Acme", model="One", firmware_version="1.0")


@pytest.fixture
def image(network: Network) -> Firmware:
    return made_image(network.operator, content=CONTENT)


def given(station: Station, image: Firmware, **fields: object) -> str:
    """Where the station may fetch the image."""
    token, _hash = tokens.make()
    made_update(station, image, token=token, **fields)
    return f"/files/firmware/{token}/{image.name}"


def test_a_station_fetches_the_whole_file_and_is_seen_to(server: Server, station: Station, image: Firmware) -> None:
    path = given(station, image)
    head = Fetch(server, path, "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(CONTENT)))
    assert update_of(station).status == "sent"
    got = Fetch(server, path)
    assert (got.status, got.body) == (200, CONTENT)
    assert got.headers["ETag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert got.headers["Content-Disposition"] == f'attachment; filename="{image.name}"'
    assert (got.headers["Accept-Ranges"], got.headers["X-Content-Type-Options"]) == ("bytes", "nosniff")
    until(lambda: update_of(station).bytes_served == len(CONTENT))
    update = update_of(station)
    assert (update.status, update.steps[-1][1:]) == ("downloading", ["downloading", "Fetches the file"])


@BOTH
def test_a_station_whose_link_broke_fetches_the_rest(server: Server, station: Station, image: Firmware) -> None:
    path = given(station, image)
    etag = Fetch(server, path, "HEAD").headers["ETag"]
    rest = Fetch(server, path, range="bytes=1000-", if_range=etag)
    assert (rest.status, rest.body) == (206, CONTENT[1000:])
    assert rest.headers["Content-Range"] == f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}"
    part = Fetch(server, path, range="bytes=0-0")
    assert (part.status, part.body, part.headers["Content-Length"]) == (206, CONTENT[:1], "1")
    assert Fetch(server, path, range="bytes=5-", if_range='"of another file"').body == CONTENT
    beyond = Fetch(server, path, range=f"bytes={len(CONTENT)}-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")


@BOTH
def test_an_address_is_good_until_the_update_ends_or_it_expires(server: Server, station: Station, image: Firmware) -> None:
    now = timezone.now()
    ended = given(station, image, status="failed", finished_at=now)
    assert Fetch(server, ended).status == 410
    late = given(station, image, attempt=2, expires_at=now - timedelta(seconds=1))
    got = Fetch(server, late)
    assert (got.status, got.body) == (410, b"This address is good no more: its update has ended, or it took too long.\n")
    with scopes_disabled():
        FirmwareUpdate.objects.filter(station=station, finished_at=None).update(expires_at=now + timedelta(hours=1))
    # As often as the station needs; some write it in capitals, or under another name.
    token = late.split("/")[3]
    for path in (late, late, f"/files/firmware/{token.upper()}/{image.name}", f"/files/firmware/{token}/"):
        assert Fetch(server, path).body == CONTENT


@BOTH
def test_an_address_leads_to_its_file_and_nowhere_else(server: Server, station: Station, image: Firmware) -> None:
    path = given(station, image)
    token = path.split("/")[3]
    for wrong in (
        f"/files/firmware/{'0' * 40}/{image.name}",
        f"/files/firmware/{token[:-1]}/{image.name}",
        f"/files/firmware/{token}",
        f"/files/firmware/{token}/../{image.name}/x",
        f"/files/firmware/{token}/..%2f..%2f..%2fetc%2fpasswd",
        f"/files/firmware/..%2f..%2f{image.path}",
        f"/files/firmware//{image.name}",
        f"/files/firmware/%00/{image.name}",
        "/files/firmware/",
    ):
        assert Fetch(server, wrong).status == 404, wrong
    assert Fetch(server, f"/files/firmware/{token}/..").body in (CONTENT, b"There is no file at this address.\n")
    assert (Fetch(server, path, "POST").status, Fetch(server, path, "POST").headers["Allow"]) == (405, "GET, HEAD")
    # A name of ours that ALLOWED_HOSTS lacks is what stations in a network of their own use.
    assert Fetch(server, path, host="10.0.0.8").status == 200


def test_a_station_that_hangs_up_is_sent_no_more(server: Server, network: Network, station: Station) -> None:
    size = 12 * TALLY_BYTES
    path = given(station, made_image(network.operator, version="big", content=bytes(size)))
    with (
        socket.create_connection(("127.0.0.1", urlsplit(server.http).port or 0), timeout=30) as peer,
        peer.makefile("rb") as answer,
    ):
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert answer.read(15) == b"HTTP/1.1 200 OK"
        # Whole: a socket with a time-out gives what is there, whatever its flags say.
        assert len(answer.read(2 * TALLY_BYTES)) == 2 * TALLY_BYTES
    served = until(lambda: update_of(station).bytes_served)
    assert 0 < served < size


def test_of_what_is_taken_back_on_the_way_no_more_is_sent(server: Server, network: Network, station: Station) -> None:
    size = 12 * TALLY_BYTES
    path = given(station, made_image(network.operator, version="big", content=bytes(size)))
    where = ("127.0.0.1", urlsplit(server.http).port or 0)
    with socket.create_connection(where, timeout=30) as peer, peer.makefile("rb") as answer:
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        got = len(answer.read(2 * TALLY_BYTES))
        with scopes_disabled():
            assert firmware.cancel(update=update_of(station))
        # Broken off, so that half an image does not look like a whole one.
        with suppress(ConnectionResetError):
            while piece := answer.read1(TALLY_BYTES):
                got += len(piece)
    assert 2 * TALLY_BYTES <= got < size
    assert Fetch(server, path).status == 410


@BOTH
def test_a_file_that_is_gone_is_told_and_no_crash(server: Server, station: Station, image: Firmware) -> None:
    path = given(station, image)
    with scopes_disabled():
        Firmware.objects.filter(pk=image.pk).update(path=image.path[:-1] + ("0" if image.path[-1] != "0" else "1"))
    assert Fetch(server, path).status == 500
