"""A gap between the events of a session, over a real socket and with a real worker: asked after, final, billed with a flag."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from stations import tasks
from stations.models import Transaction
from tests.database import tables
from tests.network import Network
from tests.peer import ago, station
from tests.servers import Server, Worker, until
from tests.sockets.test_v201 import V201, energy


@pytest.fixture
def worker(django_db_setup: None) -> Iterator[Worker]:
    started = Worker()
    yield started
    started.kill()


@tables
def watch(pk: int) -> None:
    """It has been quiet for long enough."""
    with scopes_disabled():
        Transaction.objects.filter(pk=pk).update(due_at=datetime.now(UTC))
    tasks.watch_transactions.apply_async(queue=f"csms-{connection.settings_dict['NAME']}")


@pytest.mark.long
async def test_a_gap_is_asked_after_and_billed_once_it_is_final(uvicorn: Server, worker: Worker, network: Network) -> None:
    known = network.station()
    network.token("CARD")
    network.tariff()
    async with station(uvicorn.ocpp, known, **V201) as peer:
        await peer.boot()
        begun = {"evse": {"id": 1, "connectorId": 1}, "idToken": {"idToken": "CARD", "type": "ISO14443"}}
        await peer.event("Started", "tx-1", 0, timestamp=ago(900), meterValue=energy(1000, "Transaction.Begin", 900), **begun)
        await peer.event("Ended", "tx-1", 2, timestamp=ago(0), meterValue=energy(9000, "Transaction.End", 0))
        (charged,) = network.transactions(known)
        assert (charged.doubt, network.charge_records()) == ("events_missing", [])
        watch(charged.pk)
        message_id, action, payload = await peer.asked()
        assert (action, payload) == ("GetTransactionStatus", {"transactionId": "tx-1"})
        await peer.tell(message_id, {"messagesInQueue": False, "ongoingIndicator": False})
        await asyncio.to_thread(until, lambda: network.transactions(known)[0].final_at)
        watch(charged.pk)
        await asyncio.to_thread(until, network.charge_records)
    (charged,) = network.transactions(known)
    assert (charged.doubt, charged.trust, charged.energy_wh) == ("", "reconstructed", 8000)
    assert network.findings(known) == ["events_missing"]
