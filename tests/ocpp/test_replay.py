"""A recorded message log, replayed: the tables are as they were, with the ids that were given, and nobody hears of it."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django_scopes import scopes_disabled

from accounts.models import AuditEntry, IdToken, Operator
from csms.ocpp.recording import Recording, Unreadable
from stations import ports
from stations.batch import Batch
from stations.models import MessageLogEntry, OutboxEntry, Station, Transaction
from tests.chaos.postgres import point_at
from tests.engine import Engine
from tests.network import Network
from tests.ocpp.stories import V16, Recorder, forget, write
from tests.ocpp.tables import contents
from tests.ocpp.test_batching import kill_own_backend
from tests.servers import environment
from tests.v16 import BOOT, meters, start, stop


def replay(path: Path, *options: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("replay", str(path), *options, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def again(network: Network) -> str:
    """The name of the operator that the replay goes to."""
    return f"{network.operator.name} again"


def replayed(network: Network, path: Path, *options: str) -> tuple[str, Operator]:
    forget(network)
    told = replay(path, "--operator", again(network), *options)
    return told, Operator.objects.get(name=again(network))


def assert_same(then: dict[str, list[Any]], now: dict[str, list[Any]]) -> None:
    for table, rows in then.items():
        missing = [row for row in rows if row not in now[table]]
        more = [row for row in now[table] if row not in rows]
        assert (missing[:2], more[:2]) == ([], []), f"{table}: {len(missing)} of {len(rows)} rows differ"
        assert len(rows) == len(now[table]), table


def test_a_replay_arrives_at_the_same_tables(network: Network, tmp_path: Path) -> None:
    recorder = Recorder(network, seed=1)
    recorder.live(stations=6, sessions=5)
    then = contents(network.operator)
    lines = write(network, tmp_path / "log.ndjson")
    assert {table: bool(rows) for table, rows in then.items()} == dict.fromkeys(then, True)
    assert len({row["code"] for row in then["Finding"]}) > 12
    told, operator = replayed(network, tmp_path / "log.ndjson", "--check")
    assert_same(then, contents(operator))
    assert f"Replayed {lines - sum(row['direction'] == 'out' for row in then['MessageLogEntry'])} messages of 6 chargers" in told
    assert "Every answer is the one of then." in told
    with scopes_disabled():
        assert not OutboxEntry.objects.filter(operator=operator).exists()


@pytest.fixture
def second(network: Network) -> Iterator[str]:
    """Another database of the same server, with tables and nothing in them: its URL."""
    first = urlsplit(environment()["DATABASE_URL"])
    url, name = first._replace(path=f"{first.path}_second").geturl(), f"{first.path[1:]}_second"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    manage(url, "migrate", "--verbosity", "0")
    before = dict(connections.settings["default"])
    yield url
    point_at("postgres:///")
    connections.settings["default"].update(before)
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def manage(url: str, *words: str) -> str:
    """What a command prints that has this database."""
    more = environment() | {"DATABASE_URL": url}
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR,
        env=more,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_a_thousand_sessions_are_reproduced_row_by_row_in_another_database(network: Network, second: str, tmp_path: Path) -> None:
    recorder = Recorder(network, seed=6)
    recorder.live(stations=40, sessions=26)
    then = contents(network.operator)
    assert len(then["Transaction"]) > 1000
    lines = write(network, tmp_path / "log.ndjson")
    told = manage(second, "replay", str(tmp_path / "log.ndjson"), "--check")
    assert "of 40 chargers into Replayed." in told
    point_at(second)
    assert_same(then, contents(Operator.objects.get()))
    assert lines == len(then["MessageLogEntry"]) > 8_000


# What is kept of then


@pytest.fixture
def recorded(network: Network, engine: Engine, tmp_path: Path) -> tuple[Station, Path]:
    """One session of a station that had booted before the recording began."""
    known = network.station(accepted=True)
    network.token("CARD")
    number = engine.say(known, "StartTransaction", start(tag="card"))["transactionId"]
    engine.say(known, "MeterValues", meters(2000, transaction=number))
    engine.say(known, "StopTransaction", stop(number))
    write(network, tmp_path / "log.ndjson")
    return known, tmp_path / "log.ndjson"


def edited(path: Path, edit: Any) -> Path:
    """The file with each line changed."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(edit(line)) + "\n" for line in lines))
    return path


def test_ids_are_those_that_were_given_and_new_ones_are_new(
    recorded: tuple[Station, Path], network: Network, engine: Engine
) -> None:
    def later(line: Any) -> Any:
        return json.loads(json.dumps(line).replace(f'"transactionId": {number}', f'"transactionId": {number + 5000}'))

    known, path = recorded
    (charged,) = network.transactions(known)
    number = int(charged.ocpp_transaction_id)
    _told, operator = replayed(network, edited(path, later))
    with scopes_disabled():
        there = Transaction.objects.get(operator=operator)
        station = Station.objects.get(operator=operator)
    assert (there.ocpp_transaction_id, there.energy_wh, there.status) == (str(number + 5000), charged.energy_wh, "ended")
    assert station.accepted_at is not None
    fresh = Engine(V16).say(station, "StartTransaction", start(seconds=1, tag="card"))
    assert fresh["transactionId"] > number + 5000


def test_a_network_replayed_is_offline_and_its_tags_are_enrolled(recorded: tuple[Station, Path], network: Network) -> None:
    known, path = recorded
    told, operator = replayed(network, path)
    with scopes_disabled():
        assert IdToken.objects.get(operator=operator).key == "CARD"
        there = Station.objects.select_related("connection").get(operator=operator)
        assert there.identity == known.identity
        assert there.connection.disconnected_at == there.connection.seen_at is not None
        assert AuditEntry.objects.filter(operator=operator, action="log.replayed").count() == 1
    assert "1 id tags were enrolled" in told


def test_a_log_of_many_files_in_any_order_is_read_in_the_order_of_its_time(
    recorded: tuple[Station, Path], network: Network
) -> None:
    _, path = recorded
    newest, middle, oldest = path.read_text().splitlines()
    path.write_text("\n".join([middle, "", newest, oldest]))
    with Recording(path) as recording:
        assert [json.loads(line.text)[2] for line in recording] == ["StartTransaction", "MeterValues", "StopTransaction"]
        assert [line.number for line in recording] == [4, 1, 3]
    replayed(network, path, "--check")


def test_an_answer_that_differs_is_told_and_fails_a_check(recorded: tuple[Station, Path], network: Network) -> None:
    def otherwise(line: Any) -> Any:
        if line["action"] == "MeterValues":
            line["answer"][2] = {"odd": True}
        return line

    _, path = recorded
    forget(network)
    edited(path, otherwise)
    with pytest.raises(CommandError, match="1 answers differ") as failed:
        replay(path, "--operator", again(network), "--check")
    assert failed.value.returncode == 1
    with scopes_disabled():
        # It is told, and kept all the same.
        assert Transaction.objects.get(operator__name=again(network)).status == "ended"


# What is in the way


def test_a_database_that_knows_the_chargers_is_refused_and_left_as_it_is(recorded: tuple[Station, Path], network: Network) -> None:
    known, path = recorded
    with pytest.raises(CommandError, match=r"Line 3: .* has messages or sessions in this database already"):
        replay(path, "--operator", network.operator.name)
    with pytest.raises(CommandError, match="belongs to another operator"):
        replay(path, "--operator", again(network))
    assert not Operator.objects.filter(name=again(network)).exists()
    assert len(network.log(known)) == 3


def test_a_replay_that_fails_in_the_middle_leaves_nothing(recorded: tuple[Station, Path], network: Network) -> None:
    def hidden(line: Any) -> Any:
        return json.loads(json.dumps(line).replace('"card"', '"***card"')) if line["action"] == "StartTransaction" else line

    _, path = recorded
    forget(network)
    with pytest.raises(CommandError, match="id tags are hidden in this file"):
        replay(edited(path, hidden), "--operator", again(network))
    assert not Operator.objects.filter(name=again(network)).exists()
    assert not connection.in_atomic_block


def test_a_database_that_goes_away_in_the_middle_has_kept_nothing(
    recorded: tuple[Station, Path], network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flush(batch: Batch) -> None:
        original(batch)
        kill_own_backend()

    _, path = recorded
    forget(network)
    original = Batch.flush
    monkeypatch.setattr(Batch, "flush", flush)
    with pytest.raises(CommandError, match="The database failed, and nothing was kept"):
        replay(path, "--operator", again(network))
    assert not Operator.objects.filter(name=again(network)).exists()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1", "It is not JSON"),
        ("[]", "It is not an object"),
        ("{}", "It has no station, direction, protocol, received_at, call."),
        ({"direction": "up"}, '"direction" is "in" or "out"'),
        ({"protocol": "ocpp1.5"}, '"protocol" is one of'),
        ({"station": "a:b"}, '"station" is no identity'),
        ({"received_at": "yesterday"}, '"received_at" is no time'),
        ({"handling_ms": "slow"}, "is no number"),
    ],
)
def test_a_line_that_is_none_is_named_with_its_reason(line: Any, reason: str, tmp_path: Path) -> None:
    good = {
        "station": "A",
        "direction": "in",
        "protocol": V16,
        "received_at": "2026-11-20T08:00:00Z",
        "call": [2, "1", "Heartbeat", {}],
    }
    text = line if isinstance(line, str) else json.dumps(good | line)
    path = tmp_path / "log.ndjson"
    path.write_text(f"{json.dumps(good)}\n{text}\n")
    with pytest.raises(Unreadable) as failed, Recording(path):
        pass
    assert [(number, reason in said) for number, said in failed.value.errors] == [(2, True)]
    with pytest.raises(CommandError, match="Line 2: "):
        replay(path, "--operator", "Nobody")


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        replay(tmp_path / "nothing.ndjson")


def test_an_empty_file_replays_to_nothing(network: Network, tmp_path: Path) -> None:
    (tmp_path / "log.ndjson").write_text("")
    told = replay(tmp_path / "log.ndjson", "--operator", again(network))
    assert "Replayed 0 messages of 0 chargers" in told


def test_nobody_hears_of_a_replay_and_sessions_are_priced_only_if_asked(
    recorded: tuple[Station, Path], network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Loud(ports.Silence):
        def changed(self, *_: Any, **__: Any) -> None:
            raise AssertionError("a bell rang")

        work = command = fenced = changed

    _, path = recorded
    monkeypatch.setattr(ports, "bell", Loud())
    _told, operator = replayed(network, path, "--prices")
    with scopes_disabled():
        (entry,) = OutboxEntry.objects.filter(operator=operator)
    assert entry.topic == "transaction_ended"
    assert isinstance(ports.bell, Loud)


def test_what_the_api_gives_can_be_replayed_too(recorded: tuple[Station, Path], network: Network) -> None:
    def as_api(line: Any) -> Any:
        return {**line, "id": 1, "handling_us": round(line.pop("handling_ms") * 1000)}

    _, path = recorded
    told, operator = replayed(network, edited(path, as_api), "--check")
    with scopes_disabled():
        assert MessageLogEntry.objects.filter(operator=operator, handling_us__gt=0).count() == 3
    assert "Every answer" in told


def test_a_station_that_was_not_taken_in_yet_is_refused_again(network: Network, engine: Engine, tmp_path: Path) -> None:
    known = network.station(registration="Rejected")
    assert engine.say(known, "Heartbeat", {})[2] == "SecurityError"
    assert engine.say(known, "BootNotification", BOOT)["status"] == "Rejected"
    assert engine.say(known, "Heartbeat", {})[2] == "SecurityError"
    write(network, tmp_path / "log.ndjson")
    _told, operator = replayed(network, tmp_path / "log.ndjson", "--check")
    with scopes_disabled():
        assert Station.objects.get(operator=operator).registration == "Rejected"
