"""How much: tariffs and the charge records made with them."""

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models import Transaction


def price() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=12, decimal_places=4, default=Decimal(0), validators=[MinValueValidator(Decimal(0))])


def total() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=14, decimal_places=2)


class Tariff(models.Model):
    """An operator's price. Prices are without tax; `tax_percent` is added to the sum."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="tariffs")
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, default="EUR")
    price_per_kwh = price()
    price_per_minute = price()
    price_per_session = price()
    tax_percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["operator"], condition=models.Q(is_default=True), name="tariff_one_default"),
        ]

    def __str__(self) -> str:
        return self.name


class ChargeRecord(models.Model):
    """What one transaction cost. Immutable; made exactly once a revision, which its unique key guarantees.

    `lines` explain the total: [{"dimension", "volume", "unit", "price", "cost_excl_tax"}], decimals as strings.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # chargerecord_operator_created
    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="charge_records")
    revision = models.PositiveIntegerField(default=1)
    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="+")
    tariff_snapshot = models.JSONField(help_text="The tariff as it was, as an OCPI 2.2.1 Tariff object.")
    currency = models.CharField(max_length=3)
    energy_wh = models.DecimalField(max_digits=15, decimal_places=3)
    duration_s = models.PositiveIntegerField()
    lines = models.JSONField()
    total_excl_tax = total()
    total_incl_tax = total()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["transaction", "revision"], name="chargerecord_transaction_revision")]
        indexes = [models.Index(fields=["operator", "-created_at", "-id"], name="chargerecord_operator_created")]

    def __str__(self) -> str:
        return f"{self.total_incl_tax} {self.currency}"
