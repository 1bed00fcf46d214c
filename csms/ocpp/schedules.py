"""Charging schedules on the wire: their properties have the same names in every version."""

from decimal import Decimal
from typing import Any

from csms.ocpp import times
from csms.ocpp.translator import Payload
from stations.domain.chargingprofiles import Schedule, number
from stations.domain.values import Note

#: As the wire has them, and as the domain has them.
PERIOD = {"startPeriod": "start_s", "limit": "limit", "numberPhases": "phases", "phaseToUse": "phase_to_use"}
PROFILE = {"id": "id", "stackLevel": "stack_level", "chargingProfileKind": "kind", "recurrencyKind": "recurrency"}


def said(schedule: Schedule) -> Payload:
    """Without its id, which not every version has."""
    periods = [
        {wire: value for wire, name in PERIOD.items() if (value := _plain(getattr(one, name))) is not None}
        for one in schedule.periods
    ]
    more: dict[str, Any] = {
        "startSchedule": None if schedule.start is None else times.emit(schedule.start),
        "duration": schedule.duration_s,
        "minChargingRate": None if schedule.min_rate is None else number(schedule.min_rate),
    }
    told: Payload = {"chargingRateUnit": schedule.unit, "chargingSchedulePeriod": periods}
    return told | {name: value for name, value in more.items() if value is not None}


def heard(payload: Payload, notes: list[Note]) -> dict[str, Any]:
    """A plain schedule, as `Schedule.of` reads it."""
    start = payload.get("startSchedule")
    at = times.parse(start, "startSchedule", notes) if start else None
    more = {"start": at and times.emit(at), "duration_s": payload.get("duration"), "min_rate": payload.get("minChargingRate")}
    if payload.get("id", 1) != 1:
        more["id"] = payload["id"]
    return {"unit": payload["chargingRateUnit"], "periods": periods(payload["chargingSchedulePeriod"])} | {
        name: value for name, value in more.items() if value is not None
    }


def periods(listed: list[Payload]) -> list[dict[str, Any]]:
    return [{name: one[wire] for wire, name in PERIOD.items() if wire in one} for one in listed]


def traits(payload: Payload, notes: list[Note]) -> dict[str, Any]:
    """What profiles of every version have alike, but their purpose, id and schedules."""
    found = {name: payload[wire] for wire, name in PROFILE.items() if wire in payload}
    for wire, name in (("validFrom", "valid_from"), ("validTo", "valid_to")):
        at = times.parse(payload[wire], wire, notes) if payload.get(wire) else None
        if at is not None:
            found[name] = times.emit(at)
    return found


def composite(evse: int, start: str, schedule: Payload, duration_s: int) -> dict[str, Any]:
    """A composite schedule as the facts of an outcome."""
    at = times.parse(start, "scheduleStart", [])
    facts = {
        "evse": evse,
        "start": at and times.emit(at),
        "unit": schedule["chargingRateUnit"],
        "duration_s": schedule.get("duration", duration_s),
        "periods": periods(schedule["chargingSchedulePeriod"]),
    }
    return {"composite": facts}


def _plain(value: Any) -> Any:
    return number(value) if isinstance(value, Decimal) else value
