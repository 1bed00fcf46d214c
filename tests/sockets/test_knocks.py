"""Whatever knocks and is turned away is seen by the operator with what it said: other paths, broken handshakes, passwords. On both
servers."""

import asyncio
import http.client
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from stations.credentials import matches
from stations.models import Refusal
from tests.network import PASSWORD, Network
from tests.peer import basic, refusal, station
from tests.servers import Server, until
from tests.sockets.test_refusals import refusals, the_refusal

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="


async def dialled(server: Server, path: str, *, without: tuple[str, ...] = (), more: tuple[str, ...] = ()) -> bytes:
    """The status line of the answer to a handshake that lacks some headers, once the server has ended it."""
    lines = ["Host: csms.example", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", KEY]
    kept = [line for line in lines if line not in without]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write("\r\n".join([f"GET {path} HTTP/1.1", *kept, *more, "", ""]).encode())
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answer.split(b"\r\n")[0]


@pytest.mark.parametrize("path", ["/steve/websocket/CentralSystemService/{}", "/{}", "/OCPP/{}", "/ocpp1.6/{}/"])
async def test_a_socket_at_another_path_is_seen(server: Server, network: Network, path: str) -> None:
    known = network.station()
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://127.0.0.1:{server.port}{path.format(known.identity)}", subprotocols=["ocpp1.6"], proxy=None):  # type: ignore[list-item]
            pass
    assert refused.value.response.status_code == 404
    kept = the_refusal(known.identity)
    assert (kept.reason, kept.operator_id, kept.subprotocols) == ("wrong_path", network.operator.pk, "ocpp1.6")
    assert (kept.path, kept.path in kept.detail) == (path.format(known.identity), True)


@pytest.mark.parametrize(
    ("without", "more", "what"),
    [
        (("Connection: Upgrade",), (), '"Connection: Upgrade" is missing'),
        (("Connection: Upgrade",), ("Connection: keep-alive",), '"Connection: Upgrade" is missing'),
        (("Connection: Upgrade", "Upgrade: websocket"), (), '"Connection: Upgrade" is missing'),
        ((KEY,), (), "Sec-WebSocket-Key is missing"),
        ((KEY,), ("Sec-WebSocket-Key: short",), "Sec-WebSocket-Key is missing, or is not 16 bytes"),
        (("Sec-WebSocket-Version: 13",), ("Sec-WebSocket-Version: 8",), "Sec-WebSocket-Version is 8, not 13"),
    ],
)
async def test_a_broken_handshake_is_seen_with_what_is_broken(
    server: Server, network: Network, without: tuple[str, ...], more: tuple[str, ...], what: str
) -> None:
    """Charger firmware that omits a header (lbbrhzn/ocpp#1984), and proxies that do not pass it on."""
    known = network.station()
    assert (await dialled(server, f"/ocpp/{known.identity}", without=without, more=more)).split()[1] == b"426"
    kept = the_refusal(known.identity)
    assert (kept.reason, kept.operator_id) == ("bad_handshake", network.operator.pk)
    assert what in kept.detail


async def test_an_address_without_identity_is_seen(server: Server, network: Network) -> None:
    agent = f"Charger {network.tag}"
    for path in ("/ocpp", "/ocpp/", "//ocpp//"):
        assert (await dialled(server, path, more=(f"User-Agent: {agent}",))).split()[1] == b"404", path
    found = until(lambda: [one for one in refusals("") if one.reason == "no_identity" and one.headers.get("user-agent") == agent])
    assert len(found) == 1


async def test_tls_at_a_port_that_speaks_none_is_seen(server: Server, network: Network) -> None:
    before = sum(one.count for one in refusals("") if one.reason == "tls_here")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))
    assert (await asyncio.wait_for(reader.read(), 30)).startswith(b"HTTP/1.1 400")
    writer.close()
    until(lambda: sum(one.count for one in refusals("") if one.reason == "tls_here") > before)


async def test_doubled_slashes_are_no_matter(server: Server, network: Network) -> None:
    known = network.station()
    for path in ("//ocpp//", "/ocpp//"):
        address = f"ws://127.0.0.1:{server.port}{path}{known.identity}//"
        async with station(server.ocpp, known, address=address) as peer:
            assert (await peer.boot())["status"] == "Accepted"


def test_plain_http_is_seen_by_whatever_name_it_came(server: Server, network: Network) -> None:
    known = network.station()
    client = http.client.HTTPConnection("127.0.0.1", server.port)
    client.request("POST", f"/ocpp/{known.identity}", body=b"<soap/>", headers={"Host": "no-name-of-ours.example"})
    assert client.getresponse().status == 426
    client.close()
    kept = the_refusal(known.identity)
    assert (kept.reason, kept.headers["host"]) == ("not_a_websocket", "no-name-of-ours.example")


async def test_the_password_that_was_sent_is_kept_as_a_hash_and_its_header_masked(server: Server, network: Network) -> None:
    identity = f"{network.prefix}-NEW"
    headers = basic(identity) | {"Cookie": "session=secret-cookie", "X-Api-Key": "secret-key", "User-Agent": "Acme/1.0"}
    assert (await refusal(server.ocpp, identity, headers=headers)).status_code == 404
    kept = the_refusal(identity)
    shown = {name: kept.headers[name] for name in ("authorization", "cookie", "x-api-key", "user-agent")}
    assert shown == {"authorization": "Basic ***", "cookie": "***", "x-api-key": "***", "user-agent": "Acme/1.0"}
    assert (kept.sent, kept.secure, kept.subprotocols) == ("good", False, "ocpp1.6")
    assert matches(kept.sent_hash, PASSWORD.encode(), any_form=True)
    assert PASSWORD not in whole(kept)
    assert "secret" not in whole(kept)


async def test_what_cannot_be_a_password_is_told_and_no_hash_is_kept(server: Server, network: Network) -> None:
    for sent, password in {"short": "too-short", "long": "x" * 41, "odd": b"\xff" * 30, "nothing": ""}.items():
        identity = f"{network.prefix}-{sent}"
        await refusal(server.ocpp, identity, headers=basic(identity, password))
        assert (the_refusal(identity).sent, the_refusal(identity).sent_hash) == (sent, "")
    # Under another user name it would be turned away all the same.
    await refusal(server.ocpp, f"{network.prefix}-X", headers=basic("Y"))
    assert (the_refusal(f"{network.prefix}-X").sent_hash) == ""


async def test_what_is_kept_of_a_knock_is_bounded(server: Server, network: Network) -> None:
    identity = f"{network.prefix}-{'x' * 300}"
    headers = {f"X-Header-{number}": "y" * 300 for number in range(40)}
    await refusal(server.ocpp, identity, headers=headers)
    kept = the_refusal(identity[:255])
    assert len(kept.headers) == 30
    assert {len(value) for name, value in kept.headers.items() if name.startswith("x-header")} == {200}
    assert len(kept.path) == 300


def whole(kept: Refusal) -> str:
    return json.dumps({field.attname: str(getattr(kept, field.attname)) for field in Refusal._meta.concrete_fields})
