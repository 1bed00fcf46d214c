"""Payloads of OCPP 2.0.1 TransactionEvents as stations send them."""

from typing import Any

CARD = {"idToken": "CARD", "type": "ISO14443"}


def at(minute: float) -> str:
    """A time on the wire: minutes after ten o'clock on a day in the past."""
    seconds = round(minute * 60)
    return f"2026-11-20T{10 + seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}Z"


def event(
    part: str, number: int, *, tx: str = "tx-1", minute: float | None = None, wh: float | None = None, **more: Any
) -> dict[str, Any]:
    """The event `number` of a transaction; its minute is its number unless told otherwise, `wh` its register."""
    when = more.pop("timestamp", at(number if minute is None else minute))
    info = {"transactionId": tx} | more.pop("info", {})
    payload = {
        "eventType": part,
        "timestamp": when,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": number,
        "transactionInfo": info,
    }
    if wh is not None:
        payload["meterValue"] = [{"timestamp": when, "sampledValue": [{"value": wh}]}]
    return payload | more


def started(number: int = 0, **more: Any) -> dict[str, Any]:
    """By CARD on EVSE 1, at 1000 Wh, unless told otherwise."""
    fields = {"evse": {"id": 1, "connectorId": 1}, "idToken": CARD, "wh": 1000} | more
    return event("Started", number, **{name: value for name, value in fields.items() if value is not None})


def updated(number: int, **more: Any) -> dict[str, Any]:
    return event("Updated", number, **more)


def ended(number: int, **more: Any) -> dict[str, Any]:
    return event("Ended", number, **more)


def session(tx: str = "tx-1", *, first: int = 0, minute: int = 0, wh: int = 1000, evse: int = 1) -> list[dict[str, Any]]:
    """Four events: from `wh` to `wh` + 3000 Wh, in three minutes."""
    here = {"evse": {"id": evse, "connectorId": 1}}
    return [
        started(first, tx=tx, minute=minute, wh=wh, **here),
        updated(first + 1, tx=tx, minute=minute + 1, wh=wh + 1000, info={"chargingState": "Charging"}),
        updated(first + 2, tx=tx, minute=minute + 2, wh=wh + 2000),
        ended(first + 3, tx=tx, minute=minute + 3, wh=wh + 3000, info={"stoppedReason": "EVDisconnected"}),
    ]
