"""How a socket begins, on both servers."""

import pytest
from websockets.exceptions import InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.server.conftest import HANDSHAKE, Running, ended_by_peer, until


@pytest.mark.parametrize("status", [401, 404, 429, 503])
async def test_a_refusal_has_its_status_headers_and_body(shared: Running, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await shared.connect(f"/deny?status={status}")
    response = refused.value.response
    assert response.status_code == status
    assert response.headers["www-authenticate"] == 'Basic realm="OCPP"'
    assert response.body == b"No, because."


async def test_a_close_before_the_accept_is_a_403(shared: Running) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await shared.connect("/refuse")
    assert refused.value.response.status_code == 403


async def test_an_application_that_fails_before_it_accepts_is_a_500(shared: Running) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await shared.connect("/crash")
    assert refused.value.response.status_code == 500


async def test_the_first_common_sub_protocol_is_named(shared: Running) -> None:
    async with shared.connect("/echo", subprotocols=["ocpp2.0.1", "ocpp1.6"]) as peer:
        assert peer.subprotocol == "ocpp2.0.1"


async def test_without_a_common_sub_protocol_the_handshake_succeeds_and_the_close_follows(shared: Running) -> None:
    async with shared.connect("/close?code=1002&reason=no+common+sub-protocol", subprotocols=["ocpp9"]) as peer:
        assert peer.subprotocol is None
        assert await ended_by_peer(peer) == (1002, "no common sub-protocol")


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (None, None),
        ("permessage-deflate", {"server_max_window_bits": "12"}),
        ("permessage-deflate; client_max_window_bits", {"server_max_window_bits": "12", "client_max_window_bits": "12"}),
        ("permessage-deflate; client_max_window_bits=10", {"server_max_window_bits": "12", "client_max_window_bits": "10"}),
        ("permessage-deflate; server_max_window_bits=10", {"server_max_window_bits": "10"}),
        (
            "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
            {"server_max_window_bits": "12", "client_no_context_takeover": True, "server_no_context_takeover": True},
        ),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; unheard_of", None),
        ("x-something-else, permessage-deflate; server_no_context_takeover", {"server_no_context_takeover": True}),
    ],
)
def test_compression_is_agreed_on_with_a_small_window(shared: Running, offer: str | None, answer: dict[str, object] | None) -> None:
    request = HANDSHAKE.format(path="/echo")
    if offer:
        request = request.replace("Upgrade\n", f"Upgrade\nSec-WebSocket-Extensions: {offer}\n", 1)
    with shared.raw(request) as sock:
        head = sock.recv(4096).decode().lower()
    assert head.startswith("http/1.1 101"), head
    agreed = [line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("sec-websocket-extensions")]
    if answer is None:
        assert agreed == []
        return
    extension, *parameters = (part.strip() for part in agreed[0].split(";"))
    assert extension == "permessage-deflate"
    got = {key: value or True for key, _, value in (parameter.partition("=") for parameter in parameters)}
    # A server may say how small its own window is, or keep quiet about it: smaller is always understood.
    assert {"server_max_window_bits": "12", **got} == {"server_max_window_bits": "12", **answer}


@pytest.mark.parametrize("without_takeover", [True, False])
async def test_compressed_messages_arrive_both_ways(shared: Running, without_takeover: bool) -> None:
    deflate = ClientPerMessageDeflateFactory(
        server_no_context_takeover=without_takeover, client_no_context_takeover=without_takeover, client_max_window_bits=True
    )
    async with shared.connect("/echo", extensions=[deflate]) as peer:
        for number in range(5):
            for message in (f"{number} " + '{"value": 1}' * 1000, "", b"\0" * 70_000, "é€😀"):
                await peer.send(message)
                assert await peer.recv() == message


async def test_an_application_that_does_not_answer_the_handshake_costs_a_503(start) -> None:
    running = start(HANDSHAKE_S="0.2")
    with pytest.raises(InvalidStatus) as refused:
        await running.connect("/late")
    assert refused.value.response.status_code == 503
    until(lambda: running.seen("disconnects") == [1006])


def test_an_upgrade_without_connection_upgrade_reaches_the_view(shared: Running) -> None:
    """Seen in the firmware of a charger: without it, `Upgrade` asks for nothing (RFC 9110, 7.8)."""
    with shared.raw(HANDSHAKE.format(path="/ocpp").replace("Connection: Upgrade", "Connection: keep-alive")) as sock:
        assert sock.recv(4096).startswith(b"HTTP/1.1 426")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n", ""),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Key: short"),
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 99"),
        ("GET", "POST"),
    ],
)
def test_a_broken_handshake_is_refused_and_ended(shared: Running, old: str, new: str) -> None:
    with shared.raw(HANDSHAKE.format(path="/echo").replace(old, new)) as sock:
        answer = sock.recv(4096)
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 405", b"HTTP/1.1 426")), answer
        while sock.recv(4096):
            pass


async def test_nobody_outside_says_where_we_are_mounted(shared: Running) -> None:
    async with shared.connect("/echo", additional_headers={"Daphne-Root-Path": "/elsewhere"}) as peer:
        await peer.send("here")
        assert await peer.recv() == "here"
