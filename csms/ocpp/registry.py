"""Which translator reads which action of which version. Literal, filled at import; a duplicate raises."""

from csms.ocpp import schemas, v16
from csms.ocpp.errors import UnknownAction, UnsupportedAction
from csms.ocpp.translator import Incoming

#: Sub-protocols we speak, best first.
PROTOCOLS = ("ocpp1.6",)


def _table(translators: tuple[type[Incoming], ...]) -> dict[str, type[Incoming]]:
    table: dict[str, type[Incoming]] = {}
    for translator in translators:
        if translator.action in table:
            raise ValueError(f"Two translators for {translator.action}")
        table[translator.action] = translator
    return table


INCOMING = {"ocpp1.6": _table(v16.INCOMING)}
UNSUPPORTED = {"ocpp1.6": v16.UNSUPPORTED}


def incoming(protocol: str, action: str) -> type[Incoming]:
    """The translator of a station's CALL. Raises UnsupportedAction or UnknownAction."""
    translator = INCOMING[protocol].get(action)
    if translator is not None:
        return translator
    if action in schemas.actions(protocol):
        reason = UNSUPPORTED[protocol].get(action, "only the CSMS sends it")
        raise UnsupportedAction(f"{action} is not supported here: {reason}.")
    raise UnknownAction(f"{protocol.removeprefix('ocpp')} has no action {action[:50]!r}.")
