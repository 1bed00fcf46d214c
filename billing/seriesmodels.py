"""Prices that a market makes, hour by hour: series of them, which tariffs can name."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from accounts.models import Operator


class Unit(models.TextChoices):
    """For how much energy a price of a series is."""

    MWH = "MWh", _("per MWh")
    KWH = "kWh", _("per kWh")


class Resolution(models.IntegerChoices):
    """How long a price of a series holds, in minutes."""

    QUARTER = 15, _("a quarter of an hour")
    HALF = 30, _("half an hour")
    HOUR = 60, _("an hour")


class PriceSeries(models.Model):
    """Prices of energy without tax, such as those of a day-ahead market. A tariff's component names it in `price_series`.

    Its name stays: versions of tariffs refer to it.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # priceseries_operator_name
    name = models.CharField(max_length=60)
    currency = models.CharField(max_length=3, default="EUR")
    unit = models.CharField(max_length=3, choices=Unit.choices, default=Unit.MWH)
    resolution_minutes = models.PositiveSmallIntegerField(choices=Resolution.choices, default=Resolution.HOUR)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["operator", "name"], name="priceseries_operator_name")]

    def __str__(self) -> str:
        return self.name


class PricePoint(models.Model):
    """The price from `start` on, for as long as the series says; in its currency and unit. A market's may be below nothing."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # only ever read by its series
    series = models.ForeignKey(PriceSeries, models.CASCADE, related_name="points", db_index=False)  # pricepoint_series_start
    start = models.DateTimeField()
    price = models.DecimalField(max_digits=12, decimal_places=5)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["series", "start"]
        constraints = [models.UniqueConstraint(fields=["series", "start"], name="pricepoint_series_start")]

    def __str__(self) -> str:
        return f"{self.price} from {self.start}"
