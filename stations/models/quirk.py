"""What is odd about kinds of stations, and what is done about it."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.domain.quirks import About


class ShippedManager(models.Manager["Quirk"]):
    """Those that came with the release: everybody's to see."""

    def get_queryset(self) -> models.QuerySet["Quirk"]:
        return super().get_queryset().filter(operator=None)


class Quirk(models.Model):
    """An oddity of stations of a vendor, model and range of firmware: `adjustments` say what is done about it.

    Without an operator it came with the release (`code` is its name there), and a new release renews it.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, null=True, blank=True, related_name="quirks")
    code = models.CharField(max_length=60, blank=True)
    name = models.CharField(max_length=120)
    vendor = models.CharField(max_length=50, blank=True)
    model = models.CharField(max_length=50, blank=True)
    firmware_from = models.CharField(max_length=100, blank=True)
    firmware_to = models.CharField(max_length=100, blank=True)
    protocol = models.CharField(max_length=20, blank=True)
    adjustments = models.JSONField(default=list)
    source = models.CharField(max_length=300, blank=True)
    frame = models.TextField(blank=True)
    active = models.BooleanField(default=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager(operator="operator")
    shipped = ShippedManager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=models.Q(operator=None), name="quirk_code"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def about(self) -> About:
        return About(self.vendor, self.model, self.firmware_from, self.firmware_to)


class QuirkSwitch(models.Model):
    """An operator has a shipped quirk on or off for their network, whatever the release says."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    quirk = models.ForeignKey(Quirk, models.CASCADE, related_name="switches")
    active = models.BooleanField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["operator", "quirk"], name="quirkswitch_operator_quirk")]
