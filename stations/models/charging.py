"""What limits a station: the profiles it holds, wanted beside reported, the limits of others, and what cars need."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.station import Station


class ChargingProfile(models.Model):
    """A charging profile of a station. `source`: who set it; CSO is us.

    `wanted` is what we sent and the station accepted, None for one that it has from elsewhere; `reported` what it said when it
    was last asked, None if it has not or does not hold it. `checked_at`: when that was. Both as `Profile.plain` has them.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, related_name="charging_profiles")
    source = models.CharField(max_length=10, default="CSO")
    profile_id = models.IntegerField()
    evse_number = models.PositiveSmallIntegerField(help_text="0: the whole station, or each EVSE of it.")
    purpose = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    stack_level = models.IntegerField()
    ocpp_transaction_id = models.CharField(max_length=36, blank=True)
    remote_start_id = models.IntegerField(null=True, blank=True, help_text="Of the start it went with, until that has an id.")
    wanted = models.JSONField(null=True, blank=True)
    reported = models.JSONField(null=True, blank=True)
    set_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    report_id = models.IntegerField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["evse_number", "purpose", "-stack_level", "id"]
        constraints = [models.UniqueConstraint(fields=["station", "source", "profile_id"], name="chargingprofile_natural_key")]
        indexes = [
            models.Index(fields=["operator", "-id"], name="chargingprofile_operator"),
            models.Index(fields=["station"], condition=Q(purpose="TxProfile"), name="chargingprofile_of_session"),
            models.Index(
                fields=["operator", "-checked_at"],
                condition=Q(wanted__isnull=False, reported__isnull=True, checked_at__isnull=False),
                name="chargingprofile_missing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.profile_id}"


class ChargingLimit(models.Model):
    """A limit that somebody else set, as the station told of it. `schedules`: as `Schedule.plain` has them; none: not told."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, related_name="charging_limits")
    evse_number = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=10)
    grid_critical = models.BooleanField(null=True, blank=True)
    schedules = models.JSONField(default=list, blank=True)
    reported_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["evse_number", "source"]
        constraints = [models.UniqueConstraint(fields=["station", "evse_number", "source"], name="charginglimit_natural_key")]
        indexes = [models.Index(fields=["operator", "-id"], name="charginglimit_operator")]

    def __str__(self) -> str:
        return f"{self.source} at {self.evse_number}"


class CompositeSchedule(models.Model):
    """The newest composite schedule that a station reported of an EVSE, beside ours of that moment.

    `periods` and `ours`: [{"start_s", "limit" (None: nothing limits it), "phases"?}]. `difference`: a sentence; empty: they agree.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, related_name="composite_schedules")
    evse_number = models.PositiveSmallIntegerField()
    unit = models.CharField(max_length=1)
    start_at = models.DateTimeField()
    duration_s = models.IntegerField()
    periods = models.JSONField(default=list)
    ours = models.JSONField(default=list)
    difference = models.CharField(max_length=300, blank=True)
    reported_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["evse_number"]
        constraints = [models.UniqueConstraint(fields=["station", "evse_number"], name="compositeschedule_natural_key")]

    def __str__(self) -> str:
        return f"{self.evse_number} from {self.start_at}"


class NeedsState(models.TextChoices):
    """Where the newest needs of a car stand: a schedule was sent, waits for the session to begin, or will not come."""

    OFFERED = "offered", "Offered"
    WAITING = "waiting", "Waiting"
    LATE = "late", "Too late"
    REJECTED = "rejected", "Rejected"


class EvChargingNeeds(models.Model):
    """What the car at an EVSE said it needs, newest only. `needs`: energy_wh, max_a ... as told."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, related_name="ev_charging_needs")
    evse_number = models.PositiveSmallIntegerField()
    ocpp_transaction_id = models.CharField(max_length=36, blank=True)
    mode = models.CharField(max_length=20, blank=True)
    departure_at = models.DateTimeField(null=True, blank=True)
    schedules_taken = models.IntegerField(null=True, blank=True)
    needs = models.JSONField(default=dict)
    answer = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=10, choices=NeedsState.choices, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    offered_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["evse_number"]
        constraints = [models.UniqueConstraint(fields=["station", "evse_number"], name="evchargingneeds_natural_key")]
        indexes = [
            models.Index(fields=["operator", "-id"], name="evchargingneeds_operator"),
            models.Index(fields=["received_at"], condition=Q(state="waiting"), name="evchargingneeds_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.mode} at {self.evse_number}"


class EvChargingSchedule(models.Model):
    """The schedule that the car at an EVSE chose, newest only. `exceeds`: whether it is above what is allowed."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, related_name="ev_charging_schedules")
    evse_number = models.PositiveSmallIntegerField()
    ocpp_transaction_id = models.CharField(max_length=36, blank=True)
    start_at = models.DateTimeField()
    schedule = models.JSONField(default=dict)
    exceeds = models.BooleanField()
    received_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["evse_number"]
        constraints = [models.UniqueConstraint(fields=["station", "evse_number"], name="evchargingschedule_natural_key")]
        indexes = [models.Index(fields=["operator", "-id"], name="evchargingschedule_operator")]

    def __str__(self) -> str:
        return f"{self.evse_number} from {self.start_at}"
