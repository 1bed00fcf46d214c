"""`make services` and the servers of `make test`, as processes."""

import json
import os
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from csms.local import binaries, homes, services
from csms.local.processes import Trouble
from tests.local.conftest import Launcher, gone, written_down

Launch = Callable[..., Launcher]


def ask(url: str, sql: str) -> str:
    with psycopg.connect("postgresql://" + url.partition("://")[2], autocommit=True) as connection:
        cursor = connection.execute(sql)
        return str((cursor.fetchone() or [""])[0]) if cursor.description else ""


def test_services_print_urls_that_answer_and_ctrl_c_leaves_nothing_behind(checkout: Path, launch: Launch) -> None:
    launcher = launch(checkout, "services")
    urls = launcher.urls()
    assert urlsplit(urls["DATABASE_URL"]).hostname == urlsplit(urls["REDIS_URL"]).hostname == "127.0.0.1"
    assert ask(urls["DATABASE_URL"], "SHOW fsync") == "on"
    assert ask(urls["DATABASE_URL"], "SELECT upper('é')") == "É", "searches ignore case beyond ASCII"
    with redis.Redis.from_url(urls["REDIS_URL"]) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}

    stored = checkout / ".services" / "urls.json"
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert {name: json.loads(stored.read_text())[name] for name in urls} == urls
    pids = written_down(checkout)
    assert len(pids) == 2
    assert launcher.stop() == 0
    assert gone(pids)


@pytest.mark.long
def test_the_servers_let_nobody_in_without_the_password(checkout: Path, launch: Launch) -> None:
    urls = launch(checkout, "services").urls()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://csms:guess@127.0.0.1:{urlsplit(urls['DATABASE_URL']).port}/csms")
    with redis.Redis(port=urlsplit(urls["REDIS_URL"]).port or 0) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="only root could make this mistake")
def test_as_root_the_servers_run_as_somebody_else(checkout: Path, launch: Launch) -> None:
    launch(checkout, "services").urls()
    assert all(Path(f"/proc/{pid}").stat().st_uid != 0 for pid in written_down(checkout))
    assert (checkout / ".services" / "data").readlink().is_relative_to(homes.SYSTEM_FOLDER)


@pytest.mark.long
def test_after_kill_9_the_next_start_clears_up_and_keeps_data_secrets_and_ports(checkout: Path, launch: Launch) -> None:
    first = launch(checkout, "services")
    urls = first.urls()
    secrets = (checkout / ".services" / "urls.json").read_text()
    ask(urls["DATABASE_URL"], "CREATE TABLE kept AS SELECT 42 AS answer")
    orphans = written_down(checkout)
    first.stop(signal.SIGKILL)
    assert not gone(orphans)

    second = launch(checkout, "services")
    assert second.urls() == urls
    assert gone(orphans)
    assert ask(urls["DATABASE_URL"], "SELECT answer FROM kept") == "42"
    assert (checkout / ".services" / "urls.json").read_text() == secrets


@pytest.mark.long
def test_a_port_that_was_taken_meanwhile_is_left_to_its_owner(checkout: Path, launch: Launch) -> None:
    first = launch(checkout, "services")
    urls = first.urls()
    first.stop()
    taken = urlsplit(urls["DATABASE_URL"]).port
    with socket.create_server(("127.0.0.1", taken or 0)):
        again = launch(checkout, "services").urls()
        assert urlsplit(again["DATABASE_URL"]).port != taken
        assert ask(again["DATABASE_URL"], "SELECT 1") == "1"


@pytest.mark.long
def test_a_start_that_was_killed_while_it_made_the_data_is_begun_again(checkout: Path, launch: Launch) -> None:
    first = launch(checkout, "services")
    first.urls()
    first.stop()
    data = checkout / ".services" / "data"
    (data / "postgres").rename(data / "postgres.new")
    assert ask(launch(checkout, "services").urls()["DATABASE_URL"], "SELECT 1") == "1"


@pytest.mark.long
def test_two_makes_of_one_checkout_share_the_servers(checkout: Path, launch: Launch) -> None:
    first, second = launch(checkout, "services"), launch(checkout, "services")
    assert first.urls() == second.urls()
    user = first if "another make" in first.output else second
    assert user.stop() == 0
    assert services.answer(first.urls(), list(services.URLS))


@pytest.mark.long
def test_two_checkouts_have_servers_of_their_own(make_checkout: Callable[[], Path], launch: Launch) -> None:
    one, other = launch(make_checkout(), "services").urls(), launch(make_checkout(), "services").urls()
    assert not set(one.values()) & set(other.values())


@pytest.mark.long
def test_test_runs_have_forgetful_servers_of_their_own(checkout: Path) -> None:
    with services.for_tests(checkout) as one, services.for_tests(checkout) as other:
        assert one["DATABASE_URL"] != other["DATABASE_URL"]
        assert one["REDIS_URL"] != other["REDIS_URL"]
        assert ask(one["DATABASE_URL"], "SHOW fsync") == "off"
        assert one["SECRET_KEY"] != other["SECRET_KEY"]
        assert not (checkout / ".services" / "urls.json").exists(), "manage.py keeps speaking to the servers of make run"


@pytest.mark.long
def test_servers_of_the_environment_are_used_and_left_alone(checkout: Path, launch: Launch) -> None:
    given = launch(checkout, "services").urls()
    with_both = launch(checkout, "services", **given)
    assert with_both.process.wait(30) == 0
    assert "nothing to start" in with_both.output
    assert services.answer(given, list(services.URLS))


@pytest.mark.long
def test_data_of_a_postgresql_that_is_not_here_is_not_touched(checkout: Path, launch: Launch) -> None:
    first = launch(checkout, "services")
    first.urls()
    first.stop()
    version = checkout / ".services" / "data" / "postgres" / "PG_VERSION"
    version.write_text("9\n")
    launcher = launch(checkout, "services")
    assert launcher.process.wait(30) == 1
    assert "was made by PostgreSQL 9, which is not here. Install it, or delete .services to begin anew." in launcher.output
    assert version.exists()


def test_a_source_nobody_knows_is_named(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSMS_SERVICES", "docker")
    with pytest.raises(Trouble, match='CSMS_SERVICES is "docker"'):
        binaries.find_redis(homes.Home(checkout))


def test_a_folder_of_another_user_is_not_fought_over(checkout: Path, launch: Launch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    (checkout / ".services").mkdir()
    os.chown(checkout / ".services", 65534, 65534)
    launcher = launch(checkout, "services")
    assert launcher.process.wait(30) == 1
    assert "belongs to another user" in launcher.output
