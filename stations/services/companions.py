"""What is made together with a command, and follows it to its end: a firmware update with the command that asks for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stations.batch import Batch
from stations.domain import commands
from stations.models import Command, Station


@dataclass(frozen=True, slots=True)
class Companion:
    """`made` is called in the transaction of the command's row; `answered` gets what the answer changed of it, and its facts."""

    made: Callable[[Command, Station, commands.Command], None]
    answered: Callable[[Batch, int, dict[str, Any], dict[str, Any]], None]


#: By the command's kind; `stations.services` names them.
OF: dict[str, Companion] = {}
