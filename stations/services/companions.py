"""What is made together with a command, and follows it to its end: a firmware update with the command that asks for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stations.batch import Batch
from stations.domain import commands
from stations.flush import Cursor
from stations.models import Command, Station


@dataclass(frozen=True, slots=True)
class Companion:
    """`made` is called in the transaction of the command's row; `answered` gets what the answer changed of it, and its facts;
    `ended` is told (with its status) of one that ended without an answer."""

    made: Callable[[Command, Station, commands.Command], None]
    answered: Callable[[Batch, int, dict[str, Any], dict[str, Any]], None]
    ended: Callable[[Cursor, int, str, datetime], None] | None = None


#: By the command's kind; `stations.services` names them.
OF: dict[str, Companion] = {}
