"""What stations watch, and what they noticed (OCPP 2.0.1 chapter N)."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.station import Station


class MonitorOrigin(models.TextChoices):
    """Whose a monitor is. Stations say it with the first event that it makes; one that we set is custom."""

    HARD_WIRED = "hard_wired", "Hard-wired"
    PRECONFIGURED = "preconfigured", "Preconfigured"
    CUSTOM = "custom", "Custom"


class Named(models.Model):
    """A variable of a component, by its whole name."""

    component = models.CharField(max_length=50)
    component_instance = models.CharField(max_length=50, blank=True)
    evse_number = models.PositiveSmallIntegerField(default=0)
    connector_number = models.PositiveSmallIntegerField(default=0)
    variable = models.CharField(max_length=50)
    variable_instance = models.CharField(max_length=50, blank=True)

    class Meta:
        abstract = True


class Monitor(Named):
    """A monitor of a station, as the station last told of it. Its number may be another one's after a restart.

    `value` is a threshold, a difference or an interval in seconds, by its `type`. `known`: the newest report still had it.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="monitors", db_index=False)
    monitor_id = models.IntegerField()
    type = models.CharField(max_length=20)
    value = models.FloatField()
    severity = models.PositiveSmallIntegerField()
    transaction = models.BooleanField(default=False, help_text="It watches only while a session runs.")
    origin = models.CharField(max_length=14, choices=MonitorOrigin.choices, blank=True)
    known = models.BooleanField(default=True)
    reported_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["station", "monitor_id"]
        constraints = [models.UniqueConstraint(fields=["station", "monitor_id"], name="monitor_station_number")]
        indexes = [models.Index(fields=["operator", "-id"], name="monitor_operator_id")]

    def __str__(self) -> str:
        return f"{self.type} {self.component}.{self.variable}"


class MonitorEvent(Named):
    """One thing a station's component noticed. `place` is the whole name of the variable.

    An alert is `open` until the station says that it is over, or somebody closes it; `since` is when it began. Told again
    while it is open, the newest event stands for it. `closed_because`: cleared, superseded, monitor_gone or person.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="monitor_events", db_index=False)
    place = models.CharField(max_length=230)
    event_id = models.BigIntegerField()
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    trigger = models.CharField(max_length=10)
    notification = models.CharField(max_length=22)
    value = models.TextField(blank=True)
    cleared = models.BooleanField(default=False)
    severity = models.PositiveSmallIntegerField(null=True, blank=True, help_text="That of its monitor; null: not known.")
    monitor_id = models.IntegerField(null=True, blank=True)
    cause_id = models.BigIntegerField(null=True, blank=True)
    ocpp_transaction_id = models.CharField(max_length=36, blank=True)
    tech_code = models.CharField(max_length=50, blank=True)
    tech_info = models.CharField(max_length=500, blank=True)
    open = models.BooleanField(default=False)
    since = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_because = models.CharField(max_length=12, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["station", "at", "event_id", "place"], name="monitorevent_natural_key")]
        indexes = [
            models.Index(fields=["station", "-id"], name="monitorevent_station_id"),
            models.Index(fields=["operator", "-id"], name="monitorevent_operator_id"),
            models.Index(fields=["operator", "-id"], condition=Q(open=True), name="monitorevent_open_operator"),
            models.Index(fields=["station", "place"], condition=Q(open=True), name="monitorevent_open_place"),
            models.Index(fields=["operator", "severity", "-since"], condition=Q(open=True), name="monitorevent_open_severity"),
        ]

    def __str__(self) -> str:
        return f"{self.component}.{self.variable}: {self.value[:40]}"
