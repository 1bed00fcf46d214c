"""Which command reads all settings of a station: what its version has words for."""

from collections.abc import Callable

from csms.ocpp import registry
from stations.domain import commands
from stations.domain.commandruns import Said


def read_all(protocol: str) -> commands.Command:
    """A report of everything where the version has reports, else the reading of all keys. Unknown protocol: the latter."""
    if protocol in registry.OUTGOING and registry.outgoing(protocol, commands.GetBaseReport.kind):
        return commands.GetBaseReport()
    return commands.GetVariables()


def sayable(protocol: str) -> set[str]:
    """The kinds of commands that a version can say; of an unknown one, all that any can."""
    tables = [registry.OUTGOING[protocol]] if protocol in registry.OUTGOING else list(registry.OUTGOING.values())
    return {kind for table in tables for kind in table}


def wordings(command: commands.Command, of: Callable[[str], commands.Command] | None = None) -> dict[str, Said]:
    """How stations of each protocol are asked for it, "" for those of which none is known; without those that have no words for it.

    `of`: what is asked by protocol, where that differs from `command`.
    """
    asked = {protocol: of(protocol) if of else command for protocol in ("", *registry.OUTGOING)}
    return {protocol: Said(one.kind, one.params()) for protocol, one in asked.items() if one.kind in sayable(protocol)}
