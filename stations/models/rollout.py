"""Roll-outs: one firmware for many stations, in waves."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator, User
from stations.domain.rollouts import StopRule, Window
from stations.models.firmware import Firmware, FirmwareUpdate
from stations.models.station import Station


class RolloutState(models.TextChoices):
    """A roll-out's life. One that is paused or cancelled lets what runs at stations come to its end."""

    DRAFT = "draft", "Draft"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    CANCELLED = "cancelled", "Cancelled"
    DONE = "done", "Done"


class StepState(models.TextChoices):
    """How far one station is."""

    WAITING = "waiting", "Waiting"
    UPDATING = "updating", "Updating"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Left out"
    CANCELLED = "cancelled", "Cancelled"


#: A station is in at most one of these, whatever the roll-out.
OPEN_STEPS = (StepState.WAITING, StepState.UPDATING)
#: Those on which `due_at` is looked at: a paused one is followed as long as something runs at its stations.
FOLLOWED = (RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.CANCELLED)


class Rollout(models.Model):
    """A plan and how far it is. `selection`: {"models", "versions", "sites" (keys), "stations" (identities), "offline"}.

    `wave` is the open one, counted from 1. `judged_from`: updates that ended before are no longer counted by the stop rule.
    `held`: why it is paused, {"by": "person", "who"} or {"by": "rule", "code", ...numbers}. `due_at`: when to look at it next.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    firmware = models.ForeignKey(Firmware, models.RESTRICT, related_name="rollouts")
    name = models.CharField(max_length=120)
    selection = models.JSONField(default=dict, blank=True)
    waves = models.JSONField(default=list)
    window_start = models.TimeField(null=True, blank=True)
    window_end = models.TimeField(null=True, blank=True)
    window_days = models.JSONField(default=list, blank=True)
    forced = models.BooleanField(default=False, help_text="Also while somebody charges.")
    at_once = models.PositiveIntegerField(default=10)
    failed_percent = models.PositiveSmallIntegerField(default=20)
    judge_after = models.PositiveIntegerField(default=5)
    most_lost = models.PositiveIntegerField(default=2)
    state = models.CharField(max_length=10, choices=RolloutState.choices, default=RolloutState.DRAFT)
    held = models.JSONField(default=dict, blank=True)
    wave = models.PositiveSmallIntegerField(default=0)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    started_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    judged_from = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    #: No column: whether it was asked for again with its idempotency key, and is not new.
    repeated = False

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["operator", "idempotency_key"], name="rollout_idempotency_key")]
        indexes = [
            models.Index(fields=["operator", "-id"], name="rollout_operator_id"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="rollout_due"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def window(self) -> Window:
        return Window(self.window_start, self.window_end, tuple(self.window_days))

    @property
    def rule(self) -> StopRule:
        return StopRule(self.failed_percent, self.judge_after, self.most_lost)


class RolloutStep(models.Model):
    """One station of a roll-out. `update` is the attempt number `attempt`; `reason` says why it waits, failed or was left out.

    `due_at`: when a station that waits is to be looked at again.
    """

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="steps", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="+")
    wave = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=StepState.choices, default=StepState.WAITING)
    reason = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    update = models.OneToOneField(FirmwareUpdate, models.SET_NULL, null=True, blank=True, related_name="rollout_step")
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="rollout__operator")

    class Meta:
        ordering = ["rollout", "wave", "id"]
        constraints = [
            models.UniqueConstraint(fields=["rollout", "station"], name="rolloutstep_rollout_station"),
            models.UniqueConstraint(fields=["station"], condition=Q(state__in=OPEN_STEPS), name="rolloutstep_station_open"),
        ]
        indexes = [
            models.Index(fields=["rollout", "id"], name="rolloutstep_rollout_id"),
            models.Index(fields=["rollout", "state"], name="rolloutstep_rollout_state"),
            models.Index(fields=["rollout", "due_at"], condition=Q(state="waiting"), name="rolloutstep_rollout_due"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id} in {self.rollout_id}"
