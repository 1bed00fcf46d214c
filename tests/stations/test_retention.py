"""What goes and what stays, in tables with partitions of their own months; and that nobody waits for it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django_scopes import scopes_disabled

from accounts.models import Operator
from stations import partitions, tasks
from stations.models import MessageLogEntry, MeterQuarter, MeterSample, OutboxEntry, Station, StatusHistory, Transaction
from stations.services import retention
from tests.network import Network
from tests.stations.batches import wait_until_blocked

#: The tests' now: far from the months in which other tests write.
NOW = datetime(2020, 6, 15, tzinfo=UTC)
OLD, RECENT = datetime(2018, 3, 10, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def months(committed: None) -> Iterator[None]:
    """Partitions of `OLD` and of `NOW` and the months before them, and no other operator with a say in the terms."""
    with scopes_disabled(), connection.cursor() as cursor:
        for when in (OLD, NOW):
            partitions.make(cursor, when.date(), ahead=0)
        tasks.count_quarters()
        yield
        for model in (MeterSample, MessageLogEntry, StatusHistory, MeterQuarter):
            table = model._meta.db_table
            model.objects.filter(**{f"{partitions.PARTITIONED[table]}__lt": NOW.replace(year=2021)}).delete()
            for one in partitions.of(cursor, table):
                if one.end and one.end.year <= 2020:
                    cursor.execute(f"DROP TABLE {one.name}")


@pytest.fixture
def station(network: Network) -> Station:
    return network.station(accepted=True)


def transaction(station: Station, number: str = "1", at: datetime = OLD, **fields: Any) -> Transaction:
    given = {"status": "ended", "started_at": at, "stopped_at": at + timedelta(hours=1), "received_at": at}
    return Transaction.objects.create(operator=station.operator, station=station, ocpp_transaction_id=number, **(given | fields))


def sample(station: Station, at: datetime, of: Transaction | None = None) -> None:
    MeterSample.objects.create(
        operator=station.operator, station=station, transaction=of, evse_number=1, at=at, context="Sample.Periodic"
    )


def message(station: Station, at: datetime) -> None:
    MessageLogEntry.objects.create(
        operator=station.operator, station=station, direction="in", protocol="", message_id="1", action="Heartbeat",
        call="[]", received_at=at, handling_us=1,
    )  # fmt: skip


def state(station: Station, at: datetime) -> None:
    StatusHistory.objects.create(
        operator=station.operator, station=station, evse_number=1, connector_number=1, status="Available", at=at, received_at=at
    )


def moments(model: Any, station: Station) -> list[datetime]:
    column = partitions.PARTITIONED[model._meta.db_table]
    return list(model.objects.filter(station=station).order_by(column).values_list(column, flat=True))


def there(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool(cursor.fetchone()[0])


def let_go(**fields: Any) -> retention.Gone:
    return retention.let_go(now=NOW, **fields)


def other_connection() -> "psycopg.Connection[Any]":
    connection.ensure_connection()
    return psycopg.connect(connection.connection.info.dsn, password=connection.connection.info.password)


def test_whole_months_that_are_over_are_dropped_and_the_others_stay(station: Station) -> None:
    # Messages are kept for six months, samples and states for 24.
    with connection.cursor() as cursor:
        partitions.make(cursor, OLD.date())
    for write in (sample, message, state):
        write(station, OLD)
        write(station, RECENT)
    gone = let_go()
    for model in (MeterSample, MessageLogEntry, StatusHistory):
        assert moments(model, station) == [RECENT]
        assert not there(f"{model._meta.db_table}_2018_03")
    assert {"stations_metersample_2018_03", "stations_statushistory_2018_03", "stations_messagelogentry_2018_03"} <= set(
        gone.dropped
    )
    assert there("stations_metersample_2020_05")
    assert not there("stations_metersample_2018_05")


def test_a_term_of_24_months_is_24_whole_months_and_the_one_that_runs(station: Station) -> None:
    first = datetime(2018, 6, 1, tzinfo=UTC)
    with connection.cursor() as cursor:
        partitions.make(cursor, first.date(), ahead=0)
    sample(station, first - timedelta(seconds=1))
    sample(station, first)
    let_go()
    assert moments(MeterSample, station) == [first]


def test_samples_stay_until_their_quarters_are_counted(station: Station) -> None:
    sample(station, OLD)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE stations_meterprogress SET received_until = now() - interval '2 days'")
    let_go()
    assert moments(MeterSample, station) == [OLD]
    with connection.cursor() as cursor:  # the sample was received a minute ago
        cursor.execute(
            "UPDATE stations_metersample SET received_at = now() - interval '1 minute' WHERE station_id = %s", [station.pk]
        )
    tasks.count_quarters()
    let_go()
    assert moments(MeterSample, station) == []
    assert moments(MeterQuarter, station) == [OLD]


def test_a_term_set_by_the_installation_counts(station: Station, settings: Any) -> None:
    settings.KEEP_MONTHS = settings.KEEP_MONTHS | {"samples": 30}
    sample(station, OLD)
    let_go()
    assert moments(MeterSample, station) == [OLD]


@pytest.mark.parametrize(
    "unfinished", [{"status": "active", "stopped_at": None}, pytest.param({"doubt": "register"}, marks=pytest.mark.long), {}]
)
def test_samples_of_a_session_that_is_not_final_stay(station: Station, unfinished: dict[str, Any]) -> None:
    kept, final = transaction(station, "1", **unfinished), transaction(station, "2")
    if not unfinished:  # billing has not seen its end yet
        entry = OutboxEntry.objects.create(
            operator=station.operator,
            topic="transaction_ended",
            subscriber="billing",
            object_id=kept.pk,
            created_at=OLD,
            due_at=OLD,
        )
    sample(station, OLD + timedelta(minutes=5), kept)
    sample(station, OLD + timedelta(minutes=6), final)
    sample(station, OLD + timedelta(minutes=7))
    let_go()
    assert not there("stations_metersample_2018_03")
    assert moments(MeterSample, station) == [OLD + timedelta(minutes=5)]
    let_go()
    assert moments(MeterSample, station) == [OLD + timedelta(minutes=5)]
    # Once it is final, they go.
    if unfinished:
        Transaction.objects.filter(pk=kept.pk).update(status="ended", doubt="", stopped_at=OLD + timedelta(hours=1))
    else:
        entry.delete()
    assert let_go().deleted == 1
    assert moments(MeterSample, station) == []


def test_an_operator_may_keep_for_a_shorter_time(station: Station, network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "STATIONS", 1)
    longer = Network().station(accepted=True)
    Operator.objects.filter(pk=network.operator.pk).update(keep_messages_days=10, keep_samples_days=10, keep_status_days=10)
    running = transaction(station, status="active", stopped_at=None, at=RECENT)
    for write in (sample, message, state):
        for minute in range(5):
            write(station, RECENT + timedelta(minutes=minute))
            write(longer, RECENT + timedelta(minutes=minute))
        write(station, NOW - timedelta(days=9))
    sample(station, RECENT + timedelta(minutes=9), running)
    assert let_go().deleted == 15
    for model in (MessageLogEntry, StatusHistory):
        assert moments(model, station) == [NOW - timedelta(days=9)]
    assert moments(MeterSample, station) == [RECENT + timedelta(minutes=9), NOW - timedelta(days=9)]
    for model in (MessageLogEntry, StatusHistory, MeterSample):
        assert len(moments(model, longer)) == 5


def test_a_month_that_became_empty_is_dropped(station: Station, network: Network) -> None:
    Operator.objects.filter(pk=network.operator.pk).update(keep_messages_days=10)
    message(station, datetime(2020, 5, 20, tzinfo=UTC))
    # May is the month before: it is made anew for what comes late, so it stays.
    gone = let_go()
    assert (gone.deleted, there("stations_messagelogentry_2020_05")) == (1, True)
    later = retention.let_go(now=NOW + timedelta(days=31))
    assert "stations_messagelogentry_2020_05" in later.dropped


def test_what_waits_in_the_default_partition_goes_too(station: Station) -> None:
    sample(station, datetime(2013, 1, 1, tzinfo=UTC))
    message(station, datetime(2013, 1, 1, tzinfo=UTC))
    state(station, datetime(2013, 1, 1, tzinfo=UTC))
    let_go()
    for model in (MeterSample, MessageLogEntry, StatusHistory):
        assert moments(model, station) == []


@pytest.mark.long
def test_a_long_reader_puts_a_month_off_and_holds_up_no_writer(station: Station) -> None:
    sample(station, OLD)
    with other_connection() as reader:
        reader.execute("SELECT count(*) FROM stations_metersample")  # and reads on
        gone = let_go()
        assert gone.put_off == ["stations_metersample_2018_02"]
        assert there("stations_metersample_2018_03")
        sample(station, RECENT)  # nothing waits in front of it
        # Rows of a month that is put off are not deleted one by one instead.
        assert moments(MeterSample, station) == [OLD, RECENT]
    assert "stations_metersample_2018_03" in let_go().dropped


@pytest.mark.long
def test_a_writer_waits_behind_a_drop_for_its_patience_at_most(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the drop waits for a reader, whoever comes waits behind it; then it gives up, and they go on."""
    monkeypatch.setattr(partitions, "PATIENCE", "2s")
    sample(station, OLD)
    with other_connection() as reader, other_connection() as writer:
        reader.execute("SELECT count(*) FROM stations_metersample")

        def dropping() -> None:
            with scopes_disabled():
                let_go()
            connection.close()

        thread = threading.Thread(target=dropping)
        thread.start()
        wait_until_blocked(reader)
        writer.execute(
            "INSERT INTO stations_metersample (operator_id, station_id, evse_number, at, context) VALUES (%s, %s, 1, %s, 'x')",
            (station.operator_id, station.pk, RECENT),
        )
        writer.commit()
        assert there("stations_metersample_2018_03")  # the reader is still there: it was the drop that gave up
        thread.join()
    assert moments(MeterSample, station) == [OLD, RECENT]


def test_two_runs_at_once_do_no_harm(station: Station, network: Network) -> None:
    Operator.objects.filter(pk=network.operator.pk).update(keep_messages_days=10)
    message(station, OLD)
    message(station, RECENT)
    with other_connection() as other:
        for lock in (partitions.LOCK, retention.LOCK):
            other.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (lock,))
        gone = let_go()
        assert (gone.dropped, gone.deleted) == ([], 0)
    gone = let_go()
    assert moments(MessageLogEntry, station) == []


def test_a_run_that_is_cut_short_or_out_of_time_is_gone_on_with(
    station: Station, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    Operator.objects.filter(pk=network.operator.pk).update(keep_messages_days=10)
    for minute in range(7):
        message(station, RECENT + timedelta(minutes=minute))
    delete, calls = retention._delete_some, []

    def killed(kind: Any, *args: Any) -> Any:
        done = delete(kind, *args)
        if done[0]:
            calls.append(done)
            if len(calls) == 2:
                raise KeyboardInterrupt
        return done

    monkeypatch.setattr(retention, "_delete_some", killed)
    with pytest.raises(KeyboardInterrupt):
        let_go()
    assert len(moments(MessageLogEntry, station)) == 3
    monkeypatch.setattr(retention, "_delete_some", delete)
    assert let_go(budget_s=0).finished is False
    assert len(moments(MessageLogEntry, station)) == 3
    assert let_go().deleted == 3


def test_making_partitions_gives_way_to_a_reader(network: Network) -> None:
    with connection.cursor() as cursor:
        newest = partitions.of(cursor, "stations_metersample")[-2].name
        cursor.execute(f"DROP TABLE {newest}")
    with other_connection() as reader:
        reader.execute("SELECT count(*) FROM stations_metersample")
        assert tasks.make_partitions() == []
    assert newest in tasks.make_partitions()
