"""A PostgreSQL of the tests' own, which may be stopped, crashed and started again."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connections

from csms.local import postgres, services
from csms.local.homes import find_home
from csms.local.processes import Claim, birth
from tests import database
from tests.servers import environment, until


class Postgres:
    """On a port of its own, with the tables of the product. It keeps what it has committed, as a real one does."""

    def __init__(self, name: str) -> None:
        place = services.folder(Path(settings.BASE_DIR))
        self.claim = Claim(place / f"{name}.claim")
        assert self.claim.take(), f"another run holds {name}"
        self.home = find_home(place, name)
        shutil.rmtree(self.home.folder / "postgres", ignore_errors=True)
        self.password = services._password(self.home)
        self.port: int | None = None
        self.database = name
        self.running = False
        self.start()
        self.execute(f"CREATE DATABASE {name}", database="postgres")

    @property
    def url(self) -> str:
        return f"postgres://{postgres.USER}:{self.password}@127.0.0.1:{self.port}/{self.database}"

    def migrate(self) -> None:
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=settings.BASE_DIR, env=environment(), check=True, timeout=300)

    def start(self) -> None:
        port = self.port
        self.port = postgres.start(self.claim, self.home, password=self.password, port=port, forgetful=False)
        self.running = True
        assert port in (None, self.port), "its port was taken meanwhile"

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: it ends all sessions and shuts down. SIGQUIT: it ends as if it had crashed."""
        database.close()  # ours would be cut, too
        pid = int((self.home.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, number)
        until(lambda: not birth(pid))
        self.claim.end()
        self.running = False

    def restart(self, number: signal.Signals = signal.SIGINT) -> None:
        self.stop(number)
        self.start()

    def end_sessions(self) -> None:
        """Every connection is cut; this process's own is closed before."""
        database.close()
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", self.database, database="postgres"
        )

    def execute(self, statement: str, *values: Any, database: str = "") -> list[Any]:
        url = self.url.rpartition("/")[0] + "/" + (database or self.database)
        with psycopg.connect("postgresql" + url.removeprefix("postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def remove(self) -> None:
        self.claim.__exit__()
        shutil.rmtree(self.home.folder / "postgres", ignore_errors=True)


def point_at(url: str) -> None:
    """This process's look into the tables goes to the database of this URL."""
    database.close()
    connections["default"].close_pool()
    target = urlsplit(url)
    connections.settings["default"].update(
        HOST=target.hostname, PORT=target.port or "", USER=target.username, PASSWORD=target.password or "", NAME=target.path[1:]
    )
