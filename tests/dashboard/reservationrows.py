"""Rows of what is kept at chargers and of how they are reached, made without asking anybody."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from stations.models import NetworkMove, NetworkProfile, Reservation, Station


def made_reservation(station: Station, **fields: Any) -> Reservation:
    """Kept at plug 1 for an hour, unless told otherwise."""
    now = timezone.now()
    tag = fields.pop("id_tag", "DEE-CARD")
    given = {"number": 1, "evse_number": 1, "expires_at": now + timedelta(hours=1), "status": "active", "created_at": now}
    given |= {"id_token_type": "ISO14443"} | fields
    return Reservation.objects.create(operator=station.operator, station=station, id_tag=tag, id_key=tag.upper(), **given)


def made_profile(station: Station, **fields: Any) -> NetworkProfile:
    given = {"slot": 1, "url": "wss://csms.example.com/ocpp", "security_profile": 2, "interface": "Wired0"} | fields
    given = {"message_timeout_s": 30, "ocpp_version": "OCPP20", "transport": "JSON", "set_at": timezone.now()} | given
    return NetworkProfile.objects.create(operator=station.operator, station=station, **given)


def made_move(station: Station, **fields: Any) -> NetworkMove:
    now = timezone.now()
    given = {
        "slot": 1,
        "priority": "1,0",
        "priority_before": "0",
        "status": "watching",
        "created_at": now,
        "restarted_at": now,
        "due_at": now,
    }
    given |= fields
    return NetworkMove.objects.create(operator=station.operator, station=station, **given)


def kept(station: Station, other: Station) -> tuple[Reservation, NetworkProfile, NetworkMove]:
    """One reservation in each state; profiles, and moves: one under way, one at each end."""
    now = timezone.now()
    ends = {"used": "", "cancelled": "", "expired": "", "removed": "The plug became Faulted.", "refused": "Occupied"}
    for number, (status, detail) in enumerate(ends.items(), start=2):
        made_reservation(station, number=number, status=status, detail=detail, finished_at=now)
    anywhere = {"evse_number": None, "connector_type": "cCCS2"}
    made_reservation(station, number=7, status="requested", id_tag="0000", id_token_type="KeyCode", **anywhere)
    profile = made_profile(other, apn={"apn": "internet", "password": "***"}, vpn={"server": "vpn.example.com"})
    for status in ("arrived", "gone", "returned", "lost", "failed", "cancelled"):
        made_move(other, status=status, finished_at=now, detail="Storing the profile: Failed.")
    return made_reservation(station), profile, made_move(other)
