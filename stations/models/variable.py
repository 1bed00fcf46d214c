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
