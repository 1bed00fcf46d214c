"""One call: bounded in time and size whatever the other side does, and never to where only we can reach."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from csms.webhooks import sending
from csms.webhooks.sending import Sender, is_forbidden
from tests.webhooks import receiver as other
from tests.webhooks.receiver import answer, receiver


@pytest.fixture
def sender() -> Iterator[Sender]:
    found = Sender()
    yield found
    found.close()


def test_what_is_sent_arrives_as_it_is(sender: Sender) -> None:
    with receiver() as them:
        told = sender.send(them.url + "?key=1", b'{"id": "evt_1"}', {"Webhook-Id": "evt_1"})
        assert (told.code, told.body, told.error, told.taken) == (200, "thanks", "", True)
        (call,) = them.calls
        assert (call.path, call.body, call.headers["Webhook-Id"]) == ("/hook?key=1", b'{"id": "evt_1"}', "evt_1")
        assert call.headers["Content-Type"] == "application/json"


def test_a_connection_is_used_again(sender: Sender) -> None:
    ports = set()
    with receiver() as them:
        take = them.behaviour

        def behave(handler: object, call: other.Call) -> None:
            ports.add(handler.client_address)  # type: ignore[attr-defined]
            take(handler, call)  # type: ignore[arg-type]

        them.behaviour = behave
        assert all(sender.send(them.url, b"{}", {}).taken for _ in range(5))
    assert len(ports) == 1


@pytest.mark.parametrize("code", [201, 302, 400, 404, 410, 429, 500, 503])
def test_only_a_status_of_success_means_that_it_was_taken(sender: Sender, code: int) -> None:
    with receiver(answer(code, b"no", Location="/elsewhere")) as them:
        told = sender.send(them.url, b"{}", {})
        assert (told.code, told.body, told.taken) == (code, "no", code < 300)
        assert bool(told.error) is not told.taken
        # A redirect is not followed.
        assert [call.path for call in them.calls] == ["/hook"]


def test_of_a_body_that_never_ends_a_kilobyte_is_read(sender: Sender) -> None:
    with receiver(other.huge) as them:
        told = sender.send(them.url, b"{}", {})
        assert told.taken
        assert told.body == "x" * sending.BODY_BYTES


@contextmanager
def drips() -> Iterator[str]:
    with receiver(other.drip) as them:
        yield them.url


@pytest.mark.parametrize("address", [drips, other.handshakes_that_drip])
def test_what_comes_a_byte_at_a_time_is_ended(sender: Sender, monkeypatch: pytest.MonkeyPatch, address: Any) -> None:
    monkeypatch.setattr(sending, "WHOLE_S", 0.3)
    monkeypatch.setattr(sending, "CONNECT_S", 0.2)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            sender.abort_if_late(time.monotonic())

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    with address() as url:
        told = sender.send(url, b"{}", {})
    took = time.monotonic() - began
    ended.set()
    watcher.join()
    assert told.code is None
    assert told.error.startswith("No complete answer came within")
    assert took < 5


def test_an_answer_that_does_not_come_is_not_waited_for(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "READ_S", 0.2)
    with receiver() as them:
        them.behaviour = them.slow
        told = sender.send(them.url, b"{}", {})
        them.released.set()
    assert (told.code, told.error[:40]) == (None, "No complete answer came within 10 seconds"[:40])


def test_every_way_to_fail_has_a_sentence(sender: Sender) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert "nothing listens there" in sender.send(f"http://127.0.0.1:{port}/", b"{}", {}).error
    assert "name could not be resolved" in sender.send("http://nowhere.invalid/", b"{}", {}).error
    with receiver(other.hang_up) as them:
        assert "ended without an answer" in sender.send(them.url, b"{}", {}).error
        assert "TLS failed" in sender.send(them.url.replace("http:", "https:"), b"{}", {}).error


def test_what_asks_to_wait_is_heard(sender: Sender) -> None:
    with receiver(answer(429, Retry_After="120")) as them:
        assert sender.send(them.url, b"{}", {}).retry_after_s == 120
    with receiver(answer(503, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT")) as them:
        assert sender.send(them.url, b"{}", {}).retry_after_s == 0


# Where only we can reach


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1"),
        *("64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::ffff:10.0.0.1"),
    ],
)
def test_addresses_of_this_machine_and_of_private_networks_are_forbidden(address: str) -> None:
    assert is_forbidden(address)


@pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9", "64:ff9b::909:909"])
def test_public_addresses_are_not(address: str) -> None:
    assert not is_forbidden(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
def test_in_production_nothing_is_sent_to_this_machine(sender: Sender, settings: object, host: str) -> None:
    settings.WEBHOOK_PRIVATE = False  # type: ignore[attr-defined]
    with receiver() as them:
        told = sender.send(them.url.replace("127.0.0.1", host), b"{}", {})
        assert told.code is None
        assert "CSMS_WEBHOOK_PRIVATE=1 allows it" in told.error
        assert them.calls == []


def test_what_was_looked_at_is_what_is_connected_to(sender: Sender, settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is looked at, and ours a moment later (DNS rebinding)."""
    settings.WEBHOOK_PRIVATE = False  # type: ignore[attr-defined]
    asked, connected = [], []

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        address = "9.9.9.9" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(sending.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(sending.socket, "create_connection", connect)
    sender.send("http://rebind.example/", b"{}", {})
    assert (asked, connected) == (["rebind.example"], ["9.9.9.9"])
