"""What limits a charger, one of each kind."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from stations.models import ChargingLimit, ChargingProfile, CompositeSchedule, EvChargingNeeds, EvChargingSchedule, Station


def plain(purpose: str, limit: float, **fields: Any) -> dict[str, Any]:
    start = (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    periods = [{"start_s": 0, "limit": limit}, {"start_s": 20_000, "limit": limit / 2}]
    schedule = {"unit": "A", "periods": periods, "start": start}
    return {"purpose": purpose, "kind": "Absolute", "stack_level": 0, "schedules": [schedule]} | fields


def limited(station: Station) -> None:
    now = timezone.now()
    of = {"operator": station.operator, "station": station}
    whole, default = plain("ChargingStationMaxProfile", 32, id=1), plain("TxDefaultProfile", 16, id=2)
    other = plain("TxDefaultProfile", 10, id=2)
    external = plain("ChargingStationExternalConstraints", 20, id=9)
    rows: list[dict[str, Any]] = [
        {"profile_id": 1, "evse_number": 0, "wanted": whole, "set_at": now},
        {"profile_id": 2, "evse_number": 1, "wanted": default, "reported": other, "set_at": now, "checked_at": now},
        {"profile_id": 3, "evse_number": 2, "wanted": default | {"id": 3}, "set_at": now, "checked_at": now},
        {"profile_id": 9, "evse_number": 0, "source": "SO", "reported": external, "reported_at": now, "checked_at": now},
    ]
    for row in rows:
        body = row.get("wanted") or row["reported"]
        ChargingProfile.objects.create(**of, purpose=body["purpose"], kind=body["kind"], stack_level=0, **row)
    ChargingLimit.objects.create(
        **of, evse_number=0, source="EMS", grid_critical=True, schedules=plain("", 25)["schedules"], reported_at=now
    )
    CompositeSchedule.objects.create(
        **of, evse_number=0, unit="A", start_at=now, duration_s=86_400, periods=[{"start_s": 0, "limit": 32}],
        ours=[{"start_s": 0, "limit": 20}], difference="From 10:00:00 UTC on it may draw 20 A; it says 32 A.", reported_at=now,
    )  # fmt: skip
    EvChargingNeeds.objects.create(
        **of, evse_number=1, mode="AC_three_phase", departure_at=now + timedelta(hours=3), schedules_taken=3, answer="Accepted",
        needs={"energy_wh": 20_000, "max_a": 16, "soc_percent": 40}, state="offered", received_at=now, offered_at=now,
    )  # fmt: skip
    EvChargingSchedule.objects.create(
        **of, evse_number=1, start_at=now, schedule=plain("", 32)["schedules"][0], exceeds=True, received_at=now
    )
