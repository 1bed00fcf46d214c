"""How the versions of OCPP differ where a station is mirrored to a second back end."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from csms.ocpp import mend, registry, schemas
from csms.ocpp.errors import InvalidPayload
from csms.ocpp.translator import Payload
from csms.ocpp.v16 import forward as v16
from csms.ocpp.v201 import forward as v201
from stations.domain.events import ConnectorStatusReported, StationBooted


class Wording(Protocol):
    def boot(self, event: StationBooted) -> Payload: ...

    def status(self, event: ConnectorStatusReported) -> Payload | None: ...

    def translated(self, action: str, payload: Payload, numbers: Mapping[str, int]) -> Payload | None: ...

    def numbered(self, action: str, ours: Any, theirs: Any) -> tuple[str, int] | None: ...

    def is_sample(self, action: str, payload: Payload) -> bool: ...


WORDINGS: dict[str, Wording] = {"ocpp1.6": cast(Wording, v16), "ocpp2.0.1": cast(Wording, v201)}


def introduction(protocol: str, booted: StationBooted, states: list[ConnectorStatusReported]) -> list[tuple[str, Payload]]:
    """What a station would say that has just started: action and payload. Of its states, those that the version can say."""
    wording = WORDINGS[protocol]
    said = [("StatusNotification", wording.status(state)) for state in states]
    return [
        ("BootNotification", wording.boot(booted)),
        *((name, told) for name, told in said if told and _valid(protocol, name, told)),
    ]


def _valid(protocol: str, action: str, payload: Payload) -> bool:
    try:
        mend.validate(protocol, action, payload)
    except InvalidPayload:
        return False
    return True


def actions() -> list[str]:
    """Every action of every version, for filters."""
    return sorted({action for protocol in registry.PROTOCOLS for action in schemas.actions(protocol)})
