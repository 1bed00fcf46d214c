"""The tests' database is made once a run: by a process of its own while the workers still collect tests, and each has a copy.

Without xdist, or with `--reuse-db`, `tests/conftest.py` makes it as Django does.
"""

import os
import subprocess
import sys
from typing import Any

import django
import psycopg
import pytest
from django.conf import settings
from django.db import connection

#: Where a worker finds the name of what it is to copy.
KEY = "csms_template"


class Leader:
    """A plugin of the process that leads the workers."""

    def __init__(self) -> None:
        self.name = f"csms_template_{os.getpid()}"
        self.making: subprocess.Popen[bytes] | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        if node.config.getvalue("reuse_db"):
            return
        node.workerinput[KEY] = self.name
        self.making = self.making or subprocess.Popen([sys.executable, "-m", "tests.copies", self.name], cwd=settings.BASE_DIR)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """No test has been given out yet."""
        if self.making and self.making.wait():
            pytest.exit("The tests' database could not be made; what went wrong stands above.", returncode=1)

    def pytest_sessionfinish(self) -> None:
        if self.making:
            self.making.kill()
            self.making.wait()
            url = settings.DATABASE_URL.partition("://")[2]
            with psycopg.connect(f"postgresql://{url}", dbname="postgres", autocommit=True) as server:
                server.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


def copy(template: str) -> list[tuple[Any, str, bool]]:
    """Makes the database of this worker and works on it from here on; returns what `setup_databases` would."""
    before, name = connection.settings_dict["NAME"], connection.settings_dict["TEST"]["NAME"]
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]  # as Django's own creation does
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    return [(connection, before, True)]


def make(name: str) -> None:
    connection.settings_dict["TEST"]["NAME"] = name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # whoever is connected is in the way of a copy


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms.settings")
    django.setup()
    make(sys.argv[1])
