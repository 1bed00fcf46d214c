"""The proxy's configuration, run by a real nginx in front of two web processes."""

import datetime
import http.client
import os
import shutil
import socket
import ssl
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from django.conf import settings
from django_scopes import scopes_disabled

from stations.models import Refusal
from tests.database import tables
from tests.network import Network
from tests.peer import ago, basic, refusal, station
from tests.servers import Server, until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(NGINX is None, reason="No nginx: install one, on Debian with `apt-get install nginx-light`."),
]
DEPLOY = Path(settings.BASE_DIR) / "deploy"


class Proxy:
    """nginx with a TLS and a plain port, in front of servers."""

    def __init__(self, folder: Path, *upstreams: Server) -> None:
        self.folder = folder
        self.port, self.plain_port = free_port(), free_port()
        certify(folder)
        values = {
            # As if one name resolved to several addresses.
            "CSMS_UPSTREAM": " max_fails=0; server ".join(f"127.0.0.1:{upstream.port}" for upstream in upstreams),
            "CSMS_PORT": f"127.0.0.1:{self.port}",
            "CSMS_PLAIN_PORT": f"127.0.0.1:{self.plain_port}",
            "CSMS_CERTIFICATES": str(folder),
            "CSMS_COMMON": str(DEPLOY / "nginx-common.conf"),
        }
        site = string.Template((DEPLOY / "nginx.conf.template").read_text()).safe_substitute(values)
        temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log warn;\n"
            f"events {{ worker_connections 512; }}\nhttp {{ access_log off;\n{temporary}\n{site}\n}}\n"
        )
        assert NGINX is not None
        command = [NGINX, "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
        self.process = subprocess.Popen(command)
        until(lambda: self.process.poll() is not None or answers(self.port))
        assert self.process.poll() is None, (folder / "error.log").read_text()

    @property
    def trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.load_verify_locations(self.folder / "ecdsa.pem")
        return context

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def certify(folder: Path) -> None:
    """Self-signed certificates for localhost, of both kinds that OCPP demands."""
    keys = {"ecdsa": ec.generate_private_key(ec.SECP256R1()), "rsa": rsa.generate_private_key(65537, 2048)}
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    for kind, key in keys.items():
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        certificate = builder.sign(key, hashes.SHA256())
        (folder / f"{kind}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / f"{kind}.key").write_bytes(private)


@pytest.fixture(scope="module")
def proxy(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    serving = Server("uvicorn", "--processes", "2", CSMS_TRUSTED_PROXIES="127.0.0.1")
    started = Proxy(tmp_path_factory.mktemp("nginx"), serving)
    yield started
    started.stop()
    serving.stop()


async def test_a_station_that_must_use_tls_charges_through_the_proxy(proxy: Proxy, network: Network) -> None:
    known = network.station(security_profile=2, identity=f"{network.prefix} a/b")
    network.token("CARD")
    address = f"wss://localhost:{proxy.port}/ocpp/{quote(known.identity, safe='')}"
    async with station("", known, address=address, ssl=proxy.trust) as peer:
        assert (await peer.boot())["status"] == "Accepted"
        transaction = await peer.start("CARD", at=ago(60))
        await peer.stop(transaction, 3000)
    (charged,) = network.transactions(known)
    assert charged.energy_wh == 2000


async def test_the_same_station_is_refused_without_tls_whatever_it_says_of_itself(proxy: Proxy, network: Network) -> None:
    known = network.station(security_profile=2)
    lies = basic(known.identity) | {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    response = await refusal(f"ws://localhost:{proxy.plain_port}/ocpp", known, headers=lies)
    assert response.status_code == 401
    (kept,) = until(lambda: refusals(known.identity))
    assert (kept.reason, kept.address) == ("tls_required", "127.0.0.1")


async def test_a_station_of_profile_1_may_come_without_tls(proxy: Proxy, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(f"ws://localhost:{proxy.plain_port}/ocpp", known) as peer:
        assert "currentTime" in await peer.call("Heartbeat", {})


def test_people_get_their_pages_over_tls(proxy: Proxy) -> None:
    client = http.client.HTTPSConnection("localhost", proxy.port, context=proxy.trust)
    client.request("GET", "/login/")
    response = client.getresponse()
    assert response.status == 200
    assert b"<form" in response.read()


@pytest.mark.parametrize(("path", "status"), [("/metrics", 404), ("/metrics?x", 404), ("/healthz", 200)])
def test_the_world_does_not_see_the_metrics(proxy: Proxy, path: str, status: int) -> None:
    client = http.client.HTTPSConnection("localhost", proxy.port, context=proxy.trust)
    client.request("GET", path)
    assert client.getresponse().status == status


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256", "AES256-GCM-SHA384"])
def test_the_suites_that_stations_may_insist_on_are_spoken(proxy: Proxy, suite: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    with (
        socket.create_connection(("127.0.0.1", proxy.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        chosen = secure.cipher()
        assert chosen is not None
        assert chosen[0] == suite


@tables
def refusals(identity: str) -> list[Refusal]:
    with scopes_disabled():
        return list(Refusal.objects.filter(identity=identity))
