"""How much: tariffs and the charge records made with them."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from accounts.models import IdTokenGroup, Operator, User
from stations.models import Evse, Site, Station, Transaction


def total() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=14, decimal_places=2)


class Tariff(models.Model):
    """An operator's price, which changes by versions: what applied when a session started stays applied."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="tariffs")
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, default="EUR")
    is_default = models.BooleanField(default=False, help_text="It applies where no other is assigned.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["operator"], condition=models.Q(is_default=True), name="tariff_one_default"),
        ]

    def __str__(self) -> str:
        return self.name


class TariffVersion(models.Model):
    """What a tariff is from a moment on, until the next version; the first one also before. Never changed.

    `ocpi` is what an OCPI 2.2.1 Tariff object says of prices: `elements`, `min_price`, `max_price`.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    tariff = models.ForeignKey(Tariff, models.CASCADE, related_name="versions", db_index=False)  # tariffversion_tariff_from
    number = models.PositiveIntegerField(default=1)
    valid_from = models.DateTimeField()
    ocpi = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["tariff", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["tariff", "valid_from"], name="tariffversion_tariff_from"),
            models.UniqueConstraint(fields=["tariff", "number"], name="tariffversion_tariff_number"),
        ]

    def __str__(self) -> str:
        return f"{self.tariff_id} version {self.number}"


class Audience(models.TextChoices):
    """For whom a tariff is assigned."""

    EVERYBODY = "", _("Everybody")
    AD_HOC = "ad_hoc", _("Who pays without a contract")
    DRIVERS = "drivers", _("Registered drivers")
    GROUP = "group", _("A group of id tags")


class TariffAssignment(models.Model):
    """Where and for whom a tariff applies: at most one of site, station and EVSE, or the whole network."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    tariff = models.ForeignKey(Tariff, models.CASCADE, related_name="assignments")
    site = models.ForeignKey(Site, models.CASCADE, null=True, blank=True, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, null=True, blank=True, related_name="+")
    evse = models.ForeignKey(Evse, models.CASCADE, null=True, blank=True, related_name="+")
    audience = models.CharField(max_length=10, choices=Audience.choices, default="", blank=True)
    group = models.ForeignKey(IdTokenGroup, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["operator", "site", "station", "evse", "audience", "group"],
                nulls_distinct=False,
                name="tariffassignment_once",
            ),
            models.CheckConstraint(
                condition=(models.Q(site=None, station=None) | models.Q(site=None, evse=None) | models.Q(station=None, evse=None)),
                name="tariffassignment_one_place",
            ),
            models.CheckConstraint(
                condition=models.Q(audience="group", group__isnull=False) | (~models.Q(audience="group") & models.Q(group=None)),
                name="tariffassignment_group",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tariff_id} for {self.audience or 'everybody'}"


class ChargeRecord(models.Model):
    """What one transaction cost. Immutable; made exactly once a revision, which its unique key guarantees.

    `lines` explain the total: [{"dimension", "volume", "unit", "price", "cost_excl_tax"}], decimals as strings.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # chargerecord_operator_created
    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="charge_records")
    revision = models.PositiveIntegerField(default=1)
    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="+")
    tariff_snapshot = models.JSONField(help_text="The tariff as it was, as an OCPI 2.2.1 Tariff object.")
    choice = models.JSONField(default=dict, db_default={}, help_text="Which version of the tariff it was, and why that one.")
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


from billing.receiptmodels import Issuer, Receipt, ReceiptCustomer  # noqa: E402, F401  (below what they refer to)
