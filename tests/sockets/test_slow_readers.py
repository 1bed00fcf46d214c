"""A station that asks and never reads what it is answered."""

import asyncio
import itertools
import json
import socket
from urllib.parse import urlsplit

import pytest
from django_scopes import scopes_disabled
from websockets.exceptions import ConnectionClosed

from stations.models import ConnectionHistory, Station
from tests.database import tables
from tests.network import Network
from tests.peer import station
from tests.servers import PATIENCE_S, Server


@tables
def ends(who: Station) -> list[tuple[int | None, str]]:
    with scopes_disabled():
        closed = ConnectionHistory.objects.filter(station=who, closed_at__isnull=False)
        return list(closed.values_list("close_code", "close_reason"))


@pytest.mark.long
async def test_it_is_closed_with_the_reason_though_it_reads_nothing(server: Server, network: Network) -> None:
    deaf = network.station(accepted=True)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", urlsplit(server.ocpp).port))
    async with station(server.ocpp, deaf, sock=narrow, max_queue=1, compression=None, close_timeout=1) as peer:

        async def ask() -> None:
            for number in itertools.count():
                await peer.send(json.dumps([2, f"h{number}", "Heartbeat", {}]))
                await asyncio.sleep(0)

        asking = asyncio.create_task(ask())
        async with asyncio.timeout(PATIENCE_S):
            while not (closed := ends(deaf)):
                await asyncio.sleep(0.05)
        asking.cancel()
        (said,) = await asyncio.gather(asking, return_exceptions=True)
    assert isinstance(said, asyncio.CancelledError | ConnectionClosed)
    assert closed == [(1008, "too slow in reading")]
