"""How often stations were found to say what they should not, day by day."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.station import Station


class FindingDay(models.Model):
    """How often a station showed a finding on a day (UTC), with the firmware that it had then.

    Counted by triggers on the findings, in the statement that writes these, so that no batch has a statement more for it. No
    foreign keys on it: counting must not touch other rows. Let go of after `stations.services.findingdays.KEPT`.
    """

    operator = models.ForeignKey(Operator, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    code = models.CharField(max_length=50)
    firmware_version = models.CharField(max_length=100, blank=True)
    day = models.DateField()
    count = models.PositiveIntegerField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-day", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["station", "day", "code", "firmware_version"], name="findingday_natural_key")
        ]
        indexes = [
            # All that the page sums up, so that it never looks at the rows themselves.
            models.Index(
                fields=["operator", "day"],
                include=["code", "station", "firmware_version", "count"],
                name="findingday_operator_day",
            ),
            models.Index(fields=["operator", "code", "day"], name="findingday_operator_code"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id} {self.code} {self.day}"
