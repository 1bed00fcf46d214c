"""Payloads of OCPP 1.6 messages, as a station makes them. Times are given in seconds before now."""

from typing import Any

from tests.peer import ago

BOOT = {"chargePointVendor": "Amber", "chargePointModel": "AC-22", "firmwareVersion": "1.0"}


def start(seconds: int = 600, meter: Any = 1000, connector: Any = 1, tag: str = "CARD", **fields: Any) -> dict[str, Any]:
    return {"connectorId": connector, "idTag": tag, "meterStart": meter, "timestamp": ago(seconds)} | fields


def stop(transaction: Any, seconds: int = 60, meter: Any = 5000, **fields: Any) -> dict[str, Any]:
    return {"transactionId": transaction, "meterStop": meter, "timestamp": ago(seconds)} | fields


def meters(
    energy: Any, seconds: int = 300, transaction: Any = None, connector: Any = 1, context: str = "Sample.Periodic", **fields: Any
) -> dict[str, Any]:
    """One reading of the register in Wh; `fields` are further sampled values, measurand (with "_" for ".") to text."""
    samples = [] if energy is None else [{"value": str(energy), "context": context, "unit": "Wh"}]
    samples += [{"value": v, "measurand": m.replace("_", "."), "context": context} for m, v in fields.items()]
    payload = {"connectorId": connector, "meterValue": [{"timestamp": ago(seconds), "sampledValue": samples}]}
    return payload if transaction is None else payload | {"transactionId": transaction}


def status(state: str, seconds: int | None = 0, connector: Any = 1, error: str = "NoError", **fields: Any) -> dict[str, Any]:
    payload = {"connectorId": connector, "status": state, "errorCode": error} | fields
    return payload if seconds is None else payload | {"timestamp": ago(seconds)}
