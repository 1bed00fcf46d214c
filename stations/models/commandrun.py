"""The same asked of many stations: the run, and how far each station is."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator, User
from stations.domain.commandruns import Pace, StopRule
from stations.models.station import Station


class RunState(models.TextChoices):
    """A run's life. One that is paused or cancelled lets what was sent come to its end."""

    CHOOSING = "choosing", "Choosing"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    CANCELLED = "cancelled", "Cancelled"
    DONE = "done", "Done"


class RunStepState(models.TextChoices):
    """How far one station is."""

    WAITING = "waiting", "Waiting"
    ASKED = "asked", "Asked"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Left out"
    CANCELLED = "cancelled", "Cancelled"


class CommandRun(models.Model):
    """The same asked of several stations: a command for each. `token` is the form's own: sent twice, it makes one run.

    `kind` and `params` are what stations are asked, as a person is shown it; `wordings` by protocol what those of it are asked
    ([kind, params]). `selection` is {"filter": {...}}, {"stations": [identities]} or {"failed_of": the key of another run};
    a worker writes a step for each station it means, up to `chosen_to`, its key, and holds if they are not `expected` many.
    `wait_s`: how long stations that are offline are waited for. `judged_from`: what ended before is no longer counted by the
    stop rule. `held`: why it is paused, {"by": "person", "who"} or {"by": "rule", "code", ...numbers}. `due_at`: when to look
    at it next.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    token = models.CharField(max_length=100)
    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    wordings = models.JSONField(default=dict, db_default={}, blank=True)
    selection = models.JSONField(default=dict, db_default={}, blank=True)
    expected = models.PositiveIntegerField(null=True, blank=True)
    chosen_to = models.BigIntegerField(default=0, db_default=0)
    at_once = models.PositiveIntegerField(default=50, db_default=50)
    jitter_s = models.PositiveIntegerField(default=0, db_default=0)
    wait_s = models.PositiveIntegerField(default=0, db_default=0)
    failed_percent = models.PositiveSmallIntegerField(null=True, blank=True)
    judge_after = models.PositiveIntegerField(default=10, db_default=10)
    most_failed = models.PositiveIntegerField(null=True, blank=True)
    count_offline = models.BooleanField(default=False, db_default=False)
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.CHOOSING, db_default="done")
    held = models.JSONField(default=dict, db_default={}, blank=True)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    judged_from = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    #: No column: whether it was asked for again with its token, and is not new.
    repeated = False

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["operator", "token"], name="commandrun_operator_token")]
        indexes = [
            models.Index(fields=["operator", "-id"], name="commandrun_operator_id"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="commandrun_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} run {self.pk}"

    @property
    def pace(self) -> Pace:
        return Pace(self.at_once, self.jitter_s)

    @property
    def rule(self) -> StopRule:
        return StopRule(self.failed_percent, self.judge_after, self.most_failed, self.count_offline)


class CommandRunStep(models.Model):
    """One station of a run. `reason` says why it failed or was left out, `detail` in which words.

    `due_at`: a station that waits has its turn then; null: it has not come yet.
    """

    run = models.ForeignKey(CommandRun, models.CASCADE, related_name="steps", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="+")
    command = models.OneToOneField("stations.Command", models.SET_NULL, null=True, blank=True, related_name="run_step")
    state = models.CharField(max_length=10, choices=RunStepState.choices, default=RunStepState.WAITING)
    reason = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="run__operator")

    class Meta:
        ordering = ["run", "id"]
        constraints = [models.UniqueConstraint(fields=["run", "station"], name="commandrunstep_run_station")]
        indexes = [
            models.Index(fields=["run", "id"], name="commandrunstep_run_id"),
            models.Index(fields=["run", "state"], name="commandrunstep_run_state"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id} in {self.run_id}"
