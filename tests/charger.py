"""Stations that never give up: they charge again and again, retry what was not answered, and keep a ledger of what was."""

import asyncio
import itertools
import json
import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django_scopes import scopes_disabled
from websockets.exceptions import WebSocketException

from stations.models import MeterSample, Station, Transaction
from tests.database import tables
from tests.peer import Peer, station


@dataclass
class Charged:
    """One session as the station knows it: what it sent, and what of it was acknowledged."""

    connector: int
    started_at: str
    meter_start: int
    transaction_id: int | str = 0
    samples: list[tuple[str, int]] = field(default_factory=list)
    meter_stop: int = 0
    stopped: bool = False


class Charger:
    """One connector's life in OCPP 1.6. A message is sent until it is answered, over as many sockets as that takes (3.7.1).

    `patience_s`: how long it waits for an answer before it dials again; `pause_s`, before its next message. What it is asked, it
    accepts.
    """

    protocol = "ocpp1.6"

    def __init__(
        self, url: str, who: Station, tag: str, *, connector: int = 1, patience_s: float = 30, pause_s: float = 0, **options: Any
    ) -> None:
        self.url, self.who, self.tag, self.connector = url, who, tag, connector
        self.patience_s, self.pause_s = patience_s, pause_s
        self.options = {"open_timeout": 5, "close_timeout": 1, "subprotocols": [self.protocol]} | options
        self.ledger: list[Charged] = []
        self.ids = itertools.count(1)
        self.acknowledged = 0
        self.register = 1000
        self.clock = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(1000))
        self.peer: Peer | None = None
        self.errors: list[Any] = []
        self.asked: list[str] = []
        self.sockets = 0

    async def run(self, finished: asyncio.Event) -> None:
        """Sessions one after the other until told to finish; the last one is ended properly."""
        while not finished.is_set():
            session = Charged(self.connector, self._time(), self.register)
            self.ledger.append(session)
            await self._start(session)
            for _ in range(random.randrange(1, 8)):
                self.register += random.randrange(1, 500)
                await self._read(session)
            self.register += 7
            session.meter_stop = self.register
            await self._stop(session)
            session.stopped = True

    async def _start(self, session: Charged) -> None:
        start = {"connectorId": self.connector, "idTag": self.tag, "meterStart": self.register, "timestamp": session.started_at}
        session.transaction_id = (await self._until_answered("StartTransaction", start))["transactionId"]

    async def _read(self, session: Charged) -> None:
        at = self._time()
        value = [{"timestamp": at, "sampledValue": [{"value": str(self.register)}]}]
        payload = {"connectorId": self.connector, "transactionId": session.transaction_id, "meterValue": value}
        await self._until_answered("MeterValues", payload)
        session.samples.append((at, self.register))

    async def _stop(self, session: Charged) -> None:
        stop = {"transactionId": session.transaction_id, "meterStop": self.register, "timestamp": self._time()}
        await self._until_answered("StopTransaction", stop)

    async def _until_answered(self, action: str, payload: dict[str, Any]) -> Any:
        message_id = f"c{next(self.ids)}"
        text = json.dumps([2, message_id, action, payload])
        while True:
            try:
                peer = await self._connected()
                async with asyncio.timeout(self.patience_s):
                    await peer.send(text)
                    frame = await self._answer(peer)
            except (OSError, WebSocketException, TimeoutError):
                await self.close()
                await asyncio.sleep(random.uniform(0.05, 0.2))
                continue
            assert frame[1] == message_id, frame
            if frame[0] != 3:
                self.errors.append(frame)
                await asyncio.sleep(0.05)
                continue
            self.acknowledged += 1
            await asyncio.sleep(self.pause_s)
            return frame[2]

    async def _answer(self, peer: Peer) -> Any:
        while (frame := await peer.receive())[0] == 2:
            self.asked.append(frame[1])
            await peer.tell(frame[1], {"status": "Accepted"})
        return frame

    async def _connected(self) -> Peer:
        if self.peer is None:
            self.context = station(self.url, self.who, **self.options)
            self.peer = await self.context.__aenter__()
            self.sockets += 1
        return self.peer

    async def close(self) -> None:
        if self.peer is not None:
            self.peer = None
            await self.context.__aexit__(None, None, None)

    def _time(self) -> str:
        self.clock += timedelta(seconds=10)
        return self.clock.strftime("%Y-%m-%dT%H:%M:%SZ")


class NewerCharger(Charger):
    """The same in OCPP 2.0.1: it names its transactions itself, numbers their events, and tells its register with each."""

    protocol = "ocpp2.0.1"

    async def _start(self, session: Charged) -> None:
        session.transaction_id = str(uuid.uuid4())
        self.said = itertools.count()
        more = {"evse": {"id": 1, "connectorId": self.connector}, "idToken": {"idToken": self.tag, "type": "ISO14443"}}
        await self._event(session, "Started", session.started_at, "Authorized", "Transaction.Begin", **more)

    async def _read(self, session: Charged) -> None:
        await self._event(session, "Updated", self._time(), "MeterValuePeriodic", "Sample.Periodic")

    async def _stop(self, session: Charged) -> None:
        await self._event(session, "Ended", self._time(), "EVDeparted", "Transaction.End")

    async def _event(self, session: Charged, kind: str, at: str, reason: str, context: str, **more: Any) -> None:
        payload = {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": reason,
            "seqNo": next(self.said),
            "transactionInfo": {"transactionId": session.transaction_id},
            "meterValue": [{"timestamp": at, "sampledValue": [{"value": self.register, "context": context}]}],
        }
        await self._until_answered("TransactionEvent", payload | more)
        session.samples.append((at, self.register))


@tables
def compare(chargers: Iterable[Charger]) -> None:
    """The ledgers of the stations against the tables: each session once, with its times, its samples and its energy."""
    with scopes_disabled():
        for charger in chargers:
            stored = {t.ocpp_transaction_id: t for t in Transaction.objects.filter(station=charger.who)}
            assert len(stored) == len(charger.ledger)
            kept: dict[int | None, list[tuple[str, Any]]] = {}
            samples = MeterSample.objects.filter(station=charger.who).order_by("at")
            for transaction_id, at, energy_wh in samples.values_list("transaction_id", "at", "energy_wh"):
                kept.setdefault(transaction_id, []).append((at.strftime("%Y-%m-%dT%H:%M:%SZ"), energy_wh))
            for session in charger.ledger:
                transaction = stored[str(session.transaction_id)]
                assert transaction.started_at.strftime("%Y-%m-%dT%H:%M:%SZ") == session.started_at
                assert transaction.meter_start_wh == session.meter_start
                assert (transaction.status, transaction.doubt) == ("ended", "")
                assert transaction.energy_wh == session.meter_stop - session.meter_start
                assert kept.get(transaction.pk, []) == session.samples
