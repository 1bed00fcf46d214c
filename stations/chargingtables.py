"""How what limits stations reaches its tables (see `stations.flush`)."""

from stations.flush import Table
from stations.models import ChargingLimit, ChargingProfile, CompositeSchedule, EvChargingNeeds, EvChargingSchedule

TABLES = (
    Table(
        ChargingProfile,
        key=("station_id", "source", "profile_id"),
        merge="renew",
        renewed=("evse_number", "purpose", "kind", "stack_level", "reported", "reported_at", "checked_at", "report_id"),
    ),
    Table(
        ChargingLimit,
        key=("station_id", "evse_number", "source"),
        merge="renew",
        renewed=("grid_critical", "schedules", "reported_at", "cleared_at"),
    ),
    Table(
        CompositeSchedule,
        key=("station_id", "evse_number"),
        merge="renew",
        renewed=("unit", "start_at", "duration_s", "periods", "ours", "difference", "reported_at"),
    ),
    Table(
        EvChargingNeeds,
        key=("station_id", "evse_number"),
        merge="renew",
        renewed=(
            *("ocpp_transaction_id", "mode", "departure_at", "schedules_taken", "needs", "answer", "state", "received_at"),
            "offered_at",
        ),
    ),
    Table(
        EvChargingSchedule,
        key=("station_id", "evse_number"),
        merge="renew",
        renewed=("ocpp_transaction_id", "start_at", "schedule", "exceeds", "received_at"),
    ),
)
