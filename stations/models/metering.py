"""Meter samples."""

from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.station import Station
from stations.models.transaction import Transaction, register


class MeterSample(models.Model):
    """One reading moment of an EVSE (0: the station's main meter). Partitioned by month of `at`; no foreign keys on it.

    Unique by station, time, context, and the transaction or else the EVSE. `energy_wh` is the register in Wh, power in W;
    power is the total over the phases, current in A that of the most loaded one, voltage in V their mean; everything else is
    in `extra`.
    """

    operator = models.ForeignKey(Operator, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    transaction = models.ForeignKey(
        Transaction, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="samples", db_index=False
    )
    evse_number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    context = models.CharField(max_length=20)
    energy_wh = register()
    power_w = register()
    current_a = register()
    voltage_v = register()
    soc_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    extra = models.JSONField(null=True, blank=True)
    # What a moment belongs to: the transaction, or (negative) the EVSE alone. An EVSE may be told later than the moment.
    owner = models.GeneratedField(
        expression=Coalesce("transaction_id", -F("evse_number")), output_field=models.BigIntegerField(), db_persist=True
    )

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-at"]
