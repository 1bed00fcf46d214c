"""A bare OCPP-J peer: what a test wants to put on the wire, and what comes back."""

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response

from stations.models import Station
from tests.network import PASSWORD

PATIENCE_S = 30


def basic(identity: str, password: str | bytes = PASSWORD) -> dict[str, str]:
    """The header of HTTP Basic."""
    raw = identity.encode() + b":" + (password if isinstance(password, bytes) else password.encode())
    return {"Authorization": "Basic " + base64.b64encode(raw).decode()}


def ago(seconds: float) -> str:
    """A time on the wire."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Peer:
    """One socket of a station."""

    def __init__(self, socket: ClientConnection, ids: Iterator[int]) -> None:
        self.socket = socket
        self.ids = ids

    async def send(self, text: str) -> None:
        await self.socket.send(text)

    async def receive(self) -> Any:
        return json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))

    async def exchange(self, action: str, payload: Any) -> Any:
        """A CALL and the whole frame that answers it."""
        message_id = f"m{next(self.ids)}"
        await self.send(json.dumps([2, message_id, action, payload]))
        frame = await self.receive()
        assert frame[1] == message_id, frame
        return frame

    async def call(self, action: str, payload: Any) -> Any:
        """A CALL and the payload of its result."""
        frame = await self.exchange(action, payload)
        assert frame[0] == 3, frame
        return frame[2]

    async def asked(self) -> tuple[str, str, Any]:
        """What the CSMS asks: message id, action, payload."""
        frame = await self.receive()
        assert frame[0] == 2, frame
        return frame[1], frame[2], frame[3]

    async def tell(self, message_id: str, payload: Any) -> None:
        """Answer what was asked."""
        await self.send(json.dumps([3, message_id, payload]))

    async def event(self, part: str, transaction: str, number: int, *, trigger: str = "MeterValuePeriodic", **more: Any) -> Any:
        """A 2.0.1 TransactionEvent."""
        info = {"transactionId": transaction} | more.pop("info", {})
        payload = {"eventType": part, "timestamp": ago(0), "triggerReason": trigger, "seqNo": number, "transactionInfo": info}
        return await self.call("TransactionEvent", payload | more)

    async def boot(self) -> Any:
        if self.socket.subprotocol == "ocpp2.0.1":
            return await self.call(
                "BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Two"}}
            )
        return await self.call(
            "BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": "1.0"}
        )

    async def start(self, tag: str, *, connector: int = 1, meter: int = 1000, at: str = "") -> int:
        """Returns the transaction id."""
        payload = {"connectorId": connector, "idTag": tag, "meterStart": meter, "timestamp": at or ago(0)}
        return int((await self.call("StartTransaction", payload))["transactionId"])

    async def meter(self, transaction: int, wh: int, *, connector: int = 1, at: str = "", watt: int = 11_000) -> None:
        sampled = [{"value": str(wh)}, {"value": str(watt), "measurand": "Power.Active.Import", "unit": "W"}]
        value = {"timestamp": at or ago(0), "sampledValue": sampled}
        await self.call("MeterValues", {"connectorId": connector, "transactionId": transaction, "meterValue": [value]})

    async def stop(self, transaction: int, wh: int, *, at: str = "", **more: Any) -> Any:
        return await self.call("StopTransaction", {"transactionId": transaction, "meterStop": wh, "timestamp": at or ago(0)} | more)

    async def closed(self) -> tuple[int, str]:
        """Wait for the other side to close; its code and reason."""
        try:
            while True:
                await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        except ConnectionClosed as end:
            return (end.rcvd.code, end.rcvd.reason) if end.rcvd else (1006, "")


@asynccontextmanager
async def station(url: str, who: Station | str, **options: Any) -> AsyncIterator[Peer]:
    """A socket of a station, with the right password and sub-protocol unless told otherwise."""
    identity = who if isinstance(who, str) else who.identity
    headers = options.pop("headers", None)
    options.setdefault("subprotocols", ["ocpp1.6"])
    address = options.pop("address", f"{url}/{identity}")
    async with connect(
        address, additional_headers=basic(identity) if headers is None else headers, proxy=None, **options
    ) as socket:
        yield Peer(socket, itertools.count(1))


async def refusal(url: str, who: Station | str, **options: Any) -> Response:
    """The HTTP answer to a handshake that is refused."""
    try:
        async with station(url, who, **options):
            raise AssertionError("the handshake was accepted")
    except InvalidStatus as error:
        return error.response
