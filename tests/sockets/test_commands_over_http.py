"""Commands over HTTP, answered at a station's socket: the API's commands and its raw door. In both versions."""

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from accounts import services
from stations.models import Command, Station
from tests.database import tables
from tests.network import Network
from tests.peer import Peer, ago, station
from tests.servers import Server, until

VERSIONS = ["ocpp1.6", "ocpp2.0.1"]
START = {
    "ocpp1.6": ("RemoteStartTransaction", {"idTag": "CARD", "connectorId": 1}),
    "ocpp2.0.1": ("RequestStartTransaction", {"idToken": {"idToken": "CARD", "type": "ISO14443"}, "evseId": 1}),
}
#: asyncio's own pool is smaller than the number of requests that wait below.
THREADS = ThreadPoolExecutor(16)


@dataclass
class Program:
    """Ada's, with her API key."""

    server: Server
    key: str

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return await asyncio.get_running_loop().run_in_executor(THREADS, self._ask, method, path, body, headers)

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        headers = {"Authorization": f"Api-Key {self.key}", "Content-Type": "application/json"} | headers
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.server.http}/api/v1/{path}", data, headers, method=method)  # noqa: S310  (our own)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    async def becomes(self, command: int, status: str) -> dict[str, Any]:
        """Ask until the command has this status."""
        async with asyncio.timeout(60):
            while True:
                code, shown = await self.ask("GET", f"commands/{command}/")
                assert code == 200
                if shown["status"] == status:
                    return shown
                await asyncio.sleep(0.02)


def program(network: Network, server: Server) -> Program:
    key = tables(lambda: services.create_api_key(user=network.user())[1])()
    return Program(server, key)


def speaking(server: Server, who: Station, protocol: str) -> contextlib.AbstractAsyncContextManager[Peer]:
    return station(server.ocpp, who, subprotocols=[protocol])


@pytest.mark.parametrize("protocol", VERSIONS)
async def test_a_command_of_the_api_is_answered_by_the_station_and_confirmed(
    protocol: str, server: Server, network: Network
) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    ada = program(network, server)
    async with speaking(server, known, protocol) as peer:
        body = {"command": "remote_start", "params": {"id_token": "CARD", "evse": 1}, "expires_in": 45, "reason": "a driver called"}
        code, asked = await ada.ask("POST", f"stations/{known.identity}/commands/", body)
        assert (code, asked["command"], asked["station"]) == (201, "remote_start", known.identity)
        message_id, action, payload = await peer.asked()
        assert (action, payload) == (START[protocol][0], START[protocol][1] | rest(payload))
        await peer.tell(message_id, {"status": "Accepted"})
        await ada.becomes(asked["id"], "accepted")
        if protocol == "ocpp1.6":
            await peer.start("CARD", at=ago(0))
        else:
            more = {"evse": {"id": 1, "connectorId": 1}, "idToken": payload["idToken"]}
            await peer.event("Started", "tx-1", 0, info={"remoteStartId": payload["remoteStartId"]}, **more)
        done = await ada.becomes(asked["id"], "confirmed")
    assert (done["response"], done["action"], done["error"]) == ({"status": "Accepted"}, action, None)
    assert None not in (done["sent_at"], done["answered_at"], done["finished_at"])


def rest(payload: dict[str, Any]) -> dict[str, Any]:
    """The number of our own that 2.x's start carries."""
    return {name: payload[name] for name in ("remoteStartId",) if name in payload}


@pytest.mark.parametrize("protocol", VERSIONS)
async def test_the_raw_door_sends_exactly_that_and_waits_for_the_answer(protocol: str, server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    ada = program(network, server)
    payload = {"vendorId": "org.example", "messageId": "Blink", "data": "twice"}
    async with speaking(server, known, protocol) as peer:
        waiting = asyncio.create_task(ada.ask("POST", f"stations/{known.identity}/ocpp/DataTransfer/?wait=30", payload))
        message_id, action, sent = await peer.asked()
        assert (action, sent) == ("DataTransfer", payload)
        await peer.tell(message_id, {"status": "Accepted", "data": "done"})
        code, answer = await waiting
    assert code == 200
    assert answer.pop("command")
    assert answer == {"status": "confirmed", "response": {"status": "Accepted", "data": "done"}, "error": None}


async def test_what_our_words_do_not_have_is_sent_all_the_same(uvicorn: Server, network: Network) -> None:
    known = network.station(accepted=True)
    ada = program(network, uvicorn)
    token = {"idToken": "CARD", "type": "Central", "additionalInfo": [{"additionalIdToken": "DE-8AA", "type": "eMAID"}]}
    payload = {"idToken": token, "remoteStartId": 4711, "groupIdToken": {"idToken": "FLEET", "type": "Central"}}
    async with speaking(uvicorn, known, "ocpp2.0.1") as peer:
        waiting = asyncio.create_task(ada.ask("POST", f"stations/{known.identity}/ocpp/RequestStartTransaction/", payload))
        message_id, _, sent = await peer.asked()
        assert sent == payload
        await peer.tell(message_id, {"status": "Rejected"})
        code, answer = await waiting
        assert (code, answer["status"], answer["response"]) == (200, "rejected", {"status": "Rejected"})
        _, shown = await ada.ask("GET", f"commands/{answer['command']}/")
        assert shown["params"] == {
            "id_token": "CARD",
            "evse": None,
            "id_token_type": "Central",
            "group": "FLEET",
            "charging_profile": None,
        }


@pytest.mark.parametrize("protocol", VERSIONS)
async def test_an_error_of_the_station_comes_back_as_failed(protocol: str, server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    ada = program(network, server)
    async with speaking(server, known, protocol) as peer:
        waiting = asyncio.create_task(ada.ask("POST", f"stations/{known.identity}/ocpp/ClearCache/", {}))
        message_id, _, _ = await peer.asked()
        await peer.send(f'[4,"{message_id}","NotSupported","no cache here",{{}}]')
        code, answer = await waiting
    assert (code, answer["status"], answer["response"]) == (200, "failed", None)
    assert answer["error"] == {"code": "NotSupported", "description": "no cache here"}


async def test_past_the_wait_it_is_202_and_the_same_key_asks_for_the_rest(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    ada = program(network, server)
    path, once = f"stations/{known.identity}/ocpp/ClearCache/", {"Idempotency-Key": "once"}
    async with speaking(server, known, "ocpp1.6") as peer:
        code, answer = await ada.ask("POST", f"{path}?wait=0", {}, **once)
        assert (code, answer["status"]) == (202, "queued")
        message_id, _, _ = await peer.asked()
        assert (await ada.ask("POST", f"{path}?wait=1", {}, **once)) == (202, answer | {"status": "sent"})
        waiting = asyncio.create_task(ada.ask("POST", path, {}, **once))
        await peer.tell(message_id, {"status": "Accepted"})
        code, last = await waiting
    assert (code, last["command"], last["status"]) == (200, answer["command"], "confirmed")


@pytest.mark.parametrize(
    ("protocol", "of_stations", "unknown"),
    [("ocpp1.6", "BootNotification", "GetVariables"), ("ocpp2.0.1", "NotifyReport", "RemoteStartTransaction")],
)
async def test_an_action_that_cannot_be_sent_says_why(
    protocol: str, of_stations: str, unknown: str, uvicorn: Server, network: Network
) -> None:
    known = network.station(accepted=True)
    ada = program(network, uvicorn)
    code, problem = await ada.ask("POST", f"stations/{known.identity}/ocpp/Reset/", {})
    assert (code, "never connected" in problem["detail"]) == (409, True)
    async with speaking(uvicorn, known, protocol):
        pass
    for action, word in ((of_stations, "station"), (unknown, "no action")):
        code, problem = await ada.ask("POST", f"stations/{known.identity}/ocpp/{action}/", {})
        assert (code, problem["status"], word in problem["detail"]) == (404, 404, True), action
    code, problem = await ada.ask("POST", f"stations/{known.identity}/ocpp/Reset/", {"type": "Gently"})
    assert (code, "type" in problem["detail"]) == (400, True)
    for bad in ("?wait=121", "?wait=-1", "?wait=soon"):
        assert (await ada.ask("POST", f"stations/{known.identity}/ocpp/ClearCache/{bad}", {}))[0] == 400
    assert commands_of(known) == 0


@tables
def commands_of(who: Station) -> int:
    return Command.objects.with_scopes_disabled().filter(station=who).count()


async def test_who_waits_holds_nobody_up(server: Server, network: Network) -> None:
    """More requests wait than the process has database connections (tests.servers.environment); it answers others meanwhile."""
    known = network.station(accepted=True)
    ada = program(network, server)
    async with speaking(server, known, "ocpp1.6") as peer:
        path = f"stations/{known.identity}/ocpp/ClearCache/?wait=60"
        waiting = [asyncio.create_task(ada.ask("POST", path, {})) for _ in range(12)]
        message_id, _, _ = await peer.asked()
        async with asyncio.timeout(60):
            while len((await ada.ask("GET", f"commands/?station={known.identity}"))[1]["results"]) < 12:
                await asyncio.sleep(0.02)
        assert (await ada.ask("GET", f"stations/{known.identity}/"))[0] == 200
        assert "currentTime" in await peer.call("Heartbeat", {})
        assert not any(one.done() for one in waiting)
        await peer.tell(message_id, {"status": "Accepted"})
        for _ in range(11):
            message_id, _, _ = await peer.asked()
            await peer.tell(message_id, {"status": "Accepted"})
        assert [code for code, _ in await asyncio.gather(*waiting)] == [200] * 12


async def test_whoever_hangs_up_ends_the_wait(server: Server, network: Network) -> None:
    """65 hang up; were their places still taken, nobody could wait for a while, and each answer would be 202 at once."""
    away, known = network.station(accepted=True), network.station(accepted=True)
    ada = program(network, server)
    async with speaking(server, away, "ocpp1.6"):
        pass
    for number in range(65):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"POST /api/v1/stations/{away.identity}/ocpp/ClearCache/?wait=120 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Api-Key {ada.key}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        )
        until(lambda number=number: commands_of(away) == number + 1)
        writer.close()
    async with speaking(server, known, "ocpp1.6") as peer, asyncio.timeout(60):
        code = 202
        while code == 202:
            asked = asyncio.create_task(ada.ask("POST", f"stations/{known.identity}/ocpp/ClearCache/?wait=60", {}))
            message_id, _, _ = await peer.asked()
            await peer.tell(message_id, {"status": "Accepted"})
            code, _ = await asked
        assert code == 200
