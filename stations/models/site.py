"""Places."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator


class Site(models.Model):
    """A place with charging stations."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="sites")
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=80, blank=True)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    time_zone = models.CharField(max_length=50, default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["operator", "name"], name="site_operator_name")]
        indexes = [models.Index(fields=["operator", "latitude", "longitude"], name="site_operator_place")]

    def __str__(self) -> str:
        return self.name
