"""Changes of a station's password that it was told over its own socket."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator, User
from stations.models.command import Command
from stations.models.station import Station


class ChangeStatus(models.TextChoices):
    """How far a change is. What the station may show meanwhile: both passwords while it waits, is unknown or takes effect at a
    restart; the new one alone once it was accepted."""

    WAITING = "waiting", "Waiting"
    UNKNOWN = "unknown", "Unknown"
    AT_RESTART = "at_restart", "At its restart"
    ACCEPTED = "accepted", "Accepted"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"
    NOT_TAKEN = "not_taken", "Not taken"
    UNSENT = "unsent", "Not sent"
    REPLACED = "replaced", "Replaced"


#: It is not known yet which of the two passwords the station will show.
IN_FLIGHT = (ChangeStatus.WAITING, ChangeStatus.UNKNOWN, ChangeStatus.AT_RESTART)


class PasswordChange(models.Model):
    """One attempt to give a station another password over the air, from the asking to the proof that it uses it.

    While `finished_at` is empty the station may come with `new_hash` too; it is the hash of the password that the command holds
    sealed until it is sent.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="password_changes", db_index=False)
    command = models.ForeignKey(Command, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    new_hash = models.CharField(max_length=200, editable=False)
    status = models.CharField(max_length=12, choices=ChangeStatus.choices, default=ChangeStatus.WAITING)
    detail = models.CharField(max_length=300, blank=True, help_text="What the station said.")
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["station", "-id"], name="passwordchange_station_id")]
        constraints = [
            models.UniqueConstraint(fields=["station"], condition=Q(finished_at__isnull=True), name="passwordchange_station_open")
        ]

    def __str__(self) -> str:
        return f"password change {self.pk}"
