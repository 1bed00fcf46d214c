"""Payloads of OCPP 2.0.1's chapters B and N as stations send them."""

from datetime import UTC, datetime
from typing import Any

BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "Amber", "model": "AC-22", "firmwareVersion": "1.0"}}
TEMPERATURE: dict[str, Any] = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Temperature"}}
NOW = "2026-11-20T10:00:00Z"


def setting(value: str = "300", variable: str = "HeartbeatInterval", component: str = "OCPPCommCtrlr") -> dict[str, Any]:
    return {
        "component": {"name": component},
        "variable": {"name": variable},
        "variableAttribute": [{"value": value, "mutability": "ReadOnly"}],
        "variableCharacteristics": {"dataType": "integer", "supportsMonitoring": True},
    }


def page(request_id: int, number: int, *, last: bool = False, **more: Any) -> dict[str, Any]:
    return {"requestId": request_id, "seqNo": number, "generatedAt": NOW} | ({} if last else {"tbc": True}) | more


def monitor(number: int = 1, *, value: float = 70, severity: int = 2, type: str = "UpperThreshold", **name: Any) -> dict[str, Any]:
    one = {"id": number, "transaction": False, "value": value, "type": type, "severity": severity}
    return TEMPERATURE | name | {"variableMonitoring": [one]}


def event(number: int = 1, value: str = "81", **more: Any) -> dict[str, Any]:
    """An alert of monitor 1, unless told otherwise."""
    data = TEMPERATURE | {
        "eventId": number,
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "trigger": "Alerting",
        "actualValue": value,
        "eventNotificationType": "CustomMonitor",
        "variableMonitoringId": 1,
    }
    return {name: part for name, part in (data | more).items() if part is not None}


def events(*data: dict[str, Any], number: int = 0, more: bool = False) -> dict[str, Any]:
    return {"generatedAt": NOW, "seqNo": number, "eventData": list(data)} | ({"tbc": True} if more else {})
