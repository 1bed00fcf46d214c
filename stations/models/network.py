"""The ways by which stations reach a management system, and their moves from one to another."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator, User
from stations.models.command import Command
from stations.models.station import Station


class NetworkProfile(models.Model):
    """What a station took into one of its slots, secrets left out (OCPP 2.0.1 B09)."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="network_profiles", db_index=False)
    slot = models.IntegerField()
    url = models.CharField(max_length=512)
    security_profile = models.PositiveSmallIntegerField()
    interface = models.CharField(max_length=10)
    message_timeout_s = models.PositiveIntegerField()
    ocpp_version = models.CharField(max_length=10)
    transport = models.CharField(max_length=10)
    apn = models.JSONField(null=True, blank=True)
    vpn = models.JSONField(null=True, blank=True)
    command = models.ForeignKey(Command, models.SET_NULL, null=True, blank=True, related_name="+")
    set_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["station", "slot"], name="networkprofile_station_slot")]
        indexes = [models.Index(fields=["operator", "-id"], name="networkprofile_operator_id")]

    def __str__(self) -> str:
        return f"slot {self.slot}"


class MoveStatus(models.TextChoices):
    """How far a move is: the profile is stored, put first, the station restarts, and is waited for. Then where it ended."""

    PROFILE = "profile", "Storing the profile"
    PRIORITY = "priority", "Putting it first"
    RESTART = "restart", "Restarting"
    WATCHING = "watching", "Waiting for it"
    ARRIVED = "arrived", "Connected here"
    GONE = "gone", "Gone elsewhere"
    RETURNED = "returned", "Came back"
    LOST = "lost", "Not heard again"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Given up"


#: Ends that need somebody: it is not heard again, or came back by another slot.
ASTRAY = (MoveStatus.LOST, MoveStatus.RETURNED)
MOVE_OPEN = (MoveStatus.PROFILE, MoveStatus.PRIORITY, MoveStatus.RESTART, MoveStatus.WATCHING)


class NetworkMove(models.Model):
    """A station led to another network profile, step by step. `away`: the new way leads to another system, not to us.

    `priority_before` is the order of its slots before, by which it is led back. `command` is the step that is under way. `came_by`
    is the slot by which it came back, if it did and told.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="network_moves", db_index=False)
    slot = models.IntegerField()
    away = models.BooleanField(default=False)
    back = models.BooleanField(default=False, help_text="Whether it leads back to the order before.")
    priority = models.CharField(max_length=200, blank=True)
    priority_before = models.CharField(max_length=200, blank=True)
    came_by = models.IntegerField(null=True, blank=True, help_text="The slot by which it came back; null: it did not, or not told.")
    status = models.CharField(max_length=10, choices=MoveStatus.choices, default=MoveStatus.PROFILE)
    detail = models.CharField(max_length=300, blank=True)
    command = models.ForeignKey(Command, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When it is looked at next.")
    restarted_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["station"], condition=Q(finished_at__isnull=True), name="networkmove_one_open"),
        ]
        indexes = [
            models.Index(fields=["station", "-id"], name="networkmove_station_id"),
            models.Index(fields=["operator", "-id"], name="networkmove_operator_id"),
            models.Index(fields=["operator", "-id"], condition=Q(status__in=("lost", "returned")), name="networkmove_astray"),
            models.Index(fields=["due_at"], condition=Q(finished_at__isnull=True), name="networkmove_open_due"),
        ]

    def __str__(self) -> str:
        return f"move {self.pk}"
