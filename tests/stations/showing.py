"""What tests of displays share: a station that says what it can show."""

from typing import Any

from stations.models import Station
from tests.engine import Engine

CARD = {"idToken": "CARD", "type": "ISO14443"}


def says(engine: Engine, station: Station, **variables: str) -> None:
    """A report of settings: `Component__Variable__instance="value"`, dots of the instance as "_"."""
    data = []
    for name, value in variables.items():
        component, variable, *instance = name.split("__")
        named: dict[str, Any] = {"name": variable} | ({"instance": instance[0].replace("_", ".")} if instance else {})
        data.append({"component": {"name": component}, "variable": named, "variableAttribute": [{"value": value}]})
    payload = {"requestId": 1, "generatedAt": "2026-11-21T10:00:00Z", "seqNo": 0, "reportData": data}
    assert engine.say(station, "NotifyReport", payload) == {}


def keys(engine: Engine, station: Station, **values: str) -> None:
    """The same of 1.6: what it answers when its configuration is read."""
    from stations.domain import commands
    from tests.stations.asking import issue, sent

    issue(station, commands.GetVariables())
    listed = [{"key": key, "readonly": True, "value": value} for key, value in values.items()]
    engine.reply(station, sent(engine, station), {"configurationKey": listed})
