"""The JSON schemas of the `ocpp` package, compiled once a process."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

#: Sub-protocol to the package's folder.
FOLDERS = {"ocpp1.6": "v16", "ocpp2.0.1": "v201", "ocpp2.1": "v21"}


@cache
def actions(protocol: str) -> frozenset[str]:
    """Every action the protocol has a schema for."""
    folder = files("ocpp") / FOLDERS[protocol] / "schemas"
    names = {path.name.removesuffix(".json") for path in folder.iterdir() if path.name.endswith(".json")}
    return frozenset(name.removesuffix("Request") for name in names if not name.endswith("Response"))


@cache
def schema(protocol: str, name: str) -> dict[str, Any]:
    """The schema of a request ("Heartbeat") or response ("HeartbeatResponse")."""
    folder = files("ocpp") / FOLDERS[protocol] / "schemas"
    path = folder / f"{name}.json"
    if not path.is_file():
        path = folder / f"{name}Request.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return loaded


@cache
def validator(protocol: str, name: str) -> jsonschema_rs.Validator:
    """Formats are not checked here: times are read by our own lenient parser."""
    return jsonschema_rs.validator_for(schema(protocol, name), validate_formats=False)
