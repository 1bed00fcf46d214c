"""Whoever is turned away hears why as HTTP says it, and the operator reads why in words. On both servers."""

import asyncio
import base64
import http.client
from urllib.parse import quote

from django_scopes import scopes_disabled

from stations.models import Refusal
from stations.services import registry
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.peer import basic, refusal, station
from tests.servers import Server, until


@tables
def refusals(identity: str) -> list[Refusal]:
    with scopes_disabled():
        return list(Refusal.objects.filter(identity=identity))


def the_refusal(identity: str) -> Refusal:
    """The one refusal of an identity, once it is written."""
    (found,) = until(lambda: refusals(identity))
    return found


async def test_an_unknown_station_gets_404(server: Server, network: Network) -> None:
    response = await refusal(server.ocpp, f"{network.prefix}-nobody")
    assert response.status_code == 404
    kept = the_refusal(f"{network.prefix}-nobody")
    assert kept.reason == "unknown_station"
    assert "No station with this identity" in kept.detail
    assert kept.headers["authorization"] == "Basic ***"


async def test_a_wrong_password_gets_401_and_the_operator_reads_it(server: Server, network: Network) -> None:
    known = network.station()
    response = await refusal(server.ocpp, known, headers=basic(known.identity, "not-the-password-at-all"))
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Basic") or server.kind == "daphne"
    kept = the_refusal(known.identity)
    assert (kept.reason, kept.operator_id, kept.count) == ("wrong_password", network.operator.pk, 1)
    await refusal(server.ocpp, known, headers=basic(known.identity, "not-the-password-either"))
    counted = until(lambda: [r for r in refusals(known.identity) if r.count == 2])
    assert len(counted) == 1


async def test_no_password_and_another_stations_name_get_401(server: Server, network: Network) -> None:
    one, other = network.station(), network.station()
    assert (await refusal(server.ocpp, one, headers={})).status_code == 401
    assert (await refusal(server.ocpp, one, headers=basic(other.identity))).status_code == 401
    reasons = until(lambda: len(found := refusals(one.identity)) == 2 and {r.reason for r in found})
    assert reasons == {"no_password", "wrong_user"}


async def test_a_station_that_must_use_tls_is_refused_without(server: Server, network: Network) -> None:
    secure = network.station(security_profile=2)
    assert (await refusal(server.ocpp, secure)).status_code == 401
    assert (the_refusal(secure.identity)).reason == "tls_required"


async def test_without_a_common_subprotocol_the_handshake_is_finished_and_the_socket_closed(
    server: Server, network: Network
) -> None:
    known = network.station()
    for offered in (["ocpp0.9"], None):
        async with station(server.ocpp, known, subprotocols=offered) as peer:
            assert peer.socket.subprotocol is None
            assert (await peer.closed())[0] == 1002
    kept = until(lambda: [r for r in refusals(known.identity) if r.count == 2])
    assert kept[0].reason == "no_common_subprotocol"
    assert "ocpp0.9" in kept[0].detail or "nothing" in kept[0].detail


async def test_the_stations_first_choice_that_is_spoken_is_chosen(server: Server, network: Network) -> None:
    known = network.station()
    async with station(server.ocpp, known, subprotocols=["ocpp9.9", "ocpp1.6", "ocpp1.5"]) as peer:
        assert peer.socket.subprotocol == "ocpp1.6"


async def test_identities_are_decoded_once_and_a_trailing_slash_is_no_matter(server: Server, network: Network) -> None:
    odd = network.station(identity=f"{network.prefix} é/%41+1")
    address = f"{server.ocpp}/{quote(odd.identity, safe='')}/"
    async with station(server.ocpp, odd, address=address, headers=basic(odd.identity)) as peer:
        assert (await peer.boot())["status"] == "Accepted"


async def test_identities_match_case_sensitively(server: Server, network: Network) -> None:
    known = network.station()
    assert (await refusal(server.ocpp, known.identity.lower())).status_code == 404


async def test_a_16_password_is_good_as_text_as_hex_and_as_bytes(server: Server, network: Network) -> None:
    known = network.station()
    key = "0123456789abcdef0123456789ABCDEF01234567"
    tables(registry.set_password)(station=known, password=key)
    for presented in (key, key.upper(), bytes.fromhex(key)):
        async with station(server.ocpp, known, headers=basic(known.identity, presented)) as peer:
            assert (await peer.boot())["status"] == "Accepted"
    assert (await refusal(server.ocpp, known, headers=basic(known.identity, PASSWORD))).status_code == 401


async def test_a_plain_http_request_gets_426_and_is_kept(server: Server, network: Network) -> None:
    known = network.station()

    client = http.client.HTTPConnection("127.0.0.1", server.port)
    client.request("GET", f"/ocpp/{known.identity}")
    response = client.getresponse()
    assert (response.status, response.headers["Upgrade"]) == (426, "websocket")
    client.close()
    assert (the_refusal(known.identity)).reason == "not_a_websocket"


async def test_an_upgrade_without_the_connection_header_ends_cleanly(server: Server, network: Network) -> None:
    """Charger firmware that omits the header (lbbrhzn/ocpp#1984)."""
    known = network.station()
    credentials = base64.b64encode(f"{known.identity}:{PASSWORD}".encode()).decode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [
        f"GET /ocpp/{known.identity} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: ocpp1.6",
        f"Authorization: Basic {credentials}",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    status = await asyncio.wait_for(reader.readline(), 30)
    assert status.split()[1] in (b"400", b"426")
    writer.close()


async def test_too_many_wrong_passwords_are_turned_away_unheard(server: Server, network: Network) -> None:
    known = network.station()
    statuses = [
        (await refusal(server.ocpp, known, headers=basic(known.identity, "not-the-password-at-all"))).status_code for _ in range(25)
    ]
    assert statuses[0] == 401
    assert 429 in statuses
