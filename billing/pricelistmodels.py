"""By what processes know that the prices of an operator have changed."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator


class PriceList(models.Model):
    """An operator's prices, of which processes keep what they have read for as long as `version` stays the same.

    It becomes another, never one that was before, in each transaction that changes prices: triggers on their tables see to it
    (`billing.pricelists`). Without a row the version is 0.
    """

    operator = models.OneToOneField(Operator, models.CASCADE, primary_key=True, db_constraint=False, related_name="+")
    version = models.BigIntegerField()

    objects = ScopedManager(operator="operator")

    def __str__(self) -> str:
        return f"{self.operator_id} at {self.version}"
