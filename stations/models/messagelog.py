"""The message log."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.station import Station


class MessageLogEntry(models.Model):
    """A CALL and its answer, as they were on the wire with secrets masked. Partitioned by month of `received_at`.

    `event` is the domain event it became, `outcome` "result" or the CALLERROR's code (empty: no answer was due),
    `handling_us` the time from receipt to flush. `signatures`: of what the station had signed (JSON: a list of objects with
    `protected`, `signature` and `header` of RFC 7515); what it signed stands in the frame to the byte, unless a secret was masked.
    """

    operator = models.ForeignKey(Operator, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    direction = models.CharField(max_length=3, choices=[("in", "from the station"), ("out", "to the station")])
    protocol = models.CharField(max_length=20)
    message_id = models.CharField(max_length=36)
    action = models.CharField(max_length=50)
    event = models.CharField(max_length=50, blank=True)
    outcome = models.CharField(max_length=40, blank=True)
    call = models.TextField()
    answer = models.TextField(blank=True)
    received_at = models.DateTimeField()
    handling_us = models.IntegerField()
    signatures = models.TextField(null=True, blank=True)
    #: No columns: keys of its session and its command, and codes of what was found, where somebody looked (`csms.ocpp.links`).
    of_transaction: int | None = None
    of_command: int | None = None
    findings: tuple[str, ...] = ()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-received_at"]
