"""How OCPP 2.0.1 names parts of the device model, and how much of it goes into one message (2.0.1 part 1, 4)."""

from dataclasses import replace
from typing import Any

import orjson

from csms.ocpp.translator import Payload, Unsayable
from csms.ocpp.verdicts import outcome
from stations.domain.commands import Outcome, VariableName, Verdict, named_component, named_variable

#: How many variables go into one message where the station does not say (DeviceDataCtrlr.ItemsPerMessage).
ITEMS = 20
#: What a CALL needs beside its data, in bytes.
AROUND = 200


def parts(data: list[Any], limits: dict[str, int], action: str) -> list[list[Any]]:
    """The data in pieces that the station takes in one message: by their number, and by their bytes if it says so
    (ItemsPerMessage and BytesPerMessage of DeviceDataCtrlr and MonitoringCtrlr)."""
    most = max(1, limits.get(f"ItemsPerMessage{action}", ITEMS))
    most_bytes = limits.get(f"BytesPerMessage{action}")
    found: list[list[Any]] = []
    size = 0
    for one in data:
        needs = len(orjson.dumps(one)) + 1 if most_bytes else 0
        full = not found or len(found[-1]) >= most or (most_bytes is not None and AROUND + size + needs > most_bytes)
        if full:
            found.append([])
            size = 0
        found[-1].append(one)
        size += needs
    return found


def one_message(data: list[Any], limits: dict[str, int], action: str) -> list[Any]:
    """The data, if the station takes it in one message: what is asked for in two comes in two reports."""
    most = limits.get(f"ItemsPerMessage{action}")
    if most is not None and len(data) > max(1, most):
        raise Unsayable(f"The station takes {most} variables in one {action}: ask for fewer at once.")
    return data


def agreed(sent: Payload, answer: Payload) -> Outcome:
    """What a station says to a request for a report."""
    said = outcome(answer, facts={"request_id": sent["requestId"]})
    if answer["status"] == "EmptyResultSet":
        # It has nothing to tell, and sends no page: that is an answer, not a refusal.
        return replace(said, verdict=Verdict.ACCEPTED, facts={"empty": [sent["requestId"]]})
    return said


def name_of(one: Payload) -> VariableName:
    """Of a component alone the variable is ""."""
    component, variable = one["component"], one.get("variable") or {}
    evse = component.get("evse") or {}
    return VariableName(
        component["name"],
        variable.get("name", ""),
        component.get("instance", ""),
        variable.get("instance", ""),
        evse.get("id", 0),
        evse.get("connectorId", 0),
    )


def flat(one: Payload) -> dict[str, Any]:
    """As an entry of a command's parameters."""
    name = name_of(one)
    entry: dict[str, Any] = {"component": name.component} | ({"variable": name.variable} if name.variable else {})
    optional = {
        "component_instance": name.component_instance,
        "variable_instance": name.variable_instance,
        "evse": name.evse,
        "connector": name.connector,
        "attribute": one.get("attributeType", ""),
    }
    return entry | {key: value for key, value in optional.items() if value}


def address(one: dict[str, Any], *, component_alone: bool = False) -> Payload:
    """The component and variable that an entry names."""
    name = named_component(one) if component_alone else named_variable(one)
    if not name.component:
        raise Unsayable(f"OCPP 2.0.1 needs the component of {name.variable}.")
    component: Payload = {"name": name.component}
    if name.component_instance:
        component["instance"] = name.component_instance
    if name.evse:
        component["evse"] = {"id": name.evse} | ({"connectorId": name.connector} if name.connector else {})
    if not name.variable:
        return {"component": component}
    variable: Payload = {"name": name.variable} | ({"instance": name.variable_instance} if name.variable_instance else {})
    return {"component": component, "variable": variable}
