"""PostgreSQL and Redis for this checkout: the environment's, else private ones."""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import environ
import psycopg
import redis

from csms.local import postgres, redisserver
from csms.local.homes import Home, find_home
from csms.local.processes import Claim, Trouble, say, sweep, until

URLS = ("DATABASE_URL", "REDIS_URL")


def folder(checkout: Path) -> Path:
    """`.services/` of the checkout, made if need be."""
    place = checkout / ".services"
    place.mkdir(mode=0o755, exist_ok=True)
    if place.stat().st_uid != os.geteuid():
        raise Trouble(f"{place} belongs to another user. Run this as that user, or delete it to begin anew.")
    return place


@contextmanager
def for_running(checkout: Path) -> Iterator[dict[str, str]]:
    """The servers of `make run` and `make services`, with data that is kept, as {"DATABASE_URL": ..., "REDIS_URL": ...}.

    1. What the environment names is used, and left alone.
    2. What another `make` of this checkout has running is used with it.
    3. The rest is started, stands in .services/urls.json for `manage.py`, and is stopped at the end.
    """
    place = folder(checkout)
    sweep(place)
    remembered = _remembered(place)
    missing = [name for name in URLS if not given(name)]
    with Claim(place / "data.claim") as claim:
        ours = False

        def settled() -> bool:
            nonlocal ours
            ours = claim.take()
            return ours or answer(_remembered(place), missing)

        if not until(settled, 60):
            raise Trouble("Another make holds this checkout's servers, but they do not answer. Stop it and try again.")
        if ours:
            urls = _start(claim, find_home(place, "data"), missing, remembered, forgetful=False) if missing else {}
            _remember(place, remembered | urls)
        else:
            say("Using the PostgreSQL and Redis that another make of this checkout has running.")
            urls = {name: _remembered(place)[name] for name in missing}
        yield {name: given(name) for name in URLS} | urls


@contextmanager
def for_tests(checkout: Path) -> Iterator[dict[str, str]]:
    """Servers of a test run's own, fast and forgetful, beside what `make run` may have running, and secrets for it."""
    place = folder(checkout)
    sweep(place)
    missing = [name for name in URLS if not given(name)]
    for number in range(1, 100):  # a second test run of this checkout at the same time gets the next home
        with Claim(place / f"test{number}.claim") as claim:
            if not claim.take():
                continue
            urls = _start(claim, find_home(place, f"test{number}"), missing, {}, forgetful=True) if missing else {}
            keys = {"SECRET_KEY": secrets.token_urlsafe(50), "CSMS_STATION_SECRET_KEYS": f"test:{secrets.token_urlsafe(32)}"}
            yield {name: given(name) for name in URLS} | urls | keys
            return
    raise Trouble("A hundred test runs of this checkout at once are too many.")


def given(name: str) -> str:
    """What the environment says, directly or through NAME_FILE."""
    value: str = environ.FileAwareEnv().str(name, default="")
    return value


def answer(urls: dict[str, str], names: list[str]) -> bool:
    """Whether servers answer at these URLs."""
    return all(name in urls and version(urls[name]) for name in names)


def version(url: str) -> str:
    """Name and version of the server at this URL; empty when none answers."""
    try:
        if url.startswith("redis"):
            with redis.Redis.from_url(url, socket_timeout=2) as client:
                return f"Redis {client.info('server')['redis_version']}"
        with psycopg.connect("postgresql://" + url.partition("://")[2], connect_timeout=2) as connection:
            return f"PostgreSQL {connection.info.parameter_status('server_version')}"
    except (redis.RedisError, psycopg.Error):
        return ""


def _start(claim: Claim, home: Home, names: list[str], remembered: dict[str, str], *, forgetful: bool) -> dict[str, str]:
    password = _password(home)

    def port(name: str) -> int | None:
        return urlsplit(remembered.get(name, "")).port

    starts: dict[str, Callable[[], str]] = {
        "DATABASE_URL": lambda: (
            f"postgres://{postgres.USER}:{password}@127.0.0.1:"
            f"{postgres.start(claim, home, password=password, port=port('DATABASE_URL'), forgetful=forgetful)}/{postgres.DATABASE}"
        ),
        "REDIS_URL": lambda: (
            f"redis://:{password}@127.0.0.1:{redisserver.start(claim, home, password=password, port=port('REDIS_URL'))}/0"
        ),
    }
    return {name: starts[name]() for name in names}


def _password(home: Home) -> str:
    """Of both servers: made once, kept where only their user may read it."""
    path = home.folder / "password"
    if not path.exists() or not path.read_text():
        home.write(path.name, secrets.token_urlsafe(24))
    return path.read_text()


def _remembered(place: Path) -> dict[str, str]:
    """.services/urls.json: where the servers are, and the secrets, made once and kept."""
    path = place / "urls.json"
    try:
        found: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        found = {}
    if "SECRET_KEY" not in found:
        found |= {"SECRET_KEY": secrets.token_urlsafe(50), "STATION_SECRET_KEY": f"local:{secrets.token_urlsafe(32)}"}
        _remember(place, found)
    return found


def _remember(place: Path, values: dict[str, str]) -> None:
    path, making = place / "urls.json", place / "urls.json.new"
    making.unlink(missing_ok=True)
    making.touch(mode=0o600)
    making.write_text(json.dumps(values, indent=1) + "\n")
    making.replace(path)
