"""A simulated local controller: stations dial it instead of the CSMS, and it relays each of them over a socket of its own.

Itself it connects as a station, too: `LocalController.station`. When it is gone, all that are behind it are dark together.
"""

import asyncio
import logging
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from csms.simulator.station import SimulatedStation

logger = logging.getLogger("csms.simulator.relay")
PROTOCOLS = [Subprotocol("ocpp2.0.1"), Subprotocol("ocpp1.6")]


class LocalController:
    """Relays to the CSMS of its own station from an address of 127.0.0.1, `url`, which stations dial."""

    def __init__(self, station: SimulatedStation, *, port: int = 0) -> None:
        self.station = station
        self.port = port
        self.url = ""
        #: The sockets to the CSMS, by the path that a station dialled.
        self.relayed: dict[str, ClientConnection] = {}

    async def __aenter__(self) -> Self:
        # The CSMS is dialled before the station is let in, so that the station hears what the CSMS says to it.
        self._server = await serve(
            self._relay,
            "127.0.0.1",
            self.port,
            process_request=self._knock,
            subprotocols=PROTOCOLS,
            ping_interval=None,
            max_size=None,
            logger=logger,
        )
        self.port = self._server.sockets[0].getsockname()[1] if self._server.sockets else self.port
        self.url = f"ws://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.go_dark()

    async def go_dark(self) -> None:
        """Its line is cut, or its power: it and all behind it are gone."""
        self._server.close()
        for upstream in list(self.relayed.values()):
            upstream.transport.abort()
        await self._server.wait_closed()
        await self.station.close(abrupt=True)

    async def _knock(self, downstream: ServerConnection, request: Request) -> Response | None:
        identity = urlsplit(request.path).path.rsplit("/", 1)[-1]
        offered = [Subprotocol(one.strip()) for one in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if one.strip()]
        credentials = request.headers.get("Authorization")
        try:
            upstream = await connect(
                f"{self.station.url.rstrip('/')}/{identity}",
                subprotocols=offered or None,
                additional_headers={"Authorization": credentials} if credentials else None,
                ping_interval=None,
                max_size=None,
            )
        except InvalidStatus as error:
            return downstream.respond(HTTPStatus(error.response.status_code), "The CSMS refused.\n")
        except (OSError, WebSocketException, TimeoutError) as error:
            return downstream.respond(HTTPStatus.BAD_GATEWAY, f"The CSMS cannot be reached: {error}\n")
        self.relayed[request.path] = upstream
        return None

    async def _relay(self, downstream: ServerConnection) -> None:
        path = downstream.request.path if downstream.request else ""
        upstream = self.relayed[path]
        try:
            pumps = [asyncio.create_task(_pump(downstream, upstream)), asyncio.create_task(_pump(upstream, downstream))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            if self.relayed.get(path) is upstream:
                del self.relayed[path]
            await asyncio.gather(upstream.close(1001), downstream.close(1001), return_exceptions=True)


async def _pump(source: Any, sink: Any) -> None:
    try:
        async for frame in source:
            await sink.send(frame)
    except ConnectionClosed:
        logger.debug("a relayed line has ended")
