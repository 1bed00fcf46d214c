"""A private PostgreSQL: made once, started on a port of 127.0.0.1, asked until it answers."""

import locale
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from csms.local import binaries
from csms.local.homes import Home
from csms.local.ports import start_on_a_port
from csms.local.processes import Claim, Trouble, call

USER = DATABASE = "csms"
#: For tests, whose data need not outlive a power cut. In `make run` everything stays as PostgreSQL has it.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def start(claim: Claim, home: Home, *, password: str, port: int | None, forgetful: bool) -> int:
    """Start it, with its data in `home`; returns the port."""
    data = home.folder / "postgres"
    version = data / "PG_VERSION"
    major = int(version.read_text()) if version.exists() else None
    if forgetful and major and not _has(home, major):
        shutil.rmtree(data)
        major = None
    programs = binaries.find_postgres(home, major)
    if not major:
        _make(programs, home, data)
    # We hold the claim, so nobody runs on this data; the file of a killed server could name a number since given to another.
    (data / "postmaster.pid").unlink(missing_ok=True)
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200"}
    settings |= FORGETFUL if forgetful else {}

    def command(port: int) -> list[str]:
        options = [f"-c{name}={value}" for name, value in settings.items()]
        return [str(programs / "postgres"), "-D", str(data), "-p", str(port), *options]

    def answers(port: int) -> bool:
        url = f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"
        try:
            with psycopg.connect(url, connect_timeout=2, autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True

    return start_on_a_port(claim, home, "postgres", command, answers, port=port, stop_with=signal.SIGINT)


def _has(home: Home, major: int) -> bool:
    try:
        return bool(binaries.find_postgres(home, major))
    except Trouble:
        return False


def _make(programs: Path, home: Home, data: Path) -> None:
    """Make the data folder beside its place and move it there when it is whole: a killed start leaves no half of one."""
    making = home.make_folder("postgres.new")
    shutil.rmtree(data, ignore_errors=True)
    argv = [str(programs / "initdb"), "-D", str(making), "-U", USER, "--pwfile", str(home.folder / "password")]
    argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", f"--lc-ctype={_ctype()}"]
    log = home.folder / "initdb.log"
    with log.open("wb") as out:
        if call(argv, stdout=out, stderr=subprocess.STDOUT, **home.popen()) != 0:
            raise Trouble(f"PostgreSQL could not make its data folder. It said:\n{log.read_text()}")
    making.rename(data)


def _ctype() -> str:
    """A locale in which upper and lower case are known beyond ASCII, if the system has one."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            try:
                return locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
