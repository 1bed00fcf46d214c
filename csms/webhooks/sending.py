"""One POST to an address that somebody else chose: bounded in time and size, and never to where only we can reach."""

import contextlib
import http.cookiejar
import ipaddress
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

CONNECT_S, READ_S = 5.0, 10.0
#: From the first byte to the last, whatever the address does in between.
WHOLE_S = 10.0
#: Of an answer no more than this is read.
BODY_BYTES = 1024
LONGEST_ERROR = 300
#: Of a host with many addresses, so many are tried.
MOST_ADDRESSES = 2
#: Addresses of IPv6 that stand for one of IPv4 behind a gateway.
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(OSError):
    """The address is not to be called."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt. `code` None: no answer, for the reason in `error`. `retry_after_s`: it asked us to wait so long."""

    code: int | None
    body: str
    ms: int
    error: str
    retry_after_s: int = 0

    @property
    def taken(self) -> bool:
        return self.code is not None and 200 <= self.code < 300


def is_forbidden(host: str) -> bool:
    """Whether this address (digits, not a name) is of this machine, of a private network, or of nobody."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            address = address.ipv4_mapped
        elif address.sixtofour:
            address = address.sixtofour
        elif address in NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return not address.is_global or address.is_multicast


def allowed(host: str, port: int) -> list[str]:
    """The addresses of a host that may be called. Raises Forbidden if there are none."""
    found = list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    if settings.WEBHOOK_PRIVATE:
        return found
    good = [address for address in found if not is_forbidden(address)]
    if not good:
        raise Forbidden(f"{host} is {found[0]}, an address of this machine or of a private network, which is not called.")
    return good


class _Looking:
    """Mixed into the connections: what is looked at is what is connected to, so that a name cannot change in between."""

    def _new_conn(self: Any) -> socket.socket:
        error: Exception | None = None
        for address in allowed(self._dns_host, self.port)[:MOST_ADDRESSES]:
            try:
                sock = socket.create_connection((address, self.port), self.timeout)
            except TimeoutError as failed:
                error = urllib3.exceptions.ConnectTimeoutError(self, str(failed))
            except OSError as failed:
                error = failed
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
        raise error or OSError("no address")

    def connect(self: Any) -> None:
        super().connect()  # type: ignore[misc]
        _here.sender.sock = self.sock


class _Http(_Looking, HTTPConnection):
    pass


class _Https(_Looking, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


_here = threading.local()


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """There is none: to find the next address, the whole body would be read first."""


class Sender:
    """Sends one after the other, on one thread, over one connection as long as it is kept. `abort` is for another thread."""

    def __init__(self) -> None:
        self.session = _Session()
        # Nothing of our own environment: no proxy, no netrc; and no cookies.
        self.session.trust_env = False
        self.session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _Adapter(pool_connections=1, pool_maxsize=1, max_retries=0))
        self.session.headers = {  # type: ignore[assignment]  # any mapping will do
            "User-Agent": "csms-webhooks/1",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
        }
        self.sock: socket.socket | None = None
        #: When the attempt under way is over (monotonic seconds).
        self.until: float | None = None
        self.late = False

    def send(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        _here.sender = self
        began = time.monotonic()
        self.late, self.until = False, began + CONNECT_S + WHOLE_S
        try:
            with self.session.post(
                url, data=body, headers=headers, timeout=(CONNECT_S, READ_S), allow_redirects=False, stream=True
            ) as response:
                if self.late:
                    # What came until it was ended would be taken for the whole head.
                    raise requests.ReadTimeout
                code, text = response.status_code, _beginning(response)
                error, wait_s = _refusal(response), _wait_s(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as failed:
            return Answer(None, "", _ms(began), self._words(failed)[:LONGEST_ERROR])
        finally:
            self.until = None
        return Answer(code, text, _ms(began), error, wait_s)

    def abort_if_late(self, now: float) -> None:
        """End an attempt that takes too long, however busy it looks: an answer may come a byte at a time."""
        if self.until is not None and now > self.until:
            self.abort()

    def abort(self) -> None:
        if self.until is not None and self.sock is not None:
            self.late = True
            with contextlib.suppress(OSError):
                # The plain one: that of TLS would first do things to the connection that belong to the other thread.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        self.session.close()

    def _words(self, error: BaseException) -> str:
        """Cause and remedy, in a sentence for the log."""
        if self.late or isinstance(error, requests.ReadTimeout):
            return f"No complete answer came within {WHOLE_S:.0f} seconds. Answer first, and do the work after."
        if isinstance(error, requests.ConnectTimeout):
            return f"It could not be connected to within {CONNECT_S:.0f} seconds. Is it up, and does a firewall let us in?"
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, Forbidden):
                return f"{cause} CSMS_WEBHOOK_PRIVATE=1 allows it."
            if isinstance(cause, socket.gaierror):
                return "Its name could not be resolved. Check the host in the address."
            if isinstance(cause, ConnectionRefusedError):
                return "The connection was refused: nothing listens there."
            if isinstance(cause, requests.exceptions.SSLError):
                return f"TLS failed: {cause.args[0] if cause.args else cause}"
            reason = getattr(cause, "reason", None) or next((a for a in cause.args if isinstance(a, BaseException)), None)
            cause = reason if isinstance(reason, BaseException) else cause.__cause__ or cause.__context__
        if isinstance(error, requests.ConnectionError):
            return f"The connection ended without an answer ({type(error).__name__})."
        return f"{type(error).__name__}: {error}"


def _beginning(response: requests.Response) -> str:
    """The answer counts as soon as its head is there; of the body, what can be had."""
    try:
        body = response.raw.read(BODY_BYTES, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError):
        body = b""
    return body.decode("utf-8", "replace").replace("\x00", "")


def _refusal(response: requests.Response) -> str:
    code = response.status_code
    if 200 <= code < 300:
        return ""
    if 300 <= code < 400:
        return f"It answered {code}: redirects are not followed. Set the address to the one it redirects to."
    if code == 410:
        return "It answered 410 (gone): nobody wants this any more."
    return f"It answered {code}; only 200 to 299 mean that it was taken."


def _wait_s(response: requests.Response) -> int:
    text = response.headers.get("Retry-After", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
