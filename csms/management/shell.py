"""What our commands have in common: a wrong input ends with a sentence, not with a traceback."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.tokens import parse_moment


class Shell(BaseCommand):
    """A command with actions: `manage.py <command> <action> ...` calls the method that the action's parser sets as `run`."""

    def handle(self, *args: Any, **options: Any) -> None:
        with sentences(), from_the_shell():
            options["run"](options)


@contextmanager
def sentences() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise CommandError("\n".join(error.messages)) from error


@contextmanager
def from_the_shell() -> Iterator[None]:
    """What is changed within is told as the doing of whoever sits at the machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = ""  # a container's user that has no name
    with audit.acting(None, via="shell", label=f"shell ({name})" if name else "shell"):
        yield


def moment(text: str | None) -> datetime | None:
    """A date or time given on the command line."""
    try:
        return parse_moment(text) if text else None
    except ValueError as error:
        raise CommandError(str(error)) from error
