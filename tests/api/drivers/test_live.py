"""A session as it goes, as server-sent events, from a real server of each kind."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from accounts import drivers
from accounts.models import User
from tests.api.drivers.conftest import AUTH, PASSWORD
from tests.database import tables
from tests.network import Network
from tests.peer import station
from tests.servers import Server

PATIENCE_S = 30


@tables
def driver(network: Network, name: str = "dee") -> tuple[User, str]:
    """Somebody who has signed up, and the number of their token."""
    user = drivers.sign_up(email=f"{name}.{network.tag}@example.org", password=PASSWORD, operator=network.operator)
    token = drivers.token_of(user)
    assert token
    return user, token.value


async def login(server: Server, user: User) -> httpx.AsyncClient:
    client = httpx.AsyncClient(base_url=server.http, timeout=PATIENCE_S)
    answer = await client.post(f"{AUTH}/auth/login", json={"email": user.email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    client.headers["Authorization"] = f"Bearer {answer.json()['meta']['access_token']}"
    return client


class Events:
    """A stream of events, read one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self.response, self.lines, self.heard = response, response.aiter_lines(), 0

    async def next(self) -> tuple[str, str, Any]:
        """Name, id and data of the next event; comments are passed over."""
        event: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE_S):
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if name and line[0] != ":":
                    event[name] = value
                elif not line and "data" in event:
                    return event["event"], event["id"], json.loads(event["data"])
        raise AssertionError("the stream has ended")

    async def ended(self) -> bool:
        async with asyncio.timeout(PATIENCE_S):
            return [line async for line in self.lines if line and line[0] != ":"] == []


@asynccontextmanager
async def live(client: httpx.AsyncClient, session: int, last: str = "") -> AsyncIterator[Events]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
    async with client.stream("GET", f"/api/v1/me/sessions/{session}/live/", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Events(response)


@pytest.mark.parametrize("server", ["daphne", pytest.param("uvicorn", marks=pytest.mark.long)], indirect=True)
async def test_a_session_is_told_as_it_goes_to_its_end(server: Server, network: Network) -> None:
    dee, card = driver(network)
    known = network.station(accepted=True)
    network.tariff()
    client = await login(server, dee)
    async with station(server.ocpp, known) as peer:
        number = await peer.start(card)
        (session,) = network.transactions(known)
        async with live(client, session.pk) as events:
            name, first, told = await events.next()
            assert (name, told["id"], told["status"], told["energy_wh"]) == ("session", session.pk, "active", 0)
            await peer.meter(number, 3000)
            name, second, told = await events.next()
            while told["energy_wh"] == 0:  # the cost alone may have grown
                name, second, told = await events.next()
            assert (name, told["energy_wh"], told["power_w"]) == ("session", 2000, 11_000)
            assert second != first
            assert told["cost"]["final"] is False
        # Lost the line: what it knows it is not told again.
        async with live(client, session.pk, last=second) as events:
            await peer.meter(number, 4000)
            while told["energy_wh"] == 2000:
                name, second, told = await events.next()
            assert told["energy_wh"] == 3000
            await peer.stop(number, 5000)
            while name != "ended":
                name, last, told = await events.next()
            assert (told["status"], told["energy_wh"], told["power_w"]) == ("ended", 4000, None)
            assert await events.ended()
    async with live(client, session.pk) as events:
        assert (await events.next())[0] == "ended"
    answer = await client.get(f"/api/v1/me/sessions/{session.pk}/live/", headers={"Last-Event-ID": last})
    assert answer.status_code == 204, "do not come again"
    await client.aclose()


async def test_nobody_else_hears_it_and_nobody_hears_too_many(uvicorn: Server, network: Network) -> None:
    dee, card = driver(network)
    ed, _ = driver(network, "ed")
    known = network.station(accepted=True)
    client, other = await login(uvicorn, dee), await login(uvicorn, ed)
    async with station(uvicorn.ocpp, known) as peer:
        await peer.start(card)
        (session,) = network.transactions(known)
        path = f"/api/v1/me/sessions/{session.pk}/live/"
        assert (await other.get(path)).status_code == 404
        assert (await httpx.AsyncClient(base_url=uvicorn.http).get(path)).status_code == 401
        streams = [live(client, session.pk) for _ in range(5)]
        opened = [await stream.__aenter__() for stream in streams]
        for events in opened:
            await events.next()
        refused = await client.get(path)
        assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
        for stream in streams:
            await stream.__aexit__(None, None, None)
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await opens(client, path)) != 200:
                assert answer == 429
                await asyncio.sleep(0.05)


async def opens(client: httpx.AsyncClient, path: str) -> int:
    async with client.stream("GET", path) as response:
        return response.status_code


@tables
def switched(user: User, *, active: bool) -> None:
    User.objects.filter(pk=user.pk).update(is_active=active)


@pytest.mark.long
async def test_a_stream_ends_when_its_driver_goes_or_the_process_does(network: Network) -> None:
    dee, card = driver(network)
    known = network.station(accepted=True)
    own = Server("uvicorn")
    try:
        client = await login(own, dee)
        async with station(own.ocpp, known) as peer:
            number = await peer.start(card)
            (session,) = network.transactions(known)
            async with live(client, session.pk) as events:
                await events.next()
                switched(dee, active=False)
                await peer.meter(number, 3000)
                assert await events.ended()
            switched(dee, active=True)
            async with live(client, session.pk) as events:
                await events.next()
                stopped = asyncio.get_running_loop().run_in_executor(None, own.stop)
                assert await events.ended()
                assert await asyncio.wait_for(stopped, PATIENCE_S) == 0
    finally:
        own.kill()
