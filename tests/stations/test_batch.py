"""The unit of work: many messages, one transaction, in few statements, and what happens when one of them fails."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django_scopes import scopes_disabled

from stations import ports, services
from stations.batch import of_one
from stations.domain import events
from stations.domain.values import Note
from stations.models import Connection, MeterSample, Station
from stations.services import registry
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.batches import answers, breaking, fleet

#: What a batch may take at most for a hundred frames of meter values, whatever their number.
STATEMENTS = 8


class Counted(psycopg.Cursor):  # type: ignore[type-arg]
    """A cursor that remembers what it was asked."""

    asked: list[str] = []

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        self.asked.append(str(query))
        return super().execute(query, *args, **kwargs)

    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
        self.asked.append(statement.as_string(self) if hasattr(statement, "as_string") else str(statement))
        return super().copy(statement, *args, **kwargs)


@pytest.fixture
def asked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements of the engine's batches, as they come."""

    def cursor() -> Any:
        connection.ensure_connection()
        return Counted(connection.connection)

    monkeypatch.setattr(engine.thread, "_cursor", cursor)
    Counted.asked.clear()
    yield Counted.asked
    Counted.asked.clear()


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


# Few statements


def test_a_hundred_frames_of_meter_values_take_eight_statements_and_a_thousand_no_more(
    network: Network, engine: Engine, asked: list[str]
) -> None:
    stations = fleet(network, 100)
    numbers = [
        frame[2]["transactionId"]
        for frame in engine.round(*(engine.inbound(s, "StartTransaction", v16.start()) for s in stations))
        if frame
    ]

    def sample(energy: int, seconds: int, times: int = 1) -> list[str]:
        inbound = [
            engine.inbound(
                station,
                "MeterValues",
                v16.meters(energy + n, seconds - n, number, Power_Active_Import="7000", Current_Import="31", Voltage="230"),
            )
            for station, number in zip(stations, numbers, strict=True)
            for n in range(times)
        ]
        asked.clear()
        assert answers(engine.round(*inbound)) == [{}] * 100 * times
        return [statement.split()[0] for statement in asked if "nextval" not in statement]

    few = sample(2000, 300)
    assert few == ["BEGIN", "SELECT", "UPDATE", "WITH", "COPY", "COMMIT"]
    assert len(asked) <= STATEMENTS
    assert sample(3000, 200, times=10) == few
    assert len(network.samples(stations[0])) == 11


def test_what_some_stations_tell_of_the_vehicle_takes_no_statement_of_its_own(
    network: Network, engine: Engine, asked: list[str]
) -> None:
    engine.protocol = "ocpp2.0.1"
    first, second = stations = fleet(network, 2)
    engine.round(*(engine.inbound(s, "TransactionEvent", v201.started(0)) for s in stations))
    asked.clear()
    more = {"numberOfPhasesUsed": 3, "cableMaxCurrent": 32, "info": {"timeSpentCharging": 60}}
    events = ((first, v201.updated(1, wh=2000)), (second, v201.updated(1, wh=2000, **more)))
    engine.round(*(engine.inbound(station, "TransactionEvent", payload) for station, payload in events))
    assert [one.split()[1] for one in asked if one.startswith("UPDATE")] == ["stations_transaction"]


def test_what_meters_signed_takes_a_statement_for_all_of_it_and_none_where_there_is_none(
    network: Network, engine: Engine, asked: list[str]
) -> None:
    stations = fleet(network, 3)
    frames = engine.round(*(engine.inbound(s, "StartTransaction", v16.start()) for s in stations))
    numbers = [frame[2]["transactionId"] for frame in frames if frame]

    def say(energy: int, *signed: dict[str, str]) -> list[str]:
        payloads = [v16.meters(energy, 300 - energy // 100, number) for number in numbers]
        for payload in payloads:
            payload["meterValue"][0]["sampledValue"] += signed
        asked.clear()
        engine.round(*(engine.inbound(s, "MeterValues", p) for s, p in zip(stations, payloads, strict=True)))
        return [statement for statement in asked if "nextval" not in statement]

    without = say(2000)
    assert not [one for one in without if "signedreading" in one or "outboxentry" in one]
    data = [{"value": f"OCMF|{n}", "format": "SignedData", "context": "Transaction.Begin"} for n in range(2)]
    with_signed = say(3000, *data)
    assert len([one for one in with_signed if "INTO stations_signedreading" in one]) == 1
    assert len([one for one in with_signed if "outboxentry" in one]) == 1
    assert len(say(4000)) == len(without)


def test_a_batch_of_everything_takes_one_statement_a_table_and_look_up(network: Network, engine: Engine, asked: list[str]) -> None:
    def counted(size: int) -> int:
        stations = fleet_of[:size]
        inbound = [
            engine.inbound(station, action, payload)
            for station in stations
            for action, payload in (
                ("BootNotification", v16.BOOT),
                ("StatusNotification", v16.status("Preparing")),
                ("Authorize", {"idTag": "CARD"}),
                ("StartTransaction", v16.start(seconds=600 - size)),
                ("MeterValues", v16.meters(2000)),
                ("StopTransaction", v16.stop(-1, meter=5000 + size)),
                ("Heartbeat", {}),
            )
        ]
        asked.clear()
        engine.round(*inbound)
        return len([statement for statement in asked if "nextval" not in statement])

    fleet_of = fleet(network, 30)
    # A station that tells of another make than before is looked up anew before its next message, so they have told it.
    engine.round(*(engine.inbound(s, "BootNotification", v16.BOOT) for s in fleet_of))
    engine.round(*(engine.inbound(s, "StatusNotification", v16.status("Available", seconds=3600)) for s in fleet_of))
    assert counted(30) == counted(3) <= 20


def test_heartbeats_write_nothing_but_the_log(network: Network, engine: Engine, asked: list[str]) -> None:
    station = network.station(accepted=True)
    engine.say(station, "Heartbeat", {})
    asked.clear()
    engine.say(station, "Heartbeat", {})
    assert [statement.split()[0] for statement in asked] == ["BEGIN", "SELECT", "COPY", "COMMIT"]


# Who may write


def test_an_outside_change_is_seen_by_the_next_message(network: Network, engine: Engine, station: Station) -> None:
    assert engine.say(station, "BootNotification", v16.BOOT)["status"] == "Accepted"
    registry.set_registration(station=station, registration="Rejected")
    assert engine.say(station, "BootNotification", v16.BOOT)["status"] == "Rejected"


def test_states_are_loaded_once_and_not_for_every_message(
    network: Network, engine: Engine, station: Station, asked: list[str]
) -> None:
    engine.say(station, "Heartbeat", {})
    assert len([s for s in asked if "FROM stations_station s" in s]) == 1
    engine.say(station, "Heartbeat", {})
    assert len([s for s in asked if "FROM stations_station s" in s]) == 1


def test_a_frame_of_a_replaced_socket_is_dropped_whole(network: Network, engine: Engine, station: Station) -> None:
    old = engine.inbound(station, "StartTransaction", v16.start())
    with scopes_disabled():
        Connection.objects.filter(station=station).update(fence=7)
    new = engine.inbound(station, "StatusNotification", v16.status("Available"))
    assert (new.fence, old.fence) == (7, 0)
    assert answers(engine.round(old, new)) == [None, {}]
    assert network.transactions(station) == []
    assert [entry.action for entry in network.log(station)] == ["StatusNotification"]


def test_a_frame_of_a_station_that_was_removed_is_dropped(network: Network, engine: Engine, station: Station) -> None:
    other = network.station(accepted=True)
    inbound = engine.inbound(station, "Heartbeat", {})
    registry.remove_station(station=station)
    assert answers(engine.round(inbound, engine.inbound(other, "StatusNotification", v16.status("Available")))) == [None, {}]


def test_a_batch_waits_for_a_takeover_and_then_drops_what_is_too_late(network: Network, engine: Engine, station: Station) -> None:
    """The newer socket updates the row first; a plain read of the fence would let both through. The others do not wait."""
    inbound = engine.inbound(station, "StartTransaction", v16.start())
    beat = engine.inbound(network.station(accepted=True), "Heartbeat", {})
    with psycopg.connect(connection.connection.info.dsn, password=connection.connection.info.password) as taken:
        taken.execute("UPDATE stations_connection SET fence = 9 WHERE station_id = %s", [station.pk])
        with scopes_disabled():
            ((message, text),) = engine.thread._committed([inbound, beat])
        assert message is beat
        assert text is not None
    assert engine.thread.lanes.held == [inbound]
    assert engine.round() == []
    assert engine.thread.lanes.held == []
    assert network.transactions(station) == []


# After the commit


class Heard(ports.Silence):
    """Somebody who listens to the bells, and looks into the tables when they ring."""

    def __init__(self) -> None:
        self.changes: list[tuple[int, set[int], set[int]]] = []
        self.works: list[str] = []
        self.seen: list[int] = []

    def changed(self, operator_id: int, *, stations: Any, transactions: Any) -> None:
        self.changes.append((operator_id, set(stations), set(transactions)))
        with psycopg.connect(connection.connection.info.dsn, password=connection.connection.info.password) as other:
            row = other.execute("SELECT count(*) FROM stations_transaction WHERE id = ANY(%s)", [list(transactions)]).fetchone()
            self.seen.append(row[0] if row else 0)

    def work(self, subscriber: str) -> None:
        self.works.append(subscriber)


def test_bells_ring_after_the_commit_and_once_an_operator(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    bell = Heard()
    monkeypatch.setattr(ports, "bell", bell)
    other = network.station(accepted=True)
    frames = engine.round(
        engine.inbound(station, "StartTransaction", v16.start()),
        engine.inbound(other, "StartTransaction", v16.start(connector=2)),
        engine.inbound(other, "Heartbeat", {}),
    )
    started = {t.pk for s in (station, other) for t in network.transactions(s)}
    assert bell.changes == [(network.operator.pk, {station.pk, other.pk}, started)]
    assert bell.seen == [2]
    assert bell.works == []
    assert frames[0] is not None
    engine.say(station, "StopTransaction", v16.stop(frames[0][2]["transactionId"]))
    assert sorted(bell.works) == sorted({entry.subscriber for entry in network.outbox()}) != []


def test_nothing_rings_for_what_was_rolled_back(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    bell = Heard()
    monkeypatch.setattr(ports, "bell", bell)
    breaking(monkeypatch, events.TransactionStarted, lambda event, batch: True)
    engine.say(station, "StartTransaction", v16.start())
    assert all(not transactions for _, _, transactions in bell.changes)


# A batch of one


def test_a_batch_of_one_is_for_pages_and_jobs(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StartTransaction", v16.start())
    (running,) = network.transactions(station)
    with scopes_disabled(), of_one(station.pk, now=datetime.now(UTC)) as batch:
        assert set(batch.station.open) == {running.ocpp_transaction_id}
        batch.note(Note("looked_at", "", "By Ada."), running.pk)
        services.handle(events.TransactionEnded(running.ocpp_transaction_id, batch.now, running.meter_start_wh, "Other"), batch)
    assert network.transactions(station)[0].status == "ended"
    assert network.finding(station, "looked_at").transaction_id == running.pk
    # The engine, which holds the station's state, sees it with the next message.
    engine.say(station, "MeterValues", v16.meters(2000))
    assert engine.thread.states[station.pk].open == {}
    assert network.samples(station)[0].transaction_id is None


def test_a_batch_of_one_that_fails_leaves_nothing(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "Heartbeat", {})
    before = Connection.objects.with_scopes_disabled().get(station=station).state_version

    def fail() -> None:
        with scopes_disabled(), of_one(station.pk, now=datetime.now(UTC)) as batch:
            batch.note(Note("looked_at"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert network.findings(station) == []
    assert Connection.objects.with_scopes_disabled().get(station=station).state_version == before


# The rows themselves


def test_a_change_of_a_row_that_the_batch_added_goes_into_it(network: Network, engine: Engine, station: Station) -> None:
    """Start, reading and the end by the next start: one insert, whatever came after it."""
    engine.round(
        engine.inbound(station, "StartTransaction", v16.start(seconds=900)),
        engine.inbound(station, "MeterValues", v16.meters(2000, 800, Power_Active_Import="7000")),
        engine.inbound(station, "StartTransaction", v16.start(seconds=600, meter=2000)),
    )
    first, second = network.transactions(station)
    assert (first.status, first.doubt, first.energy_wh, first.power_w) == ("ended", "stop_missing", 1000, None)
    assert (second.status, second.energy_wh) == ("active", 0)


def test_text_of_any_kind_survives_the_flush(network: Network, engine: Engine, station: Station) -> None:
    odd = """ "quot", {br}, \\a\\b, NULL,'ü€😀'\t\n,}{"""
    engine.say(
        station, "StatusNotification", v16.status("Faulted", error="OtherError", info=odd, vendorId="NULL", vendorErrorCode="")
    )
    (entry,) = network.history(station)
    assert (entry.info, entry.vendor_id, entry.vendor_error_code) == (odd, "NULL", "")
    assert network.connectors(station)[1].info == odd


def test_samples_go_to_the_month_they_belong_to(network: Network, engine: Engine, station: Station) -> None:
    for days in (0, 40, 2000):
        engine.say(station, "MeterValues", v16.meters(1500, seconds=days * 86_400 + 60))
    assert len(network.samples(station)) == 3
    old = datetime.now(UTC) - timedelta(days=100)
    assert MeterSample.objects.with_scopes_disabled().filter(station=station, at__lt=old).count() == 1
