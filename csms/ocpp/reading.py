"""Which command reads all settings of a station: what its version has words for."""

from csms.ocpp import registry
from stations.domain import commands


def read_all(protocol: str) -> commands.Command:
    """A report of everything where the version has reports, else the reading of all keys. Unknown protocol: the latter."""
    if protocol in registry.OUTGOING and registry.outgoing(protocol, commands.GetBaseReport.kind):
        return commands.GetBaseReport()
    return commands.GetVariables()


def sayable(protocol: str) -> set[str]:
    """The kinds of commands that a version can say; of an unknown one, all that any can."""
    tables = [registry.OUTGOING[protocol]] if protocol in registry.OUTGOING else list(registry.OUTGOING.values())
    return {kind for table in tables for kind in table}
