"""What is said to a station for a command."""

from datetime import UTC, datetime

import pytest

from csms.ocpp import errands, registry
from stations.services.commands import Claimed

LOG = {"remoteLocation": "https://files.example.com/logs/"}


@pytest.mark.parametrize(
    ("protocol", "action", "payload"),
    [
        ("ocpp1.6", "GetLog", {"logType": "DiagnosticsLog", "requestId": 7, "log": LOG}),
        ("ocpp1.6", "GetLog", {"logType": "SecurityLog", "requestId": 7, "log": LOG}),
        ("ocpp1.6", "GetDiagnostics", {"location": "https://files.example.com/logs/"}),
        ("ocpp2.0.1", "GetLog", {"logType": "DiagnosticsLog", "requestId": 7, "log": LOG}),
    ],
)
def test_an_action_that_is_named_is_the_one_that_is_sent(protocol: str, action: str, payload: dict[str, object]) -> None:
    """Though the version has another for the same command."""
    command = registry.BY_ACTION[protocol][action].parse(payload)
    facts = {"raw": {"action": action, "payload": payload}}
    claimed = Claimed(1, 1, 1, protocol, command.kind, command.params(), facts, 1, datetime.now(UTC))
    errand = errands.prepare(claimed, {})
    assert (errand.translator.action, errand.calls) == (action, (payload,))
