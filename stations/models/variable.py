"""The device model: the settings of stations, wanted beside reported."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.station import Station


class Variable(models.Model):
    """One attribute of a variable of a station's component. A 1.6 configuration key is a variable of the component "".

    `value` is what the station reported, None for what it does not tell (passwords); `wanted` is what the operator wants it
    to be, None for no wish. The two differ: drift.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, related_name="variables")
    component = models.CharField(max_length=50, blank=True)
    component_instance = models.CharField(max_length=50, blank=True)
    evse_number = models.PositiveSmallIntegerField(default=0)
    connector_number = models.PositiveSmallIntegerField(default=0)
    variable = models.CharField(max_length=50)
    variable_instance = models.CharField(max_length=50, blank=True)
    attribute = models.CharField(max_length=10, default="Actual")
    value = models.TextField(null=True, blank=True)
    wanted = models.TextField(null=True, blank=True)
    mutability = models.CharField(max_length=10, default="ReadWrite")
    known = models.BooleanField(default=True, help_text="Whether the station knows it.")
    data_type = models.CharField(max_length=20, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    values = models.TextField(blank=True, help_text="The values allowed, comma-separated, where they are listed.")
    persistent = models.BooleanField(null=True, blank=True, help_text="Whether it survives a restart; null: not told.")
    constant = models.BooleanField(null=True, blank=True, help_text="Whether it never changes; null: not told.")
    lowest = models.FloatField(null=True, blank=True, help_text="The lowest value allowed.")
    highest = models.FloatField(null=True, blank=True, help_text="The highest value allowed.")
    monitorable = models.BooleanField(null=True, blank=True, help_text="Whether monitors can watch it; null: not told.")
    reported_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = [
            "component",
            "component_instance",
            "evse_number",
            "connector_number",
            "variable",
            "variable_instance",
            "attribute",
        ]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "station",
                    "component",
                    "component_instance",
                    "evse_number",
                    "connector_number",
                    "variable",
                    "variable_instance",
                    "attribute",
                ],
                name="variable_natural_key",
            )
        ]
        indexes = [
            models.Index(
                fields=["station"],
                condition=Q(component="TariffCostCtrlr", variable__in=("Enabled", "Available"))
                | Q(component="", variable="CustomDisplayCostAndPrice"),
                name="variable_shows_costs",
            )
        ]

    def __str__(self) -> str:
        return f"{self.component}.{self.variable}" if self.component else self.variable


class DeviceModel(models.Model):
    """What is known of a station's device model as a whole. Only stations that tell of it by reports have one.

    `due_at` is when it is to be looked whether something must be read anew; `inventory_of` is the make, firmware and serial number
    of which all settings were asked for, and `inventory_at` when; `monitors_at` when the monitors were asked for.
    """

    station = models.OneToOneField(Station, models.CASCADE, primary_key=True, related_name="device_model")
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    due_at = models.DateTimeField(null=True, blank=True)
    inventory_of = models.CharField(max_length=300, blank=True)
    inventory_at = models.DateTimeField(null=True, blank=True)
    monitors_at = models.DateTimeField(null=True, blank=True)
    base = models.CharField(max_length=20, blank=True, help_text="The monitoring base that was set; empty: none was.")
    base_at = models.DateTimeField(null=True, blank=True)
    level = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The monitoring level that was set; null: none was.")
    level_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["station"]
        indexes = [
            models.Index(fields=["operator", "station"], name="devicemodel_operator_station"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="devicemodel_due"),
        ]

    def __str__(self) -> str:
        return f"device model of {self.station_id}"
