"""Reservations: a plug kept for somebody."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import IdToken, Operator, User
from stations.models.command import Command
from stations.models.station import Station
from stations.models.transaction import Transaction


class ReservationStatus(models.TextChoices):
    """Asked for; kept; and the ways in which it ends. Refused: it never came about."""

    REQUESTED = "requested", "Requested"
    ACTIVE = "active", "Active"
    USED = "used", "Used"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"
    REMOVED = "removed", "Removed"
    REFUSED = "refused", "Refused"


RESERVATION_OPEN = (ReservationStatus.REQUESTED, ReservationStatus.ACTIVE)


class Reservation(models.Model):
    """A plug of a station that is kept for an id token, or for its group, until `expires_at`.

    `number` is what the station calls it, unique among those it keeps. `evse_number` empty: the station keeps any, of the
    `connector_type` if one is named. `id_key` is the token as tokens are compared. `transaction` used it.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="reservations", db_index=False)
    number = models.IntegerField()
    evse_number = models.PositiveSmallIntegerField(null=True, blank=True)
    connector_type = models.CharField(max_length=20, blank=True)
    id_tag = models.CharField(max_length=255)
    id_key = models.CharField(max_length=255, editable=False)
    id_token_type = models.CharField(max_length=20, blank=True)
    id_token = models.ForeignKey(IdToken, models.SET_NULL, null=True, blank=True, related_name="+")
    group = models.CharField(max_length=36, blank=True)
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=ReservationStatus.choices, default=ReservationStatus.REQUESTED)
    detail = models.CharField(max_length=300, blank=True, help_text="Why it ended, or what the station said.")
    command = models.ForeignKey(Command, models.SET_NULL, null=True, blank=True, related_name="+")
    transaction = models.ForeignKey(
        Transaction, models.SET_NULL, null=True, blank=True, related_name="reservations", db_constraint=False
    )
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["station", "number"], condition=Q(status="active"), name="reservation_active_number"),
        ]
        indexes = [
            models.Index(fields=["station", "-id"], name="reservation_station_id"),
            models.Index(fields=["station", "number"], name="reservation_station_number"),
            models.Index(fields=["operator", "-id"], name="reservation_operator_id"),
            models.Index(fields=["operator", "status", "-id"], name="reservation_operator_status"),
            models.Index(fields=["operator", "id_key", "-id"], name="reservation_operator_key"),
            models.Index(fields=["station"], condition=Q(status__in=RESERVATION_OPEN), name="reservation_station_open"),
            models.Index(fields=["expires_at"], condition=Q(status__in=RESERVATION_OPEN), name="reservation_open_expires"),
        ]

    def __str__(self) -> str:
        return f"reservation {self.number}"
