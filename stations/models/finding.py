"""What is wrong with what stations say."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator
from stations import choices
from stations.models.station import Station
from stations.models.transaction import Transaction


class Finding(models.Model):
    """Something that is not as it should be, on a station or one of its transactions. The same thing again counts up one row."""

    # Indexes of their own would be superfluous: others begin with them.
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="findings", db_index=False)
    transaction = models.ForeignKey(Transaction, models.CASCADE, null=True, blank=True, related_name="findings")
    code = models.CharField(max_length=50)
    subject = models.CharField(max_length=200, blank=True)
    severity = models.CharField(max_length=10, choices=choices.SEVERITY)
    detail = models.TextField(blank=True)
    message_id = models.CharField(max_length=36, blank=True, help_text="Of the newest message that showed it.")
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["station", "transaction", "code", "subject"], nulls_distinct=False, name="finding_natural_key"
            )
        ]
        indexes = [
            models.Index(fields=["operator", "-last_at"], name="finding_operator_last"),
            models.Index(fields=["station", "-last_at"], name="finding_station_last"),
            models.Index(fields=["station", "code", "-last_at"], name="finding_station_code"),
        ]


class RepairMessage(models.Model):
    """A transaction message that could not be understood or handled, kept whole so that its energy is not lost."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # repairmessage_operator_id
    station = models.ForeignKey(Station, models.CASCADE, related_name="repair_messages")
    action = models.CharField(max_length=50)
    frame = models.TextField()
    answer = models.TextField(blank=True)
    reason = models.TextField()
    received_at = models.DateTimeField()
    protocol = models.CharField(max_length=20, blank=True, db_default="", help_text="Empty: before this was kept.")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(
        max_length=20, blank=True, db_default="", choices=[("played", "played"), ("discarded", "discarded")]
    )
    note = models.CharField(max_length=200, blank=True, db_default="", help_text="Why it was resolved so.")

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-received_at"]
        indexes = [
            models.Index(fields=["operator", "-id"], name="repairmessage_operator_id"),
            models.Index(fields=["operator", "-id"], condition=models.Q(resolved_at=None), name="repairmessage_operator_open"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"
