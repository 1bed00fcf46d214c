"""Which translator reads and writes which action of which version. Literal, filled at import; a duplicate raises."""

from collections.abc import Callable
from typing import TypeVar

from csms.ocpp import schemas, v16, v201
from csms.ocpp.errors import UnknownAction, UnsupportedAction
from csms.ocpp.translator import Incoming, Outgoing

#: Sub-protocols we speak, best first.
PROTOCOLS = ("ocpp2.0.1", "ocpp1.6")

T = TypeVar("T")


def _table(translators: tuple[type[T], ...], key: Callable[[type[T]], str]) -> dict[str, type[T]]:
    table: dict[str, type[T]] = {}
    for translator in translators:
        if key(translator) in table:
            raise ValueError(f"Two translators for {key(translator)}")
        table[key(translator)] = translator
    return table


INCOMING: dict[str, dict[str, type[Incoming]]] = {
    "ocpp1.6": _table(v16.INCOMING, lambda t: t.action),
    "ocpp2.0.1": _table(v201.INCOMING, lambda t: t.action),
}
#: By the command's kind, and by the action for raw CALLs.
OUTGOING: dict[str, dict[str, type[Outgoing]]] = {
    "ocpp1.6": _table(tuple(t for t in v16.OUTGOING if t.instead_of is None), lambda t: t.command.kind),
    "ocpp2.0.1": _table(tuple(t for t in v201.OUTGOING if t.instead_of is None), lambda t: t.command.kind),
}
BY_ACTION: dict[str, dict[str, type[Outgoing]]] = {
    "ocpp1.6": _table(tuple(t for t in v16.OUTGOING if not t.tunnelled), lambda t: t.action),
    "ocpp2.0.1": _table(tuple(t for t in v201.OUTGOING if not t.tunnelled), lambda t: t.action),
}


def incoming(protocol: str, action: str) -> type[Incoming]:
    """The translator of a station's CALL. Raises UnsupportedAction or UnknownAction."""
    translator = INCOMING[protocol].get(action)
    if translator is not None:
        return translator
    if action in schemas.actions(protocol):
        reason = "only the CSMS sends it" if action in BY_ACTION[protocol] else "it is not made yet"
        raise UnsupportedAction(f"{action} is not supported here: {reason}.")
    raise UnknownAction(f"{protocol.removeprefix('ocpp')} has no action {action[:50]!r}.")


def outgoing(protocol: str, kind: str) -> type[Outgoing] | None:
    """The translator of a command; None where the version has no such command."""
    return OUTGOING[protocol].get(kind)
