"""The bench's own database on the server that DATABASE_URL names, and what that server is."""

from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.bench import cpu

NAME = "csms_bench_records"


def fresh(url: str) -> str:
    """An empty database, in place of an earlier run's; returns its URL."""
    with psycopg.connect(dsn(url), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {NAME}")
    return urlsplit(url)._replace(path=f"/{NAME}").geturl()


def postmaster(url: str) -> int | None:
    """The process id of the server, or None where its processes cannot be seen (another machine, a container)."""
    with psycopg.connect(dsn(url)) as connection:
        try:
            pid = cpu.parent(connection.info.backend_pid)
            return pid if "postgres" in Path(f"/proc/{pid}/comm").read_text() else None
        except FileNotFoundError:
            return None


def settings(url: str) -> dict[str, str]:
    """The version, and the settings that figures depend on."""
    with psycopg.connect(dsn(url)) as connection:
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
        return {name: str(connection.execute(f"SHOW {name}").fetchone()[0]) for name in names}  # type: ignore[index]


def dsn(url: str) -> str:
    return "postgresql://" + url.partition("://")[2]
