"""Commands: what was asked of a station, and what came of it."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator, User
from stations.models.commandrun import CommandRun
from stations.models.station import Station


class CommandStatus(models.TextChoices):
    """A command's life: queued, sent, answered, its effect seen or not. It may end before it is sent: expired, cancelled.

    That of a firmware update is cancelled with it also later.
    """

    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    FAILED = "failed", "Failed"
    TIMED_OUT = "timed_out", "Timed out"
    CONFIRMED = "confirmed", "Confirmed"
    NO_EFFECT = "no_effect", "No effect"
    EXPIRED = "expired", "Expired"
    CANCELLED = "cancelled", "Cancelled"


OPEN = (CommandStatus.QUEUED, CommandStatus.SENT, CommandStatus.ACCEPTED)
#: What was asked did not happen, or nobody knows that it did.
FRUITLESS = (
    CommandStatus.REJECTED,
    CommandStatus.FAILED,
    CommandStatus.TIMED_OUT,
    CommandStatus.NO_EFFECT,
    CommandStatus.EXPIRED,
)


class Command(models.Model):
    """One command for one station; the truth, of which a bell only tells.

    `params` are the parameters of `stations.domain.commands`; `facts` is what the answer or the sending fixed for later, such
    as the request's number; `effect_due_at` is when the effect must have been seen.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, related_name="commands")
    run = models.ForeignKey(CommandRun, models.SET_NULL, null=True, blank=True, related_name="commands", db_index=False)
    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    status = models.CharField(max_length=12, choices=CommandStatus.choices, default=CommandStatus.QUEUED)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was asked, in the words of who asked.")
    idempotency_key = models.CharField(max_length=100, null=True, blank=True)
    action = models.CharField(max_length=50, blank=True)
    message_id = models.CharField(max_length=36, blank=True)
    response = models.JSONField(null=True, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    detail = models.CharField(max_length=300, blank=True, help_text="What the station said, or what went wrong.")
    error_code = models.CharField(max_length=50, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    effect_due_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    #: No column: whether it was asked for again with its idempotency key, and is not new.
    repeated = False

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["operator", "idempotency_key"], name="command_idempotency_key")]
        indexes = [
            models.Index(fields=["station", "-id"], name="command_station_id"),
            models.Index(fields=["operator", "-id"], name="command_operator_id"),
            models.Index(fields=["run", "id"], condition=Q(run__isnull=False), name="command_run_id"),
            models.Index(fields=["station", "id"], condition=Q(status__in=OPEN), name="command_station_open"),
            models.Index(fields=["station", "-id"], condition=Q(kind="change_availability"), name="command_availability"),
            models.Index(fields=["expires_at"], condition=Q(status="queued"), name="command_queued_expires"),
            models.Index(fields=["effect_due_at"], condition=Q(status__in=["sent", "accepted"]), name="command_effect_due"),
            models.Index(fields=["operator", "-finished_at"], condition=Q(status__in=FRUITLESS), name="command_operator_fruitless"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
