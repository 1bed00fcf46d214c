"""The wall's WebSocket, on a real server: bells in, fragments out."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.test import Client
from django_scopes import scopes_disabled
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import User
from csms.bells import RedisBell
from csms.live import LOGGED_OUT, NO_OPERATOR
from stations.models import Connection, Connector, Transaction
from tests.dashboard.rows import finished, plug, seen, session
from tests.database import tables
from tests.network import Network
from tests.servers import Server

PATIENCE_S = 30


class Page:
    """An open wall."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def message(self) -> dict[str, dict[str, Any]]:
        """The next fragments, by id; not answered yet."""
        text = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        return {fragment["id"]: fragment for fragment in json.loads(text)["fragments"]}

    async def answer(self, text: str = "ok") -> None:
        await self.socket.send(text)

    async def until(self, pk: str, words: str = "") -> dict[str, Any]:
        """Answer everything until a fragment with this id (and these words) comes."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.message()
                await self.answer()
                if pk in message and words in message[pk]["html"]:
                    return message[pk]

    async def code(self) -> int:
        """Answer everything until it is closed, and tell the code."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while True:
                    await self.message()
                    await self.answer()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006


@tables
def cookie(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


@asynccontextmanager
async def wall(server: Server, user: User | None, *, origin: str | None = None) -> AsyncIterator[Page]:
    headers = {"Cookie": cookie(user)} if user else {}
    url = server.http.replace("http", "ws") + "/live/"
    async with connect(url, additional_headers=headers, origin=origin or server.http) as socket:  # type: ignore[arg-type]
        yield Page(socket)


@pytest.fixture
def cobalt(committed: None) -> Network:
    """Cleo's."""
    return Network()


@pytest.fixture
def bell() -> RedisBell:
    return RedisBell()


@tables
def change(row: Connector | Connection | Transaction | User, **fields: Any) -> None:
    with scopes_disabled():
        type(row).objects.filter(pk=row.pk).update(**fields)


@tables
def log_out() -> None:
    Session.objects.all().delete()


async def test_a_stranger_is_sent_away(uvicorn: Server, committed: None) -> None:
    async with wall(uvicorn, None) as page:
        assert await page.code() == LOGGED_OUT


async def test_a_page_of_another_site_is_refused(uvicorn: Server, network: Network) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with wall(uvicorn, network.user(), origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_somebody_without_an_operator_is_sent_away(uvicorn: Server, network: Network) -> None:
    async with wall(uvicorn, network.user("nobody", operator=None)) as page:
        assert await page.code() == NO_OPERATOR


async def test_a_driver_is_sent_away_from_what_operators_see(uvicorn: Server, network: Network) -> None:
    async with wall(uvicorn, network.user("dee", kind="driver", role="owner")) as page:
        assert await page.code() == NO_OPERATOR


async def test_a_page_that_opens_gets_the_whole_wall(server: Server, network: Network) -> None:
    connector = plug(network, "Charging")
    async with wall(server, network.user()) as page:
        html = (await page.until("wall"))["html"]
    assert f'id="connector-{connector.pk}"' in html


async def test_an_empty_wall_knows_the_address_to_dial(uvicorn: Server, network: Network) -> None:
    async with wall(uvicorn, network.user()) as page:
        assert f"ws://127.0.0.1:{uvicorn.port}/ocpp/" in (await page.until("wall"))["html"]


async def test_a_changed_plug_is_sent_alone(server: Server, network: Network, bell: RedisBell) -> None:
    connector, other = plug(network), plug(network)
    async with wall(server, network.user()) as page:
        await page.until("wall")
        change(connector, status="Charging")
        bell.changed(network.operator.pk, stations=[connector.evse.station_id], transactions=[])
        fragment = await page.until(f"connector-{connector.pk}", "Charging")
        assert fragment["html"].startswith("<li")
        assert f"connector-{other.pk}" not in fragment["html"]


async def test_a_session_moves_from_running_to_finished(uvicorn: Server, network: Network, bell: RedisBell) -> None:
    connector = plug(network, "Charging")
    async with wall(uvicorn, network.user()) as page:
        await page.until("wall")
        charging = session(connector)
        name = f"transaction-{charging.pk}"
        bell.changed(network.operator.pk, stations=[], transactions=[charging.pk])
        assert (await page.until(name))["list"] == "running"
        change(charging, status="ended", stopped_at=charging.meter_last_at)
        bell.changed(network.operator.pk, stations=[], transactions=[charging.pk])
        assert (await page.until(name, "not priced yet"))["list"] == "finished"


@pytest.mark.long
async def test_an_old_session_that_changes_is_not_put_on_the_wall(uvicorn: Server, network: Network, bell: RedisBell) -> None:
    connector = plug(network)
    old = finished(connector, stopped_at="2026-01-01T00:00:00Z")
    newer = [finished(connector) for _ in range(20)]
    async with wall(uvicorn, network.user()) as page:
        await page.until("wall")
        bell.changed(network.operator.pk, stations=[], transactions=[old.pk, newer[0].pk])
        while f"transaction-{newer[0].pk}" not in (message := await page.message()):
            await page.answer()
        assert f"transaction-{old.pk}" not in message


async def test_the_bells_of_another_operator_are_not_heard(
    uvicorn: Server, network: Network, cobalt: Network, bell: RedisBell
) -> None:
    theirs, ours = plug(cobalt), plug(network)
    async with wall(uvicorn, network.user()) as page:
        await page.until("wall")
        bell.changed(cobalt.operator.pk, stations=[theirs.evse.station_id], transactions=[])
        # Not even when the bell is rung for the wrong operator.
        bell.changed(network.operator.pk, stations=[theirs.evse.station_id, ours.evse.station_id], transactions=[])
        while f"connector-{ours.pk}" not in (message := await page.message()):
            assert f"connector-{theirs.pk}" not in message
            await page.answer()
        assert f"connector-{theirs.pk}" not in message


@pytest.mark.long
async def test_a_slow_browser_gets_the_newest_state_and_no_queue(uvicorn: Server, network: Network, bell: RedisBell) -> None:
    slow, quick = plug(network), plug(network)
    user = network.user()
    async with wall(uvicorn, user) as page, wall(uvicorn, user) as witness:
        await page.message()  # the wall; not answered
        await witness.until("wall")
        for status in ("Preparing", "Charging", "Finishing"):
            change(slow, status=status)
            bell.changed(network.operator.pk, stations=[slow.evse.station_id], transactions=[])
            await witness.until(f"connector-{slow.pk}", f'data-state="{status.lower()}"')
        await page.answer()
        message = await page.message()
        assert 'data-state="finishing"' in message[f"connector-{slow.pk}"]["html"]
        assert f"connector-{quick.pk}" not in message


async def test_a_page_may_ask_for_the_whole_wall_again(uvicorn: Server, network: Network) -> None:
    async with wall(uvicorn, network.user()) as page:
        await page.message()
        connector = plug(network)
        await page.answer("all")
        assert f"connector-{connector.pk}" in (await page.until("wall"))["html"]


@pytest.mark.long
async def test_a_lease_that_runs_out_turns_the_plug_offline_without_a_bell(uvicorn: Server, network: Network) -> None:
    connector = plug(network)
    async with wall(uvicorn, network.user()) as page:
        await page.until("summary")  # the first look at the leases
        seen(connector.evse.station, ago=timedelta(days=1))
        await page.until(f"connector-{connector.pk}", "Offline")


async def test_logging_out_closes_the_page(uvicorn: Server, network: Network) -> None:
    user = network.user()
    async with wall(uvicorn, user) as page:
        await page.until("wall")
        log_out()
        assert await page.code() == LOGGED_OUT


@pytest.mark.long
async def test_a_new_password_closes_the_page(uvicorn: Server, network: Network) -> None:
    user = network.user()
    async with wall(uvicorn, user) as page:
        await page.until("wall")
        change(user, password=make_password("another-long-password"))
        assert await page.code() == LOGGED_OUT


async def test_the_page_speaks_the_language_it_was_opened_in(uvicorn: Server, network: Network) -> None:
    session(plug(network, "Charging"))
    headers = {"Cookie": cookie(network.user())}
    url = uvicorn.http.replace("http", "ws") + "/live/?lang=de"
    async with connect(url, additional_headers=headers, origin=uvicorn.http) as socket:  # type: ignore[arg-type]
        assert "7,50\u202fkWh" in (await Page(socket).until("wall"))["html"]


@pytest.mark.long
async def test_after_many_pages_came_and_went_the_next_still_hears_bells(
    uvicorn: Server, network: Network, bell: RedisBell
) -> None:
    connector = plug(network)
    user = network.user()
    for _ in range(5):
        async with wall(uvicorn, user) as page:
            await page.message()
    async with wall(uvicorn, user) as page:
        await page.until("wall")
        change(connector, status="Reserved")
        bell.changed(network.operator.pk, stations=[connector.evse.station_id], transactions=[])
        await page.until(f"connector-{connector.pk}", "Reserved")
