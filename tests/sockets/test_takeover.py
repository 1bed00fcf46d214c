"""Two sockets of one identity: the newest wins, and nothing that the older one had in hand is lost or doubled."""

import dataclasses
import threading
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from csms.ocpp.doors import Arrival
from csms.ocpp.results import Results
from stations import services
from stations.batch import Batch
from stations.domain.events import TransactionStarted
from stations.models import Connection, ConnectionHistory
from stations.services.connections import Admitted, Knock
from tests.database import tables
from tests.engine import Engine
from tests.network import PASSWORD, Network
from tests.peer import ago, station
from tests.servers import Server, Servers, until


async def test_a_second_socket_closes_the_first_with_1012(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as first, station(server.ocpp, known) as second:
        code, reason = await first.closed()
        assert (code, "replaced" in reason) == (1012, True)
        assert "currentTime" in await second.call("Heartbeat", {})
    until(lambda: all(entry.closed_at for entry in sockets(known.pk)))
    assert [entry.close_code for entry in sockets(known.pk)] == [1012, 1000]


async def test_a_second_socket_at_another_process_closes_the_first(servers: Servers, network: Network) -> None:
    """By a bell over Redis; without it the first would be closed at its next frame."""
    known = network.station(accepted=True)
    network.token("CARD")
    async with station(servers.get("daphne").ocpp, known) as first:
        transaction = await first.start("CARD", at=ago(60))
        async with station(servers.get("uvicorn").ocpp, known) as second:
            assert (await first.closed())[0] == 1012
            await second.meter(transaction, 3000)
            await second.stop(transaction, 4000)
        until(lambda: current(known.pk).disconnected_at)
    (charged,) = network.transactions(known)
    assert (charged.status, charged.energy_wh) == ("ended", 3000)


async def test_the_end_of_an_old_socket_does_not_mark_the_station_offline(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as first, station(server.ocpp, known) as second:
        await first.closed()
        await second.call("Heartbeat", {})
        until(lambda: sockets(known.pk)[0].closed_at)
        assert current(known.pk).disconnected_at is None


class Gate:
    """A handler that stops in the middle of its batch until it is let go."""

    def __init__(self, rule: services.Rule) -> None:
        self.rule = rule
        self.reached = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, event: Any, batch: Batch) -> Any:
        reply = self.rule.handle(event, batch)
        self.reached.set()
        assert self.let_go.wait(30)
        return reply


def test_a_takeover_waits_for_the_batch_in_hand_and_misses_nothing_of_it(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race: the old process is in the middle of a transaction start when the new socket takes over at another process."""
    known = network.station(accepted=True)
    network.token("CARD")
    rule = services.RULES[TransactionStarted]
    gate = Gate(rule)
    monkeypatch.setitem(services.RULES, TransactionStarted, dataclasses.replace(rule, handle=gate))

    old, verdicts = Engine(), []
    new = Engine()
    new.thread.deliver = lambda results: verdicts.extend(results.verdicts)
    start = {"connectorId": 1, "idTag": "CARD", "meterStart": 100, "timestamp": ago(10)}
    first, late = old.inbound(known, "StartTransaction", start), old.inbound(known, "Heartbeat", {})
    answers: list[Any] = []
    handling = thread(lambda: answers.extend(old.round(first)))
    assert gate.reached.wait(30)

    new.thread.items.put(Arrival(knock(known.identity), "second socket"))
    taking_over = thread(lambda: until(lambda: new.thread._round() and verdicts))
    until(lambda: new.thread.held_doors)
    assert verdicts == []  # it waits for what the old socket has in hand
    gate.let_go.set()
    handling.join(30)
    taking_over.join(30)

    ((_, admitted),) = verdicts
    assert isinstance(admitted, Admitted)
    assert admitted.fence > first.fence
    transaction = answers[0][2]["transactionId"]
    # The new process knows the transaction; the old one's late frame is dropped and its socket is to be closed.
    stop = {"transactionId": transaction, "meterStop": 600, "timestamp": ago(0)}
    assert new.say(known, "StopTransaction", stop) == {}
    assert old.round(late) == [None]
    (charged,) = network.transactions(known)
    assert (charged.status, charged.energy_wh, charged.doubt) == ("ended", 500, "")
    assert [entry.action for entry in network.log(known)] == ["StartTransaction", "StopTransaction"]


def test_two_knocks_in_the_same_moment_give_one_socket_the_word(network: Network) -> None:
    known = network.station(accepted=True)
    engine = Engine()
    verdicts: list[Any] = []

    def deliver(results: Results) -> None:
        verdicts.extend(results.verdicts)

    engine.thread.deliver = deliver
    with scopes_disabled():
        engine.thread._doors([Arrival(knock(known.identity), "a"), Arrival(knock(known.identity), "b")])
    by_token = dict(verdicts)
    assert (by_token["a"].status, by_token["a"].reason) == (503, "replaced")
    assert current(known.pk).fence == by_token["b"].fence


def knock(identity: str) -> Knock:
    credentials = (identity.encode(), PASSWORD.encode())
    return Knock(identity, credentials, "ocpp1.6", ("ocpp1.6",), "127.0.0.1", secure=False)


def thread(work: Any) -> threading.Thread:
    def run() -> None:
        with scopes_disabled():
            work()
        connection.close()

    started = threading.Thread(target=run)
    started.start()
    return started


@tables
def sockets(station_id: int) -> list[ConnectionHistory]:
    with scopes_disabled():
        return list(ConnectionHistory.objects.filter(station_id=station_id).order_by("fence"))


@tables
def current(station_id: int) -> Connection:
    with scopes_disabled():
        return Connection.objects.get(station_id=station_id)
