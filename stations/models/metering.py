"""Meter samples, and what is kept of them when they are gone."""

from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.station import Station
from stations.models.transaction import Transaction, register


class MeterSample(models.Model):
    """One reading moment of an EVSE (0: the station's main meter). Partitioned by month of `at`; no foreign keys on it.

    Unique by station, time, context, and the transaction or else the EVSE. `energy_wh` is the register in Wh, power in W;
    power is the total over the phases, current in A that of the most loaded one, with their sum beside it where they are told one
    by one, voltage in V their mean; everything else is in `extra`.
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
    current_sum_a = register()
    voltage_v = register()
    soc_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    extra = models.JSONField(null=True, blank=True)
    # When it was last written, by the database's clock; no batch says it. Null: before this was kept.
    received_at = models.DateTimeField(null=True, editable=False, db_default=Now())
    # What a moment belongs to: the transaction, or (negative) the EVSE alone. An EVSE may be told later than the moment.
    owner = models.GeneratedField(
        expression=Coalesce("transaction_id", -F("evse_number")), output_field=models.BigIntegerField(), db_persist=True
    )

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-at"]


class MeterSpan(models.Model):
    """What the samples of an EVSE (0: the station's main meter) say of a span of time; kept when the samples are gone.

    Power is in W, a register in Wh. `energy_wh` is what the register rose by since the hour before; empty if that is not known
    or the register fell. `first_at` and `last_at` are the times of the first and the last sample.
    """

    operator = models.ForeignKey(Operator, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    evse_number = models.PositiveSmallIntegerField()
    samples = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    power_mean_w = register()
    power_max_w = register()
    energy_first_wh = register()
    energy_last_wh = register()
    energy_wh = register()
    soc_last_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        abstract = True


class MeterQuarter(MeterSpan):
    """A quarter of an hour. Partitioned by month of `start`; no foreign keys on it."""

    start = models.DateTimeField()

    class Meta:
        ordering = ["-start"]


class MeterDay(MeterSpan):
    """A day in the time zone of the station's site (UTC without a site)."""

    day = models.DateField()

    class Meta:
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["station", "day", "evse_number"], name="meterday_natural_key")]
        indexes = [models.Index(fields=["operator", "day", "id"], name="meterday_operator_day")]


class QuarterDue(models.Model):
    """A quarter of an hour of which samples came that its `MeterQuarter` does not count yet. No foreign keys on it."""

    station = models.ForeignKey(Station, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    evse_number = models.PositiveSmallIntegerField()
    start = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["station", "evse_number", "start"], name="quarterdue_natural_key")]


class MeterProgress(models.Model):
    """The one row that says which samples have been looked at: those received before `received_until`.

    Of samples older than `received_at` itself, those from `back_to` on.
    """

    received_until = models.DateTimeField()
    back_to = models.DateTimeField()
